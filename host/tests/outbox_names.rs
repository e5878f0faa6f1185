//! What an operator is shown of a message: no secret, and no name as it was sent.

use std::fs;

use coap::code;
use contract::{Delivery, Effect, HttpRequest, Message, Step};

use crate::exchange::request;
use crate::http_call;
use crate::outbox_stage::{Mood, Stage, TOKEN, ids};
use crate::rule_text::RuleText;

#[test]
fn neither_the_access_token_nor_the_text_of_a_message_is_shown_unless_it_is_asked_for() {
    let mut stage = Stage::start("outbox-secret", Mood::Busy);
    let id = stage.send("send/!a:h/1", "text-of-the-message");
    let without: Vec<String> = [
        &["list"][..],
        &["list", "--json"],
        &["show", &id],
        &["show", &id, "--json"],
        &["retry", &id],
    ]
    .map(|args| stage.outbox(args))
    .into();
    let with = stage.outbox(&["show", &id, "--content"]);
    assert!(with.contains("text-of-the-message"), "{with}");
    let dropped = stage.outbox(&["drop", &id]);
    let log = stage.running.log();
    assert!(log.contains(&id), "{log}");
    for said in without.iter().chain([&dropped, &log]) {
        assert!(!said.contains("text-of-the-message"), "{said}");
    }
    for said in without.iter().chain([&with, &dropped, &log]) {
        assert!(!said.contains(TOKEN), "{said}");
    }
}

/// A rule that delivers to a lane, and with a transaction, of this name.
fn delivering_as(name: &str) -> Vec<u8> {
    let mut rule = RuleText::delivering_for(&[code::PUT]);
    let delivery = Delivery {
        lane: name.to_owned(),
        transaction: name.to_owned(),
        step: Step {
            request: HttpRequest {
                method: "PUT".into(),
                path: vec!["needed".into()],
                body: Some(name.into()),
                ..http_call::request()
            },
            state: vec![],
        },
    };
    let accepted = Message {
        code: code::CHANGED,
        options: vec![],
        payload: vec![],
    };
    rule.begin = rule.value(&Ok(Effect::Deliver(delivery))).1;
    rule.accepted = Some(rule.accepts(&Ok(accepted)));
    rule.component()
}

#[test]
fn names_that_a_device_or_a_rule_chooses_are_escaped() {
    // A colour, a line break, a mark that reverses the text after it, and the end of a text in JSON.
    let hostile = "a\u{1b}[31m\n\u{202e}b\"";
    let mut stage = Stage::with("outbox-names", Mood::Busy, |folder| {
        fs::write(folder.join("a.wasm"), delivering_as(hostile)).expect("the folder is the test's");
        "[[rule]]\nname = \"a\"\ncomponent = \"a.wasm\"\nallow = [\"PUT none standard /needed/*\"]\n"
    });
    let response = stage.running.exchange(request(code::PUT, "a/test"));
    assert_eq!(response.code, code::CHANGED, "{response:?}");
    let list = stage.list(&[]);
    let shown = "a\\u{1b}[31m\\u{a}\\u{202e}b\"";
    assert_eq!(list["records"][0]["lane"], shown);
    let id = ids(&list)[0].to_owned();
    for args in [
        &["list"][..],
        &["list", "--json"],
        &["show", &id],
        &["show", &id, "--json"],
        &["show", &id, "--content"],
        &["drop", &id],
    ] {
        let said = stage.outbox(args);
        let is_hostile =
            |letter: char| letter == '\u{202e}' || letter.is_control() && letter != '\n';
        assert!(!said.contains(is_hostile), "{args:?}: {said:?}");
        assert!(!said.contains("[31m\n"), "{args:?}: {said:?}");
        assert!(said.contains("u{1b}[31m"), "{args:?}: {said:?}");
    }
    let log = stage.running.log();
    assert!(!log.contains(['\u{1b}', '\u{202e}']), "{log:?}");
}
