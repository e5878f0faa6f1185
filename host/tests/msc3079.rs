//! The rule for low-bandwidth Matrix as the component that the gateway carries, alone and beside the default rule.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use coap::{Message, code, option};
use comatrix_sdk::vectors::cases;
use contract::Mismatch;
use gateway::request::Gateway;
use runtime::{MSC3079_RULE, MountTable, Mounted, Revision, RuleLimits, self_test};

use crate::default_rule;
use crate::exchange::{request, response};
use crate::http_call::homeserver;
use crate::stub::{Reaction, Stub};

/// Bytes of the component: every one is mapped on a border router.
const LARGEST: usize = 220 * 1024;

fn revision(limits: RuleLimits) -> Revision {
    let engine = default_rule::engine();
    let settings = BTreeMap::new();
    default_rule::activate_rule(&engine, None, "msc3079", MSC3079_RULE, settings, limits)
        .unwrap_or_else(|error| panic!("{error}"))
}

fn at_root(revision: Revision) -> Mounted {
    Mounted {
        mount: Vec::new(),
        revision: Arc::new(revision),
    }
}

/// The default rule and this one, in the order of a configuration.
fn both() -> MountTable {
    let rules = vec![
        at_root(default_rule::revision()),
        at_root(revision(default_rule::limits())),
    ];
    MountTable::new(rules).unwrap_or_else(|error| panic!("{error}"))
}

fn gateway(stub: &Stub) -> Gateway {
    let gateway = default_rule::gateway(vec![homeserver(stub.url(), Some("configured"))]);
    default_rule::swap(&gateway, both());
    gateway
}

fn with_token(message: Message) -> Message {
    message.with_option(option::ACCESS_TOKEN, "devices-own")
}

#[test]
fn the_component_is_small() {
    let size = MSC3079_RULE.len();
    assert!(size <= LARGEST, "{size} bytes");
}

#[test]
fn every_case_ends_as_its_files_say() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let vectors = cases(&workspace.join("guest/msc3079/vectors"));
    let vectors = vectors.unwrap_or_else(|error| panic!("{error}"));
    let passed = self_test(&revision(default_rule::limits()), &vectors);
    assert!(passed.unwrap_or_else(|error| panic!("{error}")) > 90);
}

#[test]
fn beside_the_default_rule_each_has_its_own_paths() {
    let table = both();
    let rule = |path: &[&str], method| {
        table
            .find(path, method)
            .map(|(rule, _)| rule.name().to_owned())
    };
    for (path, method, expected) in [
        (&["login"][..], code::POST, "comatrix"),
        (&["send", "!r:h", "1"], code::PUT, "comatrix"),
        (&["1"], code::POST, "msc3079"),
        (&["9", "!r:h", "m.room.message", "1"], code::PUT, "msc3079"),
        (&["7"], code::GET, "msc3079"),
        (&["_matrix", "client", "versions"], code::GET, "msc3079"),
        (&["8", "!r:h", "m.room.name", ""], code::PUT, "msc3079"),
        (&["send", "a", "b", "c"], code::PUT, "msc3079"),
    ] {
        assert_eq!(rule(path, method).as_deref(), Ok(expected), "{path:?}");
    }
    // The default rule's resource is not the other one's with another method.
    assert_eq!(rule(&["login"], code::GET), Err(Mismatch::Method));
    assert_eq!(rule(&["7"], code::FETCH), Err(Mismatch::Method));
}

