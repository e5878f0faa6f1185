//! `TD_COAP_OBS`: observation (RFC 7641) of the last message of a room, `GET /getmsg/<room>`, in front of Synapse. How
//! it ends is in `obs_ends`.

use std::time::Duration;

use comatrix_tests::aiocoap::Aiocoap;
use comatrix_tests::device::{JSON, Response, option};
use comatrix_tests::observer::Observer;
use comatrix_tests::wire::{Loss, Sender};

use super::stage::{until, values};
use super::watched::{OBSERVE, SOON, Watched, response_to};
use crate::stage;

const BLOCK2: u16 = 23;

/// RFC 7641 §3.4, without the wrap: these come within a minute.
fn grows(before: &Response, after: &Response) {
    assert!(
        after.number(OBSERVE) > before.number(OBSERVE),
        "{before:?} {after:?}"
    );
}

#[test]
fn td_coap_obs_01_by_a_confirmable_request() {
    let watched = Watched::new();
    let (observer, mut before) = watched.observed();
    for body in ["second", "third"] {
        watched.say(body);
        let notified = observer.next(SOON).expect("a notification comes");
        assert_eq!(
            (notified.code.as_str(), notified.field("body").as_str()),
            ("2.05", body)
        );
        grows(&before, &notified);
        before = notified;
    }
    let requests = watched.wire.sent_by(Sender::Device);
    for notification in watched.notifications() {
        assert_eq!(notification.get_token(), requests[0].get_token());
    }
}

#[test]
fn td_coap_obs_02_by_a_non_confirmable_request() {
    let watched = Watched::new();
    let (observer, first) = watched.observed_as(&watched.request().non());
    watched.say("second");
    let notified = observer.next(SOON).expect("a notification comes");
    assert_eq!(notified.field("body"), "second");
    grows(&first, &notified);
}

#[test]
fn td_coap_obs_04_max_age() {
    // The client sees by Max-Age that an observation is over (RFC 7641 §3.3.1): so it stands in every notification, or
    // 60 s is meant, and is never so short that the next one comes too late.
    let watched = Watched::new();
    let (observer, first) = watched.observed();
    watched.say("second");
    let notified = observer.next(SOON).expect("a notification comes");
    let ages = [&first, &notified].map(|response| response.number(option::MAX_AGE).unwrap_or(60));
    assert!(ages[0] > 0 && ages[0] == ages[1], "{ages:?}");
}

#[test]
fn td_coap_obs_08_the_content_format_does_not_change() {
    // The observed resource has the format that was asked for, in every notification (RFC 7641 §4.2.3).
    let watched = Watched::new();
    let observer = Observer::start(watched.wire.address, &watched.request().accept(JSON));
    let first = observer.next(SOON).expect("a response comes");
    watched.say("second");
    let notified = observer.next(SOON).expect("a notification comes");
    for response in [&first, &notified] {
        assert_eq!(
            response.number(option::CONTENT_FORMAT),
            Some(JSON.into()),
            "{response:?}"
        );
    }
    assert!(notified.text().contains("second"), "{}", notified.text());
}

#[test]
fn td_coap_obs_09_an_update_by_another_device() {
    let watched = Watched::new();
    let (observer, _) = watched.observed();
    let sent = Aiocoap::start(stage::over_ipv4()).request(&watched.room.send(
        &stage::synapse().origin,
        "txn1",
        "by a device",
    ));
    assert_eq!(sent.code, "2.04", "{}", sent.text());
    let notified = observer.next(SOON).expect("a notification comes");
    assert_eq!(notified.field("body"), "by a device");
}

#[test]
fn td_coap_obs_10_a_get_without_observe_does_not_cancel() {
    let watched = Watched::new();
    let device = watched.observed_raw(stage::over_ipv4());
    device.send(&watched.packet(2, b"get", None).to_bytes().expect("it fits"));
    let read = response_to(&device, b"get").expect("a response comes");
    assert_eq!(
        (
            read.header.get_code().as_str(),
            values(&read, OBSERVE).len()
        ),
        ("2.05", 0)
    );
    watched.say("second");
    let notified = response_to(&device, b"obs").expect("a notification comes");
    assert_eq!(values(&notified, OBSERVE).len(), 1);
}

#[test]
fn td_coap_obs_11_in_a_lossy_context() {
    let watched = Watched::over(Loss {
        percent: 20,
        seed: 11,
    });
    let observer = Observer::start(watched.wire.address, &watched.request());
    let limit = Duration::from_secs(100);
    let first = observer.next(limit).expect("a response comes");
    assert_eq!(first.field("body"), "first");
    for number in 0..6 {
        let body = format!("message {number}");
        watched.say(&body);
        // None is left out: the gateway goes on when the device has acknowledged.
        let notified = observer.next(limit).expect("a notification comes");
        assert_eq!(notified.field("body"), body);
    }
    assert!(watched.wire.lost() > 0);
}

/// Text of this many bytes that no block boundary repeats.
fn text_of(length: usize) -> String {
    let mut text: String = (0..length).map(|number| format!("{number} ")).collect();
    text.truncate(length);
    text
}

#[test]
fn td_coap_obs_13_a_notification_in_blocks() {
    let watched = Watched::new();
    let (observer, _) = watched.observed();
    watched.say(&text_of(5_000));
    let notified = observer.next(SOON).expect("a notification comes");
    assert!(
        notified.field("body") == text_of(5_000),
        "{} bytes",
        notified.payload.len()
    );
    // The first block is the notification, the others are fetched (RFC 7959 §2.6).
    until("a notification with Block2 is on the wire", || {
        watched
            .notifications()
            .iter()
            .any(|packet| !values(packet, BLOCK2).is_empty())
    });
}

#[test]
fn td_coap_obs_14_representations_of_varying_size() {
    let watched = Watched::new();
    let (observer, _) = watched.observed();
    for length in [10, 3_000, 20, 1_100, 1] {
        watched.say(&text_of(length));
        let notified = observer.next(SOON).expect("a notification comes");
        assert!(notified.field("body") == text_of(length), "{length}");
    }
}
