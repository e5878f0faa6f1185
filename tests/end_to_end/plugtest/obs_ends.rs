//! `TD_COAP_OBS`, the rows in which an observation ends.

use std::time::Duration;

use coap_lite::MessageClass;
use comatrix_tests::aiocoap::Aiocoap;
use comatrix_tests::device::Request;
use comatrix_tests::libcoap;
use comatrix_tests::wire::Sender;

use super::stage::values;
use super::watched::{OBSERVE, SOON, Watched, response_to};
use crate::stage;

/// Long enough for a notification that must not come.
const SILENCE: Duration = Duration::from_secs(3);

#[test]
fn td_coap_obs_05_the_client_is_gone() {
    let watched = Watched::new();
    let device = watched.observed_raw(stage::over_ipv4());
    watched.say("second");
    // ACK_TIMEOUT to 1.5 times that, four times doubled: the last one leaves after 45 s at most, and is given up after
    // 93 s.
    let first = device.receive(SOON).expect("a notification comes");
    let mut transmissions = 1;
    while let Some(again) = device.receive(Duration::from_secs(28)) {
        assert_eq!(again, first, "the same notification again");
        transmissions += 1;
    }
    assert_eq!(transmissions, 5, "MAX_RETRANSMIT is 4");
    std::thread::sleep(Duration::from_secs(22));
    watched.say("third");
    assert_eq!(device.receive(SILENCE), None, "the observation is over");
}

#[test]
fn td_coap_obs_06_the_client_rejects_a_notification_with_a_reset() {
    let watched = Watched::new();
    let device = watched.observed_raw(stage::over_ipv4());
    watched.say("second");
    let notified = device.receive_message(SOON).expect("a notification comes");
    device.reset(&notified);
    watched.say("third");
    assert_eq!(device.receive(SILENCE), None, "the observation is over");
}

#[test]
fn td_coap_obs_07_the_observed_resource_is_removed() {
    // No device can delete a room; its own way to it ends with its access token.
    let watched = Watched::new();
    let (observer, _) = watched.observed();
    let logout = Request::new("POST", "/logout").token(&watched.room.device.access_token);
    let response = Aiocoap::start(stage::over_ipv4()).request(&logout);
    assert_eq!(response.code, "2.04", "{}", response.text());
    let last = observer
        .next(SOON)
        .expect("the observation is ended by a notification");
    assert!(last.code.starts_with(['4', '5']), "{last:?}");
    assert_eq!(last.number(OBSERVE), None, "{last:?}");
}

#[test]
fn td_coap_obs_12_observe_1_ends_it() {
    let watched = Watched::new();
    let device = watched.observed_raw(stage::over_ipv4());
    device.send(
        &watched
            .packet(2, b"obs", Some(1))
            .to_bytes()
            .expect("it fits"),
    );
    let response = response_to(&device, b"obs").expect("a response comes");
    assert_eq!(
        (
            response.header.get_code().as_str(),
            values(&response, OBSERVE).len()
        ),
        ("2.05", 0)
    );
    watched.say("second");
    assert_eq!(device.receive(SILENCE), None, "the observation is over");
    // libcoap ends its observation in the same way, after 3 s.
    libcoap::request_with(watched.wire.address, &watched.request(), &["-s", "3"]);
    let mut last = watched.wire.sent_by(Sender::Device).into_iter();
    let last = last.rfind(|packet| matches!(packet.header.code, MessageClass::Request(_)));
    assert_eq!(values(&last.expect("there were requests"), OBSERVE), [[1]]);
    // The response to that last request may be on its way still; it has no Observe.
    let notified = watched.notifications().len();
    watched.say("third");
    std::thread::sleep(SILENCE);
    assert_eq!(
        watched.notifications().len(),
        notified,
        "the observation is over"
    );
}
