//! A homeserver that is away: messages are accepted, kept, and delivered when it is back.

use std::time::{Duration, Instant};

use comatrix_tests::aiocoap::Aiocoap;
use comatrix_tests::device::{CBOR, JSON, Request, option};
use comatrix_tests::observer::Observer;
use serde_json::json;

use super::stage::{ROOM, SOON, Stage, queued, send, status, until};

#[test]
fn messages_are_accepted_kept_over_a_restart_and_a_kill_and_delivered_once_and_in_order() {
    let mut stage = Stage::new("");
    stage.rooms.stop();
    let mut device = stage.device(1);
    let first = device.request(&send(ROOM, Some("1"), "one"));
    assert_eq!(first.number(option::CONTENT_FORMAT), Some(JSON.into()));
    let first = queued(&first);
    // Another stack, and the other format.
    let in_cbor = Request::new("PUT", &format!("/send/{ROOM}/2"))
        .cbor(json!({ "msgtype": "m.text", "body": "two" }));
    let second = Aiocoap::start(stage.gateway().address).request(&in_cbor);
    assert_eq!(second.number(option::CONTENT_FORMAT), Some(CBOR.into()));
    let second = queued(&second);
    assert_eq!(second.len(), 12, "a short id: {second}");
    assert_eq!(
        status(&mut device, &first),
        json!({ "state": "queued" }),
        "it waits"
    );

    stage.stop();
    stage.start();
    let third = queued(&device.request(&send(ROOM, None, "three")));
    stage.kill();
    stage.start();
    let fourth = queued(&device.request(&send(ROOM, None, "four")));
    for id in [&first, &second, &third, &fourth] {
        assert_eq!(status(&mut device, id), json!({ "state": "queued" }));
    }

    stage.rooms.start_again();
    let bodies = ["one", "two", "three", "four"];
    stage.until_room_has(ROOM, &bodies);
    for (id, body) in [first, second, third, fourth].iter().zip(bodies) {
        let event_id = stage.rooms.event_id(body).expect("it is there");
        assert_eq!(
            stage.outcome(1, id),
            json!({ "state": "sent", "event_id": event_id })
        );
    }
    let fifth = device.request(&send(ROOM, None, "five"));
    let event_id = stage.rooms.event_id("five").expect("it is there");
    assert_eq!(fifth.field("event_id"), event_id, "nothing waits any more");
    // Also after a kill it is known what was sent.
    stage.kill();
    stage.start();
    let repeated = queued(&device.request(&send(ROOM, Some("1"), "one")));
    assert_eq!(stage.outcome(1, &repeated)["state"], "sent");
    assert_eq!(stage.rooms.attempts().len(), 5, "each was attempted once");
    let log = stage.log_until("restored");
    assert!(!log.contains("panicked"), "{log}");
}

/// Names another number of seconds.
const AWAY: &str = "COMATRIX_AWAY_SECONDS";
/// Seconds without the homeserver.
const AWAY_SECONDS: u64 = 4;

#[test]
fn what_comes_all_the_while_that_the_homeserver_is_away_arrives_once_and_in_order() {
    let seconds = std::env::var(AWAY).map_or(AWAY_SECONDS, |text| text.parse().expect(AWAY));
    let stage = Stage::new("");
    let mut devices = [stage.device(1), stage.device(2)];
    stage.rooms.stop();
    let returns = Instant::now() + Duration::from_secs(seconds);
    let mut bodies = Vec::new();
    while Instant::now() < returns {
        for device in &mut devices {
            let body = format!("message {}", bodies.len());
            queued(&device.request(&send(ROOM, None, &body)));
            bodies.push(body);
        }
        std::thread::sleep(Duration::from_secs(1));
    }
    stage.rooms.start_again();
    let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
    stage.until_room_has(ROOM, &bodies);
}

#[test]
fn a_device_that_observes_its_message_hears_once_that_it_was_sent() {
    let stage = Stage::new("");
    stage.rooms.stop();
    let mut device = stage.device(1);
    let id = queued(&device.request(&send(ROOM, None, "observed")));
    let gateway = ([127, 0, 0, 1], stage.port()).into();
    let observer = Observer::start(
        gateway,
        &Request::new("GET", &format!("/sent/{id}")).accept(JSON),
    );
    let next = || {
        let notification = observer.next(SOON).expect("a notification comes");
        serde_json::from_slice::<serde_json::Value>(&notification.payload).expect("it is JSON")
    };
    assert_eq!(next(), json!({ "state": "queued" }));
    stage.rooms.start_again();
    let sent = next();
    let event_id = stage.rooms.event_id("observed").expect("it is there");
    assert_eq!(sent, json!({ "state": "sent", "event_id": event_id }));
    let more = observer.next(Duration::from_secs(2));
    assert_eq!(more, None, "it can change no more");
}

