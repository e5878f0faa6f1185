//! Observations of `/sync`: a position moves only when the device has acknowledged what came before it.

use std::time::{Duration, Instant};

use coap_lite::{CoapOption, MessageClass, MessageType, Packet, RequestType};
use comatrix_tests::device::option;
use comatrix_tests::gateway::Gateway;
use comatrix_tests::observer::Observer;
use comatrix_tests::raw::{Raw, confirmable};

use super::notifications::{QUIET, SOON, next, texts};
use super::stage::{KEY_VERSION, gateway, sync, with_keys};
use super::timeline::{Timeline, body};

/// A device has not acknowledged then: MAX_TRANSMIT_WAIT of RFC 7252 §4.8.2, and a second.
const GIVEN_UP: Duration = Duration::from_secs(94);

/// A device that decides itself when it acknowledges.
struct Slow {
    raw: Raw,
}

impl Slow {
    /// Registers, and takes the first response.
    fn observe(gateway: &Gateway, query: &str) -> Self {
        let raw = Raw::connect(gateway.address);
        let mut request = confirmable(RequestType::Get, "7", 1, b"tok");
        // Blocks of 1,024 bytes: a change of the tests is in one, and no further one has to be fetched.
        request.add_option(CoapOption::Block2, vec![6]);
        request.add_option(CoapOption::Observe, Vec::new());
        if !query.is_empty() {
            request.add_option(CoapOption::UriQuery, query.as_bytes().to_vec());
        }
        request.add_option(
            CoapOption::Unknown(option::ACCESS_TOKEN),
            b"a-token".to_vec(),
        );
        request.add_option(CoapOption::Unknown(KEY_VERSION), vec![1]);
        raw.send(&request.to_bytes().expect("it fits"));
        let slow = Self { raw };
        let first = slow.message(SOON).expect("a first response");
        assert_eq!(first.header.get_code(), "2.05");
        assert!(
            first.get_first_option(CoapOption::Observe).is_some(),
            "{first:?}"
        );
        slow.acknowledge(&first);
        slow
    }

    /// The next message that is not empty; pings are responded to.
    fn message(&self, limit: Duration) -> Option<Packet> {
        let end = Instant::now() + limit;
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            let message = self
                .raw
                .receive_message(left.max(Duration::from_millis(1)))?;
            if message.header.code != MessageClass::Empty {
                return Some(message);
            }
            if message.header.get_type() == MessageType::Confirmable {
                self.raw.reset(&message);
            }
        }
        None
    }

    fn acknowledge(&self, message: &Packet) {
        if message.header.get_type() == MessageType::Confirmable {
            self.raw.acknowledge(message);
        }
    }
}

fn says(message: &Packet, text: &str) -> bool {
    let mut windows = message.payload.windows(text.len());
    windows.any(|window| window == text.as_bytes())
}

#[test]
fn the_position_moves_only_when_the_device_has_acknowledged() {
    let homeserver = Timeline::start();
    let gateway = gateway(&homeserver.stub.origin);
    let device = Slow::observe(&gateway, "");
    homeserver.say();
    let notification = device.message(SOON).expect("the change is pushed");
    assert_eq!(notification.header.get_type(), MessageType::Confirmable);
    assert!(says(&notification, &body(0)));

    // It is sent again, as it was; whatever else happens waits at the homeserver.
    homeserver.say();
    let again = device.message(SOON).expect("it is sent again");
    assert_eq!(again, notification);
    assert!(
        homeserver.polls().iter().all(|since| *since != Some(1)),
        "{:?}",
        homeserver.polls()
    );

    device.acknowledge(&notification);
    let second = device.message(SOON).expect("then the next change");
    assert!(says(&second, &body(1)) && !says(&second, &body(0)));
    assert_eq!(homeserver.polls().last(), Some(&Some(1)));
}

#[test]
fn a_device_that_does_not_acknowledge_is_dropped_and_misses_nothing_when_it_comes_back() {
    let homeserver = Timeline::start();
    let gateway = gateway(&homeserver.stub.origin);
    let device = Slow::observe(&gateway, "");
    homeserver.say();
    let notification = device.message(SOON).expect("the change is pushed");
    let copies = std::iter::from_fn(|| device.message(GIVEN_UP)).count();
    assert_eq!(copies, 4, "MAX_RETRANSMIT of RFC 7252 §4.8");

    let polls = homeserver.polls().len();
    homeserver.say();
    device.acknowledge(&notification);
    assert!(device.message(QUIET).is_none(), "the observation is over");
    assert_eq!(homeserver.polls().len(), polls, "and so is its long poll");

    let again = Observer::start(gateway.address, &with_keys(sync("?since=s0")));
    assert_eq!(texts(&next(&again, SOON)), [body(0), body(1)]);
}

#[test]
fn a_device_that_rejects_a_notification_is_dropped_at_once() {
    let homeserver = Timeline::start();
    let gateway = gateway(&homeserver.stub.origin);
    let device = Slow::observe(&gateway, "");
    homeserver.say();
    let notification = device.message(SOON).expect("the change is pushed");
    device.raw.reset(&notification);
    homeserver.say();
    assert!(device.message(QUIET).is_none(), "the observation is over");
    assert!(homeserver.polls().iter().all(|since| *since != Some(1)));
}
