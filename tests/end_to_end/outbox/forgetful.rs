//! A homeserver that has forgotten the transaction ids: an attempt whose outcome is unknown is searched for in its
//! room.

use std::ffi::OsString;
use std::time::Duration;

use comatrix_tests::gateway;

use super::ages::clock_at;
use super::stage::{ROOM, Stage, queued, send, until};

/// The gateway's clock is later by more than homeservers remember.
pub fn later() -> [OsString; 3] {
    clock_at("+40m")
}

/// One of three messages is in the room, and its device has no response that says so.
fn is_found_after_a_restart_and_not_sent_again(stage: &mut Stage, ids: &[(u8, String)]) {
    stage.rooms.delay(Duration::ZERO);
    stage.rooms.forget_transactions();
    stage.start_with(&later());
    stage.rooms.start_again();
    stage.until_room_has(ROOM, &["a", "b", "c"]);
    for ((host, id), body) in ids.iter().zip(["a", "b", "c"]) {
        let event_id = stage.rooms.event_id(body).expect("it is there");
        assert_eq!(stage.outcome(*host, id)["event_id"], event_id, "{body}");
    }
    let attempts = stage.rooms.attempts();
    let of_first = attempts.iter().filter(|attempt| attempt.body == "a");
    assert_eq!(of_first.count(), 1, "{attempts:#?}");
}

#[test]
fn a_message_whose_attempt_was_cut_off_is_found_in_its_room() {
    if gateway::is_for_routers() {
        return; // A static binary takes no library before its own.
    }
    let mut stage = Stage::new("");
    stage.rooms.delay(Duration::from_secs(60));
    let mut device = stage.device(1);
    let ids = ["a", "b", "c"].map(|body| (1, queued(&device.request(&send(ROOM, None, body)))));
    stage.rooms.stop();
    stage.kill();
    is_found_after_a_restart_and_not_sent_again(&mut stage, &ids);
}

#[test]
fn a_message_that_is_repeated_after_a_kill_is_found_in_its_room() {
    if gateway::is_for_routers() {
        return; // As above.
    }
    let mut stage = Stage::new("");
    stage.rooms.delay(Duration::from_secs(60));
    let mut device = stage.device(1);
    // With an access token of its own, a device needs no proof of its address.
    let own = |body: &str| send(ROOM, None, body).token("own");
    let first = device.datagram(&own("a"));
    device.send(&first);
    until("it is in the room", || stage.rooms.sent() == 1);
    stage.kill();
    stage.rooms.stop();
    stage.start();
    let second = queued(&stage.device(2).request(&own("b")));
    // The device has no response yet. Its message is not the first of the room that waits.
    let first = device.exchange(&first).expect("a response comes");
    let value = serde_json::from_slice::<serde_json::Value>(&first.payload).expect("it is JSON");
    let first = value["queued"].as_str().expect("it waits").to_owned();
    let third = queued(&device.request(&own("c")));
    stage.kill();
    let ids = [(1, first), (2, second), (1, third)];
    is_found_after_a_restart_and_not_sent_again(&mut stage, &ids);
}
