//! Bodies beyond one datagram, beyond ASCII, and in JSON.

use comatrix_tests::aiocoap::Aiocoap;
use comatrix_tests::device::{JSON, Request, Spelling, option};
use serde_json::{Value, json};

use crate::stage::{self, Room, synapse};

fn comes_through_and_back(body: &str) {
    let room = Room::new();
    let mut device = Aiocoap::start(stage::over_ipv6());
    let sent = device.request(&room.send(&synapse().origin, "txn1", body));
    assert_eq!(sent.code, "2.04", "{sent:?}");
    assert!(room.newest() == body, "the room has another body");
    let read = device.request(&room.getmsg(&synapse().origin));
    assert_eq!(read.code, "2.05", "{}", read.text());
    assert!(read.field("body") == body, "the device got another body");
}

/// Text of this many bytes that no block boundary repeats.
fn text_of(length: usize) -> String {
    let mut text: String = (0..length).map(|number| format!("{number} ")).collect();
    text.truncate(length);
    text
}

#[test]
fn a_body_of_5000_bytes_comes_through_in_blocks_and_back() {
    comes_through_and_back(&text_of(5_000));
}

#[test]
fn a_body_of_60000_bytes_comes_through_in_blocks_and_back() {
    comes_through_and_back(&text_of(60_000));
}

#[test]
fn a_body_of_60000_bytes_of_cyrillic_comes_through_and_back() {
    // Synapse writes each letter as \uXXXX: 180,000 bytes on their way back.
    comes_through_and_back(&"я".repeat(30_000));
}

#[test]
fn a_body_of_many_scripts_comes_through_and_back() {
    comes_through_and_back(
        "Grüße, 温度は21°です, مرحبا, 🌡️ \u{10ffff} \"quoted\" \\ / \n\t\u{7f}\u{2028}",
    );
}

#[test]
fn a_body_above_the_limit_is_refused_with_4_13() {
    let room = Room::new();
    let mut device = Aiocoap::start(stage::over_ipv4());
    let response = device.request(&room.send(&synapse().origin, "txn1", &text_of(200_000)));
    assert_eq!(response.code, "4.13", "{response:?}");
}

#[test]
fn every_value_of_json_arrives_in_the_event_as_it_was_sent() {
    let room = Room::new();
    let mut device = Aiocoap::start(stage::over_ipv4());
    let content = json!({
        "msgtype": "m.text", "body": "values", "integers": [0, -1, 23, 24, 255, 256, 65_536, 9_007_199_254_740_991_i64],
        "empty": {}, "list": [], "nothing": null, "yes": true, "no": false, "deep": [[[{ "é": "" }]]],
    });
    let send = Request::new("PUT", "/send")
        .proxy_uri(&Spelling::Full.send(&synapse().origin, &room.room_id, "txn1"))
        .token(&room.device.access_token)
        .cbor(content.clone());
    assert_eq!(device.request(&send).code, "2.04");
    let message = room.person.messages(&room.room_id).remove(0);
    for (name, value) in content.as_object().expect("it is a map") {
        assert_eq!(&message[name], value, "{name}");
    }
}

#[test]
fn a_float_is_refused_by_the_homeserver_and_its_reason_reaches_the_device() {
    let room = Room::new();
    let mut device = Aiocoap::start(stage::over_ipv4());
    let send = Request::new("PUT", "/send")
        .proxy_uri(&Spelling::Short.send(&synapse().origin, &room.room_id, "txn1"))
        .token(&room.device.access_token)
        .cbor(json!({ "msgtype": "m.text", "body": "21.5", "celsius": 21.5 }));
    let response = device.request(&send);
    assert_eq!(
        (response.code.as_str(), response.field("errcode").as_str()),
        ("4.00", "M_BAD_JSON"),
        "{response:?}"
    );
}

#[test]
fn json_is_taken_and_given_where_a_device_prefers_it() {
    let room = Room::new();
    let mut device = Aiocoap::start(stage::over_ipv4());
    let send = Request::new("PUT", "/send")
        .proxy_uri(&Spelling::Short.send(&synapse().origin, &room.room_id, "txn1"))
        .token(&room.device.access_token)
        .bytes(
            r#"{"msgtype":"m.text","body":"in JSON: é"}"#.as_bytes(),
            Some(JSON),
        )
        .accept(JSON);
    let sent = device.request(&send);
    assert_eq!(
        (sent.code.as_str(), sent.number(option::CONTENT_FORMAT)),
        ("2.04", Some(JSON.into())),
        "{sent:?}"
    );
    let body: Value = serde_json::from_slice(&sent.payload).expect("JSON was asked for");
    assert!(body["event_id"].is_string(), "{body}");
    assert_eq!(room.newest(), "in JSON: é");
    let read = device.request(&room.getmsg(&synapse().origin).accept(JSON));
    let body: Value = serde_json::from_slice(&read.payload).expect("JSON was asked for");
    assert_eq!(
        body,
        json!({ "sender": room.device.user_id, "body": "in JSON: é" })
    );
}
