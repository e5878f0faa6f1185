//! Messages that wait while their rule is replaced, taken back or removed.

use std::fs;
use std::path::PathBuf;

use comatrix_tests::aiocoap::bytes;
use comatrix_tests::device::Request;
use comatrix_tests::rooms::attempt;
use comatrix_tests::stub::Behaviour;
use serde_json::json;

use super::stage::{ROOM, Stage, queued, send, until};
use crate::author_folder::copy_example;

/// Content-Format of SenML in CBOR (RFC 8428 §12.1).
const SENML_CBOR: u16 = 112;

impl Stage {
    /// The component of this rule, in the test's folder.
    fn component(&self, rule: &str) -> PathBuf {
        copy_example(rule, self.scratch.path());
        self.scratch.path().join(format!("{rule}.wasm"))
    }

    /// `rules …`, which must succeed.
    fn rules(&self, words: &[&str]) {
        let (is_done, text) = self.command(&[&["rules"], words].concat());
        assert!(is_done, "{text}");
    }

    /// As [`Stage::rules`]: this component serves in place of the default rule.
    fn swap(&self, component: &std::path::Path) {
        self.rules(&["swap", "comatrix", &component.display().to_string()]);
    }
}

/// Another revision of a component: it has one more custom section, which means nothing.
fn other_revision(component: &std::path::Path) -> PathBuf {
    let mut code = fs::read(component).expect("it was just copied");
    code.extend_from_slice(b"\0\x08\x07another");
    let other = component.with_file_name("other.wasm");
    fs::write(&other, code).expect("the folder is the test's");
    other
}

#[test]
fn messages_wait_over_a_swap_and_a_rollback_and_are_sent_in_their_order() {
    let stage = Stage::new("");
    let mut device = stage.device(1);
    let mut say = |body: &str| queued(&device.request(&send(ROOM, None, body)));
    stage.rooms.stop();
    let first = say("first");
    stage.swap(&other_revision(&stage.component("comatrix")));
    let second = say("second");
    stage.rules(&["rollback", "comatrix"]);
    let third = say("third");
    stage.rooms.start_again();
    stage.until_room_has(ROOM, &["first", "second", "third"]);
    for (id, body) in [(first, "first"), (second, "second"), (third, "third")] {
        let event_id = stage.rooms.event_id(body).expect("it is there");
        let sent = json!({ "state": "sent", "event_id": event_id });
        assert_eq!(stage.outcome(1, &id), sent);
    }
    let log = stage.log_until("rollback");
    assert!(!log.contains("does not understand"), "{log}");
}

#[test]
fn a_rule_that_does_not_understand_the_state_of_the_one_before_loses_and_doubles_nothing() {
    let mut stage = Stage::new("");
    let mut device = stage.device(1);
    stage.rooms.stop();
    let [sent, refused] =
        ["sent", "refused"].map(|body| queued(&device.request(&send(ROOM, None, body))));
    // It has other resources, and so it knows no state of `/send`.
    stage.swap(&stage.component("senml"));
    stage.rooms.set_fault(|request| {
        let is_refused = attempt(request)?.body == "refused";
        is_refused.then(|| Behaviour::json(403, json!({ "errcode": "M_FORBIDDEN" })))
    });
    stage.rooms.start_again();
    stage.until_room_has(ROOM, &["sent"]);
    let event_id = stage.rooms.event_id("sent").expect("it is there");
    let outcome = json!({ "state": "sent", "event_id": event_id });
    assert_eq!(stage.outcome(1, &sent), outcome);
    let outcome = stage.outcome(1, &refused);
    assert_eq!(outcome["state"], "failed");
    let reason = outcome["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("403"), "{outcome}");
    let says = |id: &str| format!("rule comatrix does not understand the outcome of delivery {id}");
    let log = stage.log_until(&says(&refused));
    for id in [&sent, &refused] {
        assert_eq!(log.matches(&says(id)).count(), 1, "{log}");
    }

    // The gateway serves, and what it has stored stays as it is.
    stage.rules(&["rollback", "comatrix"]);
    stage.rooms.end_fault();
    let direct = device.request(&send(ROOM, None, "direct"));
    assert!(direct.field("event_id").starts_with('$'), "{direct:?}");
    stage.kill();
    stage.start();
    assert_eq!(stage.outcome(1, &sent)["state"], "sent");
    stage.until_room_has(ROOM, &["sent", "direct"]);
}

#[test]
fn a_message_whose_rule_a_reload_removes_is_sent_all_the_same() {
    let with_senml = "
        [[rule]]
        name = \"senml\"
        component = \"senml.wasm\"
        allow = [
            \"PUT any standard /_matrix/client/v3/rooms/*/send/m.room.message/*\",
            \"GET any standard /_matrix/client/v3/directory/room/*\",
        ]
    ";
    let stage = Stage::new("");
    stage.component("senml");
    stage.configure(with_senml);
    stage.reload();
    stage.rooms.stop();
    // [{0: "temperature", 1: "Cel", 2: 21.5}]
    let pack = bytes("81 a3 00 6b 74656d7065726174757265 01 63 43656c 02 f94d60");
    let reading = Request::new("POST", &format!("/senml/{ROOM}")).bytes(&pack, Some(SENML_CBOR));
    let mut device = stage.device(1);
    let response = device.request(&reading);
    assert_eq!(response.code, "2.04", "{response:?}");
    stage.configure("");
    stage.reload();
    assert_eq!(device.request(&reading).code, "4.04", "its rule is gone");
    stage.rooms.start_again();
    until("the reading is there", || {
        let bodies = stage.rooms.bodies_in(ROOM);
        bodies.iter().any(|body| body.contains("21.5"))
    });
    let says = "rule senml does not understand the outcome of delivery";
    let log = stage.log_until(says);
    let mut lines = log.lines().filter(|line| line.contains(says));
    let line = lines.next().expect("one line says it");
    assert!(line.contains("it is not configured any more"), "{line}");
    assert_eq!(lines.next(), None);
    assert_eq!(stage.rooms.sent(), 1);
}
