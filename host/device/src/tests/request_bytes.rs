//! Command lines and the exact datagrams that they send. The expected bytes come from other implementations of CoAP
//! and CBOR (aiocoap and cbor2), for the requests that devices in the field send.

use super::plan;
use coap::option::{PROXY_URI, URI_PATH};
use coap::{Datagram, Message, MessageType, Token, encode};

/// Command line, whether the environment has secrets, datagram with message ID 0x1234 and token 0xaabb.
const CASES: [(&str, bool, &str); 11] = [
    (
        "register --user ann --homeserver http://localhost:8008",
        true,
        "42021234aabbb87265676973746572113cdd0a0a687474703a2f2f6c6f63616c686f73743a383030382f34ffa3687573\
         65726e616d6563616e6e6870617373776f72646270776461757468a164747970656d6d2e6c6f67696e2e64756d6d79",
    ),
    (
        "login --user ann --full --homeserver http://localhost:8008",
        true,
        "42021234aabbb56c6f67696e113cdd0a20687474703a2f2f6c6f63616c686f73743a383030382f5f6d61747269782f63\
         6c69656e742f72302f6c6f67696effa36474797065706d2e6c6f67696e2e70617373776f72646a6964656e7469666965\
         72a26474797065696d2e69642e75736572647573657263616e6e6870617373776f7264627077",
    ),
    (
        "join !r:h --homeserver http://localhost:8008",
        true,
        "42021234aabbb46a6f696edd0b0f687474703a2f2f6c6f63616c686f73743a383030382f4b2f21723a68d3d0746f6b",
    ),
    (
        "send !r:h hi --txn t1 --homeserver http://localhost:8008",
        true,
        "42031234aabbb473656e64113cdd0a21687474703a2f2f6c6f63616c686f73743a383030382f392f21723a682f6d2e72\
         6f6f6d2e6d6573736167652f7431d3d0746f6bffa2676d736774797065666d2e7465787464626f6479626869",
    ),
    (
        "send --room !r:h --message hi --txn t1",
        true,
        "42031234aabbb473656e640421723a68027431113cd3e7746f6bffa2676d736774797065666d2e7465787464626f6479\
         626869",
    ),
    (
        "send !r:h hi",
        false,
        "42031234aabbb473656e640421723a68113cffa2676d736774797065666d2e7465787464626f6479626869",
    ),
    (
        "getmsg --room !r:h --homeserver http://localhost:8008/",
        true,
        "42011234aabbb66765746d7367dd0b0f687474703a2f2f6c6f63616c686f73743a383030382f452f21723a68d3d0746f\
         6b",
    ),
    (
        "getmsg !r:h --full --homeserver http://localhost:8008",
        true,
        "42011234aabbb66765746d7367dd0b3c687474703a2f2f6c6f63616c686f73743a383030382f5f6d61747269782f636c\
         69656e742f72302f726f6f6d732f21723a682f6d657373616765733f6469723d62266c696d69743d31d3d0746f6b",
    ),
    (
        "getmsg kitchen",
        false,
        "42011234aabbb66765746d7367076b69746368656e",
    ),
    ("time", true, "42011234aabbb474696d65"),
    (
        "logout --homeserver http://localhost:8008",
        true,
        "42021234aabbb66c6f676f7574dd0b0a687474703a2f2f6c6f63616c686f73743a383030382f33d3d0746f6b",
    ),
];

fn message(line: &str) -> Message {
    let plan = plan(line, true).unwrap_or_else(|error| panic!("{line}: {error}"));
    plan.request
        .message("new-txn")
        .unwrap_or_else(|error| panic!("{line}: {error}"))
}

fn proxy_uri(line: &str) -> String {
    String::from_utf8(message(line).option(PROXY_URI).unwrap_or_default().to_vec()).expect("text")
}

#[test]
fn each_command_sends_exactly_the_bytes_of_the_devices_in_the_field() {
    for (line, secrets, expected) in CASES {
        let plan = plan(line, secrets).expect(line);
        let datagram = Datagram {
            message_type: MessageType::Confirmable,
            message_id: 0x1234,
            token: Token::new(&[0xaa, 0xbb]).expect("short"),
            message: plan.request.message("new-txn").expect(line),
        };
        let bytes: String = encode(&datagram)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(bytes, expected, "{line}");
    }
}

#[test]
fn a_transaction_id_is_made_if_the_proxy_uri_needs_one_and_the_command_line_has_none() {
    let new = proxy_uri("send !r:h hi --homeserver http://h");
    assert_eq!(new, "http://h/9/!r:h/m.room.message/new-txn");
    let from_the_user = proxy_uri("send !r:h hi --txn 7 --homeserver http://h");
    assert_eq!(from_the_user, "http://h/9/!r:h/m.room.message/7");
    let left_to_the_gateway = message("send !r:h hi");
    assert!(
        left_to_the_gateway
            .options(URI_PATH)
            .eq([b"send".as_slice(), b"!r:h"])
    );
}

#[test]
fn an_alias_is_percent_encoded_in_the_proxy_uri_and_literal_in_the_path() {
    assert_eq!(
        proxy_uri("join #kitchen:h --homeserver http://h"),
        "http://h/K/%23kitchen:h"
    );
    let plain = message("join #kitchen:h");
    assert_eq!(
        plain.options(URI_PATH).nth(1),
        Some(b"#kitchen:h".as_slice())
    );
    assert_eq!(plain.option(PROXY_URI), None);
}

#[test]
fn options_are_accepted_before_and_after_the_command() {
    let before = plan("--gateway coap://[::1]:61616 --non time", false).expect("a plan");
    let after = plan("time --gateway coap://[::1]:61616 --non", false).expect("a plan");
    assert_eq!(before.gateway, after.gateway);
    assert!(!before.settings.confirmable && !after.settings.confirmable);
}
