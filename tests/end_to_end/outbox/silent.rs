//! A homeserver that takes requests and does not respond, or late.

use std::time::{Duration, Instant};

use comatrix_tests::rooms::attempt;
use comatrix_tests::stub::Behaviour;
use serde_json::json;

use super::stage::{ROOM, Stage, queued, send, status, until};

/// Above the patience of 2 s.
const LATE: Duration = Duration::from_secs(5);

#[test]
fn an_attempt_goes_on_after_the_device_has_its_response_and_is_not_made_twice() {
    let stage = Stage::new("");
    stage.rooms.delay(LATE);
    let mut device = stage.device(1);
    let began = Instant::now();
    let id = queued(&device.request(&send(ROOM, None, "slow")));
    let elapsed = began.elapsed();
    let patience = Duration::from_secs(2)..Duration::from_secs(4);
    assert!(patience.contains(&elapsed), "{elapsed:?}");
    assert_eq!(status(&mut device, &id), json!({ "state": "queued" }));
    let event_id = stage.rooms.event_id("slow").expect("it is there");
    let sent = json!({ "state": "sent", "event_id": event_id });
    assert_eq!(stage.outcome(1, &id), sent);
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(stage.rooms.attempts().len(), 1);
}

#[test]
fn attempts_of_two_devices_in_one_room_go_on_and_are_not_made_twice() {
    let stage = Stage::new("");
    stage.rooms.set_fault(|request| {
        let seconds = match attempt(request)?.body.as_str() {
            "first" => 3,
            _ => 6,
        };
        let sent = Behaviour::json(200, json!({ "event_id": "$late" }));
        Some(Behaviour::Late(
            Duration::from_secs(seconds),
            Box::new(sent),
        ))
    });
    let ids = std::thread::scope(|scope| {
        let devices = [(1, "first"), (2, "second")].map(|(host, body)| {
            let mut device = stage.device(host);
            scope.spawn(move || queued(&device.request(&send(ROOM, None, body))))
        });
        devices.map(|device| device.join().expect("it is accepted"))
    });
    for (host, id) in [(1, &ids[0]), (2, &ids[1])] {
        assert_eq!(stage.outcome(host, id)["event_id"], "$late");
    }
    let attempts = stage.rooms.attempts();
    assert_eq!(attempts.len(), 2, "{attempts:#?}");
    // They are remembered as sent.
    std::thread::sleep(Duration::from_secs(1));
    for (host, id) in [(1, &ids[0]), (2, &ids[1])] {
        assert_eq!(stage.outcome(host, id)["state"], "sent");
    }
}

#[test]
fn a_message_whose_homeserver_never_responds_is_repeated_with_its_transaction_id() {
    let stage = Stage::new("");
    // It takes the message each time, and nobody hears of it.
    stage.rooms.delay(Duration::from_secs(60));
    let mut device = stage.device(1);
    let ids = ["a", "b"].map(|body| queued(&device.request(&send(ROOM, None, body))));
    until("the attempt has timed out and another follows", || {
        stage.rooms.attempts().len() >= 2
    });
    stage.rooms.delay(Duration::ZERO);
    stage.rooms.stop();
    stage.rooms.start_again();
    for id in &ids {
        assert_eq!(stage.outcome(1, id)["state"], "sent");
    }
    assert_eq!(stage.rooms.bodies_in(ROOM), ["a", "b"], "each once");
    let attempts = stage.rooms.attempts();
    let of_first = attempts.iter().filter(|attempt| attempt.body == "a");
    let mut txns: Vec<&str> = of_first.map(|attempt| attempt.txn.as_str()).collect();
    assert!(txns.len() >= 2, "{attempts:#?}");
    txns.dedup();
    assert_eq!(txns.len(), 1, "{attempts:#?}");
}

#[test]
fn messages_that_a_device_sends_at_once_keep_their_order() {
    let stage = Stage::new("");
    stage
        .rooms
        .set_fault(|request| attempt(request).map(|_| Behaviour::Hang));
    let mut device = stage.device(1);
    let bodies = ["0", "1", "2", "3", "4", "5", "6", "7"];
    let datagrams = bodies.map(|body| device.datagram(&send(ROOM, None, body).non()));
    for datagram in &datagrams {
        device.send(datagram);
    }
    for _ in bodies {
        let response = device.receive(Duration::from_secs(9));
        let response = response.expect("each has a response");
        assert_eq!(response.code, "2.04", "{response:?}");
    }
    stage.rooms.end_fault();
    // The attempt that hangs ends.
    stage.rooms.stop();
    stage.rooms.start_again();
    stage.until_room_has(ROOM, &bodies);
}