#[test]
fn a_long_message_in_blocks_waits_like_any_other() {
    let mut stage = Stage::new("");
    stage.rooms.stop();
    let body = "long ".repeat(2000);
    let long = Request::new("PUT", &format!("/send/{ROOM}/1"))
        .cbor(json!({ "msgtype": "m.text", "body": body }));
    let mut device = Aiocoap::start(stage.gateway().address);
    let id = queued(&device.request(&long));
    assert_eq!(queued(&device.request(&long)), id, "it is the same message");
    stage.kill();
    stage.start();
    assert_eq!(queued(&device.request(&long)), id);
    stage.rooms.start_again();
    stage.until_room_has(ROOM, &[&body]);
    assert_eq!(stage.outcome(1, &id)["state"], "sent");
}

#[test]
fn a_stop_does_not_wait_for_messages_nor_for_their_attempts() {
    let mut stage = Stage::new("");
    stage.rooms.delay(Duration::from_secs(60));
    let mut device = stage.device(1);
    let ids = ["a", "b"].map(|body| queued(&device.request(&send(ROOM, None, body))));
    let began = Instant::now();
    stage.stop();
    let elapsed = began.elapsed();
    assert!(elapsed < Duration::from_secs(3), "{elapsed:?}");
    stage.rooms.delay(Duration::ZERO);
    stage.start();
    stage.until_room_has(ROOM, &["a", "b"]);
    for id in &ids {
        assert_eq!(stage.outcome(1, id)["state"], "sent");
    }
}

#[test]
fn a_message_of_another_device_is_4_04() {
    let stage = Stage::new("");
    stage.rooms.stop();
    let (mut owner, mut stranger) = (stage.device(1), stage.device(2));
    let id = queued(&owner.request(&send(ROOM, None, "mine")));
    let ask = |id: &str| Request::new("GET", &format!("/sent/{id}")).accept(JSON);
    for id in [&id, &id[..8], "0123456789ab", "0"] {
        let response = stranger.request(&ask(id));
        assert_eq!(response.code, "4.04", "{id:?}: {response:?}");
    }
    assert_eq!(owner.request(&ask(&id)).code, "2.05");
    // What is sent is no more theirs.
    stage.rooms.start_again();
    assert_eq!(stage.outcome(1, &id)["state"], "sent");
    assert_eq!(stranger.request(&ask(&id)).code, "4.04");
}

#[test]
fn the_mode_says_which_messages_wait_for_all_for_a_rule_and_for_a_network() {
    let modes = "
        [outbox]
        mode = \"off\"
        [[network]]
        prefix = \"127.0.0.2/32\"
        outbox = \"always\"
        [[network]]
        prefix = \"127.0.0.3/32\"
        outbox = \"when-unreachable\"
    ";
    let stage = Stage::new(modes);
    let [mut off, mut always, mut unreachable] = [1, 2, 3].map(|host| stage.device(host));
    let request = |body: &str| send(ROOM, None, body);
    assert!(
        off.request(&request("a"))
            .field("event_id")
            .starts_with('$')
    );
    assert!(
        unreachable
            .request(&request("b"))
            .field("event_id")
            .starts_with('$')
    );
    queued(&always.request(&request("c")));
    stage.until_room_has(ROOM, &["a", "b", "c"]);

    stage.rooms.stop();
    let refused = off.request(&request("d"));
    assert_eq!(refused.code, "5.03", "{refused:?}");
    assert!(refused.number(option::MAX_AGE).is_some(), "{refused:?}");
    queued(&unreachable.request(&request("e")));
    queued(&always.request(&request("f")));

    // A rule's own mode is before that of all, and a network's before that of the rule.
    stage.configure(&format!(
        "{modes}\n[[rule]]\nname = \"comatrix\"\noutbox = \"always\"\n"
    ));
    stage.reload();
    queued(&off.request(&request("g")));
    stage.rooms.start_again();
    stage.until_room_has(ROOM, &["a", "b", "c", "e", "f", "g"]);
    queued(&off.request(&request("h")));
    let direct = unreachable.request(&request("i"));
    until("the last one is sent", || stage.rooms.sent() == 8);
    assert!(direct.value.is_some(), "{direct:?}");
}