#[tokio::test]
async fn a_message_by_code_reaches_the_homeserver_with_the_devices_token() {
    let stub = Stub::start(|_| Reaction::Json(200, r#"{"event_id":"$x"}"#.into()));
    let message = request(code::PUT, "9/!r:h/m.room.message/1")
        .with_uint_option(option::CONTENT_FORMAT, 60)
        .with_payload(b"\xa2\x18\x1b\x622C\x18\x1c\x66m.text");
    let response = response(&gateway(&stub), with_token(message)).await;
    assert_eq!(
        (response.code, &*response.payload),
        (code::CONTENT, &b"\xa1\x01\x62$x"[..])
    );
    let received = stub.only();
    assert_eq!(
        received.target,
        "/_matrix/client/r0/rooms/!r:h/send/m.room.message/1"
    );
    assert_eq!(received.body, br#"{"body":"2C","msgtype":"m.text"}"#);
    assert_eq!(received.header("authorization"), Some("Bearer devices-own"));
}

#[tokio::test]
async fn a_device_without_a_token_does_not_get_the_gateways() {
    let stub = Stub::content();
    let response = response(&gateway(&stub), request(code::GET, "7")).await;
    assert_eq!(response.code, code::UNAUTHORIZED);
    assert_eq!(stub.received().len(), 0);
}

#[tokio::test]
async fn a_slash_at_the_end_of_a_path_arrives_and_other_empty_segments_are_refused() {
    let stub = Stub::content();
    let gateway = gateway(&stub);
    for path in ["n", "_matrix/client/r0/pushrules/"] {
        let response = response(&gateway, with_token(request(code::GET, path))).await;
        assert_eq!(response.code, code::CONTENT, "{path}");
    }
    let state = request(code::GET, "_matrix/client/v3/rooms/!r:h/state/m.room.name/");
    assert_eq!(
        response(&gateway, with_token(state)).await.code,
        code::CONTENT
    );
    let targets: Vec<String> = stub.received().into_iter().map(|one| one.target).collect();
    let rules = "/_matrix/client/r0/pushrules/";
    let state = "/_matrix/client/v3/rooms/!r:h/state/m.room.name/";
    assert_eq!(targets, [rules, rules, state]);
    for path in ["_matrix/client//sync", "8/!r:h//", "sent/", "join/"] {
        let response = response(&gateway, with_token(request(code::GET, path))).await;
        assert_eq!(response.code >> 5, 4, "{path}");
    }
    assert_eq!(stub.received().len(), 3);
}

#[tokio::test]
async fn nothing_but_the_client_server_api_is_reached() {
    let stub = Stub::content();
    let gateway = gateway(&stub);
    for path in [
        "AAA",
        "_synapse/admin/v1/users",
        "_matrix/federation/v1/version",
        "_matrix/client",
    ] {
        let response = response(&gateway, with_token(request(code::GET, path))).await;
        assert_eq!(response.code, code::NOT_FOUND, "{path}");
    }
    assert_eq!(stub.received().len(), 0);
}

/// A sync of about `bytes` bytes of JSON.
fn sync(bytes: usize) -> String {
    let event = r#"{"type":"m.room.message","event_id":"$143273582443PhrSn:example.org","sender":"@a:example.org",
        "origin_server_ts":1432735824653,"content":{"msgtype":"m.text","body":"21.5 C"},"unsigned":{"age":1234}}"#;
    let events = vec![event; bytes / (event.len() + 1)].join(",");
    format!(
        r#"{{"next_batch":"s1","rooms":{{"join":{{"!r:h":{{"timeline":{{"events":[{events}]}}}}}}}}}}"#
    )
}

#[tokio::test]
async fn an_answer_up_to_its_bound_arrives_and_a_larger_one_is_5_02_with_the_limit() {
    for (bytes, expected) in [(400 << 10, code::CONTENT), (1000 << 10, code::BAD_GATEWAY)] {
        let stub = Stub::start(move |_| Reaction::Json(200, sync(bytes)));
        let gateway = default_rule::gateway(vec![homeserver(stub.url(), None)]);
        let table = MountTable::new(vec![at_root(revision(default_rule::limits()))]);
        default_rule::swap(&gateway, table.unwrap_or_else(|error| panic!("{error}")));
        let sync = request(code::GET, "7").with_uint_option(257, 1);
        let response = response(&gateway, with_token(sync)).await;
        let text = String::from_utf8_lossy(&response.payload);
        assert_eq!(
            response.code,
            expected,
            "{bytes}: {}",
            &text[..text.len().min(100)]
        );
        if expected == code::BAD_GATEWAY {
            assert!(text.contains("answer_bytes"), "{text}");
        }
    }
}
