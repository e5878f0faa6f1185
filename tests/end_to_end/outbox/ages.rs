//! Messages that grow old, by clocks that are set to other times.

use std::ffi::OsString;
use std::time::Duration;

use comatrix_tests::device::{JSON, Request};
use comatrix_tests::gateway;
use serde_json::json;

use super::stage::{ROOM, Stage, queued, send, status, until, until_within};
use crate::clock::library;

/// The environment of a gateway whose clock is `offset` from now, or at that time.
pub fn clock_at(offset: &str) -> [OsString; 3] {
    let mut preload = OsString::from("LD_PRELOAD=");
    preload.push(library());
    let time = OsString::from(format!("FAKETIME={offset}"));
    [preload, time, "FAKETIME_DONT_FAKE_MONOTONIC=1".into()]
}

#[test]
fn a_message_that_waits_too_long_has_failed_and_its_device_can_repeat_it() {
    if gateway::is_for_routers() {
        return; // A static binary takes no library before its own.
    }
    let mut stage = Stage::new("");
    stage.rooms.stop();
    let mut device = stage.device(1);
    let message = send(ROOM, Some("1"), "old");
    let id = queued(&device.request(&message));
    let behind = queued(&device.request(&send(ROOM, None, "behind it")));
    stage.stop();
    stage.start_with(&clock_at("+8d"));
    // The first one is attempted at the start; the gateway looks again after a minute.
    for id in [&id, &behind] {
        until_within(Duration::from_secs(90), "it has expired", || {
            status(&mut device, id) == json!({ "state": "failed", "reason": "expired" })
        });
    }
    assert_eq!(queued(&device.request(&message)), id, "it waits again");
    stage.rooms.start_again();
    assert_eq!(stage.outcome(1, &id)["state"], "sent");
    stage.until_room_has(ROOM, &["old"]);
    assert_eq!(status(&mut device, &behind)["state"], "failed");
}

#[test]
fn a_message_that_was_sent_is_remembered_for_a_day() {
    if gateway::is_for_routers() {
        return; // As above.
    }
    let mut stage = Stage::new("");
    stage.rooms.stop();
    let mut device = stage.device(1);
    let id = queued(&device.request(&send(ROOM, Some("1"), "once")));
    stage.rooms.start_again();
    assert_eq!(stage.outcome(1, &id)["state"], "sent");
    stage.stop();
    stage.start_with(&clock_at("+23h"));
    assert_eq!(queued(&device.request(&send(ROOM, Some("1"), "once"))), id);
    assert_eq!(status(&mut device, &id)["state"], "sent");
    stage.stop();
    stage.start_with(&clock_at("+25h"));
    let ask = Request::new("GET", &format!("/sent/{id}")).accept(JSON);
    until("it is forgotten", || device.request(&ask).code == "4.04");
    assert_eq!(stage.rooms.sent(), 1);
}

#[test]
fn messages_that_were_accepted_before_the_clock_was_set_are_sent_once_and_in_order() {
    if gateway::is_for_routers() {
        return; // As above.
    }
    let mut stage = Stage::new("");
    stage.rooms.stop();
    stage.stop();
    stage.start_with(&clock_at("1970-01-01 00:00:10"));
    let mut device = stage.device(1);
    let ids = ["a", "b"].map(|body| queued(&device.request(&send(ROOM, None, body))));
    stage.kill();
    stage.start();
    let last = queued(&device.request(&send(ROOM, None, "c")));
    stage.rooms.start_again();
    stage.until_room_has(ROOM, &["a", "b", "c"]);
    for id in ids.iter().chain([&last]) {
        assert_eq!(stage.outcome(1, id)["state"], "sent");
    }
}
