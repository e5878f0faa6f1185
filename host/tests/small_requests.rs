//! Requests as small stacks make them with their default settings: datagrams to the gateway with its socket.

use std::collections::BTreeMap;

use coap::{self, Datagram, Message, MessageType, Token, code, option};
use gateway::request::Gateway;

use crate::default_rule::{activate, engine, gateway_with};
use crate::exchange::request;
use crate::http_call::{homeserver, upstreams};
use crate::over_udp::{Client, PATIENCE, while_serving};
use crate::stub::{Reaction, Stub};

/// A gateway with the room `kitchen`.
fn with_kitchen(stub: &Stub) -> Gateway {
    let settings = BTreeMap::from([("room.kitchen".to_owned(), "!r:h".to_owned())]);
    let revision = activate(&engine(), &settings).unwrap_or_else(|error| panic!("{error}"));
    gateway_with(
        revision,
        upstreams(vec![homeserver(stub.url(), Some("configured"))]),
    )
}

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("it is hexadecimal");
    (0..hex.len()).step_by(2).map(digit).collect()
}

/// The bodies of the messages that these datagrams bring to the homeserver, each with 2.04 for its device.
async fn sent(datagrams: Vec<Vec<u8>>) -> Vec<String> {
    let stub = Stub::start(|_| Reaction::Json(200, r#"{"event_id":"$x"}"#.into()));
    let gateway = with_kitchen(&stub);
    while_serving(&gateway, PATIENCE, |address| async move {
        let client = Client::new(address).await;
        for datagram in datagrams {
            client.socket.send(&datagram).await.expect("it is sent");
            let response = client.receive().await;
            assert_eq!(response.message.code, code::CHANGED, "{response:?}");
        }
    })
    .await;
    let body = |content: &[u8]| {
        let content: serde_json::Value = serde_json::from_slice(content).expect("it is JSON");
        assert_eq!(content["msgtype"], "m.text");
        content["body"].as_str().expect("it has one").to_owned()
    };
    let received = stub.received();
    received.iter().map(|one| body(&one.body)).collect()
}

#[tokio::test]
async fn six_characters_to_a_room_with_a_name_take_at_most_29_bytes() {
    let message = request(code::PUT, "send/kitchen").with_payload("21.5 C");
    let datagram = |message_id, message| {
        coap::encode(&Datagram {
            message_type: MessageType::Confirmable,
            message_id,
            token: Token::new(&[1]).expect("it is short"),
            message,
        })
    };
    let text = message.clone().with_uint_option(option::CONTENT_FORMAT, 0);
    let datagrams = vec![datagram(1, text), datagram(2, message)];
    let lengths: Vec<_> = datagrams.iter().map(Vec::len).collect();
    assert!(lengths.iter().all(|length| *length <= 29), "{lengths:?}");
    assert_eq!(sent(datagrams).await, ["21.5 C", "21.5 C"]);
}

#[tokio::test]
async fn a_payload_without_content_format_is_what_it_is() {
    let put = "b473656e64076b69746368656e";
    let cases = [
        // A map, as RIOT's nanocoap_sock sends it.
        ("ffa2676d736774797065666d2e7465787464626f6479623231", "21"),
        ("ffa164626f6479623232", "22"),
        // `text/plain`, as RIOT's shell sends it.
        ("10ff3233", "23"),
        // A text string of CBOR, with its format and without.
        ("113cff623234", "24"),
        ("ff623235", "25"),
        // An object of JSON, and text.
        ("ff7b22626f6479223a223236227d", "26"),
        ("ff32372043", "27 C"),
    ];
    let datagrams = cases.iter().enumerate();
    let datagrams =
        datagrams.map(|(index, (rest, _))| bytes(&format!("4003{index:04x}{put}{rest}")));
    let expected = cases.map(|(_, body)| body);
    assert_eq!(sent(datagrams.collect()).await, expected);
}

#[tokio::test]
async fn a_device_that_accepts_text_gets_the_body_alone() {
    let page = r#"{"chunk":[{"type":"m.room.message","sender":"@a:h","content":{"msgtype":"m.text","body":"on"}}]}"#;
    let stub = Stub::start(|_| Reaction::Json(200, page.into()));
    let gateway = with_kitchen(&stub);
    while_serving(&gateway, PATIENCE, |address| async move {
        let get = request(code::GET, "getmsg/kitchen").with_uint_option(option::ACCEPT, 0);
        let response = Client::new(address).await.request(get).await.message;
        let expected = Message::new(code::CONTENT)
            .with_uint_option(option::CONTENT_FORMAT, 0)
            .with_uint_option(option::MAX_AGE, 0)
            .with_payload("on");
        assert_eq!(response, expected);
    })
    .await;
}
