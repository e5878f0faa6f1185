//! An operator looks after messages that wait: `comatrix-gateway outbox`, and what the homeserver gets then.

use std::fs;

use crate::outbox_stage::{Mood, Stage, ids};
use crate::running_gateway::{Running, command};
use crate::scratch;

#[test]
fn messages_that_wait_are_listed_shown_and_dropped_and_the_others_arrive_when_they_are_retried() {
    let mut stage = Stage::start("outbox-wait", Mood::Busy);
    let first = stage.send("send/!a:h/1", "first");
    let second = stage.send("send/!a:h/2", "second");
    let third = stage.send("send/!b:h/3", "third");
    let list = stage.until("an attempt was limited", |list| {
        list["records"][0]["waits_for"] == "limited" && list["in_flight"] == 0
    });
    assert_eq!(ids(&list), [&first, &second, &third]);
    let record = &list["records"][1];
    let homeserver = stage.stub.url().to_string();
    for (field, value) in [
        ("state", "waiting"),
        ("device", "127.0.0.1"),
        ("rule", "comatrix"),
        ("homeserver", homeserver.trim_end_matches('/')),
        ("lane", "!a:h"),
        ("waits_for", "lane"),
    ] {
        assert_eq!(record[field], value, "{field}: {list}");
    }
    assert_eq!(list["records"][0]["attempts"], 1, "{list}");
    assert_eq!((&list["waiting"], &list["failed"]), (&3.into(), &0.into()));

    let text = stage.outbox(&["list", "--waiting", "--limit", "1"]);
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[1].starts_with(&first), "{text}");
    assert!(lines[2].contains("3 messages wait") && lines[2].contains("2 of them are not shown"));
    assert_eq!(ids(&stage.list(&["--failed"])), [""; 0]);

    let shown = stage.outbox(&["show", &second[..8]]);
    for part in [
        second.as_str(),
        "waits for those before it",
        "PUT /_matrix/client/v3/rooms/!a:h/send/m.room.message",
        "the access token that the device has presented",
        "transaction 2",
    ] {
        assert!(shown.contains(part), "{part:?} is not in {shown}");
    }
    let content = stage.outbox(&["show", &second, "--content"]);
    assert!(content.contains(r#""body":"second""#), "{content}");

    let dropped = stage.outbox(&["drop", &second]);
    for part in ["dropped", second.as_str(), "127.0.0.1", "!a:h"] {
        assert!(dropped.contains(part), "{part:?} is not in {dropped}");
    }
    assert_eq!(ids(&stage.list(&[])), [&first, &third]);
    assert!(
        stage
            .refused(&["show", &second])
            .contains("no message has an id")
    );

    stage.set(Mood::Well);
    let retried = stage.outbox(&["retry"]);
    assert!(retried.contains("2 waiting messages"), "{retried}");
    stage.until("all were sent", |list| list["waiting"] == 0);
    let texts = stage.texts();
    assert!(!texts.contains(&"second".to_owned()), "{texts:?}");
    assert!(stage.refused(&["retry", &first]).contains("was sent"));
    let sent = stage.outbox(&["show", &first]);
    assert!(sent.contains(r#"response    {"event_id":"$e"}"#), "{sent}");

    let log = stage.running.log();
    for part in [
        "asks for a retry of all messages",
        &format!("asks for a drop of message {second}"),
        "outbox: dropped message",
    ] {
        assert!(log.contains(part), "{part:?} is not in {log}");
    }
}

#[test]
fn a_failed_message_says_why_and_waits_again_when_it_is_retried() {
    let mut stage = Stage::start("outbox-failed", Mood::Refusing);
    let one = stage.send("send/!a:h/1", "one");
    let two = stage.send("send/!a:h/2", "two");
    let list = stage.until("both have failed", |list| list["failed"] == 2);
    assert_eq!(list["records"][0]["state"], "failed");
    let reason = list["records"][0]["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("M_FORBIDDEN"), "{list}");
    assert_eq!(ids(&stage.list(&["--waiting"])), [""; 0]);
    let (_, text) = stage.running.outbox(&["list", "--failed"]);
    assert!(text.contains("  failed  ") && text.contains("M_FORBIDDEN"));

    stage.set(Mood::Well);
    let before = stage.texts().len();
    assert!(stage.outbox(&["retry", &two]).contains("waits again"));
    let list = stage.until("one was sent", |list| list["waiting"] == 0);
    assert_eq!(ids(&list), [&one]);
    let retried = stage.outbox(&["retry", "all"]);
    assert!(
        retried.contains("1 of 1 failed ones wait again"),
        "{retried}"
    );
    stage.until("the other was sent", |list| {
        list["failed"] == 0 && list["waiting"] == 0
    });
    // The first attempts are before; a search finds nothing in this homeserver.
    assert_eq!(stage.texts()[before..], ["two", "one"]);
    assert!(stage.outbox(&["show", &one]).contains("state       sent"));
}

#[test]
fn an_account_without_a_valid_token_goes_on_when_the_operator_retries_one_of_its_messages() {
    let mut stage = Stage::start("outbox-token", Mood::Forgetful);
    let id = stage.send("send/!a:h/1", "one");
    let list = stage.until("it waits", |list| {
        list["records"][0]["waits_for"] == "token"
    });
    assert_eq!(ids(&list), [&id]);
    let (_, text) = stage.running.outbox(&["list"]);
    assert!(text.contains("a new access token"), "{text}");
    stage.set(Mood::Well);
    assert!(stage.outbox(&["retry", &id]).contains("has ended"));
    stage.until("it was sent", |list| list["waiting"] == 0);
    assert_eq!(stage.texts(), ["one", "one"]);
}

#[test]
fn a_message_in_flight_is_not_dropped() {
    let mut stage = Stage::start("outbox-flight", Mood::Silent);
    let id = stage.send("send/!a:h/1", "one");
    stage.until("it is in flight", |list| {
        list["records"][0]["waits_for"] == "in-flight"
    });
    let refused = stage.refused(&["drop", &id]);
    assert!(refused.contains("is in flight"), "{refused}");
    assert!(stage.outbox(&["retry", &id]).contains("is in flight"));
    assert_eq!(ids(&stage.list(&[])), [&id]);
}

#[test]
fn what_is_no_message_is_refused_and_a_gateway_that_keeps_none_or_is_not_there_is_said() {
    let mut stage = Stage::start("outbox-none", Mood::Busy);
    stage.send("send/!a:h/1", "one");
    for (id, remedy) in [
        ("0123", "8 to 32"),
        ("not-an-id", "outbox list"),
        ("\u{1b}[31m", "\\u{1b}[31m"),
        ("00000000", "no message has an id that begins with 00000000"),
    ] {
        for verb in ["show", "retry", "drop"] {
            let said = stage.refused(&[verb, id]);
            assert!(said.contains(remedy), "{verb} {id}: {said}");
        }
    }
    for args in [&["list", "--limit", "0"][..], &["list", "--limit", "401"]] {
        let (code, said) = stage.running.outbox(args);
        assert!(code == 2 && said.contains("1 to 400"), "{said}");
    }
    let (code, said) = stage.running.outbox(&["list", "--failed", "--waiting"]);
    assert_eq!(code, 2, "{said}");

    let folder = scratch::folder("outbox-without");
    fs::write(folder.join("gateway.toml"), "").expect("the folder is the test's");
    fs::write(folder.join("no-folder"), "").expect("the folder is the test's");
    let args = [
        "--control-socket",
        "control.sock",
        "--state-dir",
        "no-folder/x",
    ];
    let without = Running::launch(folder.clone(), &args);
    let (code, said) = without.outbox(&["list"]);
    assert!(code == 1 && said.contains("--state-dir"), "{said}");
    drop(without);
    let (code, said) = command(
        &folder,
        &["outbox", "--control-socket", "control.sock", "list"],
    );
    assert!(code == 2 && said.contains("is it running"), "{said}");
}
