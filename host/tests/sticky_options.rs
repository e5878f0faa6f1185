//! Options that a rule understands, and that the gateway remembers for a device's secured session: the rule `stream`
//! with its option 65,001, and the access token.

use std::fs;
use std::path::Path;

use coap::{Block, Message, code, option};

use crate::coaps_stage::Stage;
use crate::exchange::request;
use crate::oscore_device::Device;
use crate::scratch;
use crate::stub::{Reaction, Received, Stub};

/// The option of the rule `stream`.
const LIMIT: u16 = 65_001;

const CONFIGURATION: &str = r#"
    [[rule]]
    name = "comatrix"

    [[rule]]
    name = "stream"
    component = "stream.wasm"
    allow = ["GET any standard /_matrix/client/v3/sync"]
"#;

/// A homeserver that knows every token but `ended`.
fn homeserver(received: &Received) -> Reaction {
    match received.header("authorization") {
        Some("Bearer ended") => Reaction::Json(401, r#"{"errcode":"M_UNKNOWN_TOKEN"}"#.into()),
        _ => {
            let text = "x".repeat(200);
            Reaction::Json(200, format!(r#"{{"next_batch":"s1","text":"{text}"}}"#))
        }
    }
}

fn stage(test: &str) -> Stage {
    let folder = scratch::folder(test);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/guest/stream.wasm");
    fs::copy(&file, folder.join("stream.wasm"))
        .unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask guest`", file.display()));
    Stage::start_before_in(Stub::start(homeserver), folder, CONFIGURATION)
}

fn get(options: &[(u16, &[u8])]) -> Message {
    let message = request(code::GET, "stream");
    options.iter().fold(message, |message, (number, value)| {
        message.with_option(*number, *value)
    })
}

/// The limit and the token of the last request to the homeserver.
fn last(stage: &Stage) -> (String, Option<String>) {
    let received = stage.stub.received();
    let last = received.last().expect("a request");
    let (_, limit) = last.target.split_once("limit%22%3A").expect("a filter");
    let limit = limit.chars().take_while(char::is_ascii_digit).collect();
    (limit, last.header("authorization").map(str::to_owned))
}

fn content(device: &mut Device, options: &[(u16, &[u8])]) -> Message {
    let (response, is_protected) = device.ask(get(options));
    assert!(
        is_protected && response.code == code::CONTENT,
        "{response:?}"
    );
    response
}

#[test]
fn a_secured_device_sends_its_token_and_its_limit_once() {
    let stage = stage("sticky-once");
    let (mut kitchen, _) = Device::enrol(&stage, &["add", "kitchen", "--oscore"]);
    let (mut roof, _) = Device::enrol(&stage, &["add", "roof", "--oscore"]);
    let token = (option::ACCESS_TOKEN, b"syt_one".as_slice());
    content(&mut kitchen, &[token, (LIMIT, &[3])]);
    content(&mut kitchen, &[]);
    assert_eq!(last(&stage), ("3".into(), Some("Bearer syt_one".into())));
    content(&mut kitchen, &[(LIMIT, &[7])]);
    content(&mut kitchen, &[(option::ACCESS_TOKEN, b"Bearer syt_two")]);
    content(&mut kitchen, &[]);
    assert_eq!(last(&stage), ("7".into(), Some("Bearer syt_two".into())));
    // Another device has neither.
    let (refused, _) = roof.ask(get(&[]));
    assert_eq!(refused.code, code::UNAUTHORIZED, "{refused:?}");
    // Nor has the same device with a new key.
    let (mut kitchen, _) = Device::enrol(&stage, &["rotate", "kitchen"]);
    let (refused, _) = kitchen.ask(get(&[]));
    assert_eq!(refused.code, code::UNAUTHORIZED, "{refused:?}");
    let log = stage.running.log();
    assert!(!log.contains("syt_"), "{log}");
}

#[test]
fn a_device_without_security_sends_them_every_time() {
    let mut stage = stage("sticky-plain");
    let token = (option::ACCESS_TOKEN, b"syt_one".as_slice());
    let first = stage.running.exchange(get(&[token, (LIMIT, &[3])]));
    assert_eq!(first.code, code::CONTENT, "{first:?}");
    assert_eq!(last(&stage), ("3".into(), Some("Bearer syt_one".into())));
    let second = stage.running.exchange(get(&[token]));
    assert_eq!(second.code, code::CONTENT, "{second:?}");
    assert_eq!(last(&stage).0, "10");
    let third = stage.running.exchange(get(&[]));
    assert_eq!(third.code, code::UNAUTHORIZED, "{third:?}");
}

#[test]
fn the_option_is_4_02_where_no_rule_understands_it_and_where_its_value_is_wrong() {
    let mut stage = stage("sticky-refused");
    let with =
        |path: &str, number: u16, value: &[u8]| request(code::GET, path).with_option(number, value);
    for refused in [
        with("time", LIMIT, &[3]),
        with(".well-known/core", LIMIT, &[3]),
        with("stream", 65_003, &[3]),
        with("stream", LIMIT, &[1, 2]),
        with("stream", LIMIT, &[1]).with_option(LIMIT, [2]),
        with("stream", LIMIT, &[0]),
    ] {
        let response = stage.running.exchange(refused.clone());
        assert_eq!(response.code, code::BAD_OPTION, "{refused:?}");
    }
    let (mut kitchen, _) = Device::enrol(&stage, &["add", "kitchen", "--oscore"]);
    let token = (option::ACCESS_TOKEN, b"syt_one".as_slice());
    content(&mut kitchen, &[token, (LIMIT, &[3])]);
    let (refused, _) = kitchen.ask(get(&[(LIMIT, &[0])]));
    assert_eq!(refused.code, code::BAD_OPTION, "{refused:?}");
    content(&mut kitchen, &[]);
    let forgotten = ("10".into(), Some("Bearer syt_one".into()));
    assert_eq!(
        last(&stage),
        forgotten,
        "the value is forgotten, the token not"
    );
}

#[test]
fn a_token_that_the_homeserver_refuses_is_forgotten() {
    let stage = stage("sticky-ended");
    let (mut kitchen, _) = Device::enrol(&stage, &["add", "kitchen", "--oscore"]);
    let (refused, _) = kitchen.ask(get(&[(option::ACCESS_TOKEN, b"ended")]));
    assert_eq!(refused.code, code::UNAUTHORIZED, "{refused:?}");
    let calls = stage.stub.received().len();
    let (refused, _) = kitchen.ask(get(&[]));
    assert_eq!(refused.code, code::UNAUTHORIZED, "{refused:?}");
    assert_eq!(
        stage.stub.received().len(),
        calls,
        "there is no token to try"
    );
}

#[test]
fn the_other_blocks_of_a_response_are_fetched_without_the_remembered_options() {
    let stage = stage("sticky-blocks");
    let (mut kitchen, _) = Device::enrol(&stage, &["add", "kitchen", "--oscore"]);
    let token = (option::ACCESS_TOKEN, b"syt_one".as_slice());
    let first = content(&mut kitchen, &[token, (LIMIT, &[3])]);
    let calls = stage.stub.received().len();
    let mut body = first.payload.clone();
    for number in 1.. {
        let block = Block {
            number,
            more: false,
            size_exponent: 2,
        };
        let part = content(&mut kitchen, &[(option::BLOCK2, &block.encode())]);
        assert_eq!(part.option(option::ETAG), first.option(option::ETAG));
        body.extend(&part.payload);
        let sent = part.option(option::BLOCK2).expect("a block");
        if !Block::decode(sent).expect("a block").more {
            break;
        }
    }
    assert!(
        body.ends_with(b"xxx\"}"),
        "{}",
        String::from_utf8_lossy(&body)
    );
    assert_eq!(stage.stub.received().len(), calls, "the blocks were stored");
}
