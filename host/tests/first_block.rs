//! A request in blocks is judged with its first block: what cannot succeed need not be sent whole.

use coap::{Block, Message, code, option};
use gateway::request::Gateway;
use homeserver::Upstreams;

use crate::captured::Captured;
use crate::default_rule::{gateway_with, revision};
use crate::exchange::request;
use crate::http_call::{homeserver, settings};
use crate::observing_device::Device;
use crate::over_udp::{PATIENCE, while_serving};
use crate::stub::{Reaction, Stub};

/// Only the device 127.0.0.1 may use the gateway's token.
fn gateway(stub: &Stub) -> Gateway {
    let mut settings = settings(vec![homeserver(stub.url(), Some("configured"))]);
    settings.token_peers = vec!["127.0.0.1/32".parse().expect("it is a prefix")].into();
    let upstreams = Upstreams::new(settings).expect("no file is read");
    gateway_with(revision(), upstreams)
}

fn stub() -> Stub {
    Stub::start(|_| Reaction::Json(200, r#"{"event_id":"$x"}"#.into()))
}

/// A block of 16 bytes of a message in text.
fn block(message: Message, number: u32, more: bool) -> Message {
    let block = Block {
        number,
        more,
        size_exponent: 0,
    };
    let text = "sixteen bytes of";
    message
        .with_option(option::BLOCK1, block.encode())
        .with_payload(if more { text } else { " a message" })
}

fn send() -> Message {
    request(code::PUT, "send/!r:h/7")
}

#[tokio::test]
async fn what_the_options_forbid_is_refused_with_the_first_block() {
    let stub = stub();
    let gateway = gateway(&stub);
    let proxied = |uri: &str| Message::new(code::PUT).with_option(option::PROXY_URI, uri);
    let cases = [
        (
            "format",
            send().with_uint_option(option::CONTENT_FORMAT, 42),
            "4.15",
        ),
        ("path", request(code::PUT, "nothing"), "4.04"),
        ("dots", request(code::PUT, "send/.."), "4.00"),
        ("method", request(code::POST, "send/!r:h/7"), "4.05"),
        (
            "accept",
            send().with_uint_option(option::ACCEPT, 42),
            "4.06",
        ),
        (
            "precondition",
            send().with_option(option::IF_MATCH, "a"),
            "4.12",
        ),
        (
            "token",
            send().with_option(option::ACCESS_TOKEN, "a\nb"),
            "4.00",
        ),
        (
            "homeserver",
            proxied("http://192.0.2.9/9/!r:h/m.room.message/7"),
            "5.05",
        ),
        ("no resource", proxied(&format!("{}5", stub.url())), "5.05"),
        (
            "size",
            send().with_uint_option(option::SIZE1, 1 << 20),
            "4.13",
        ),
        ("right", send(), "4.01"),
    ];
    while_serving(&gateway, PATIENCE, |address| async move {
        for (what, message, expected) in cases {
            let at = match what {
                "right" => "127.0.0.2",
                _ => "127.0.0.1",
            };
            let mut device = Device::at(at, address).await;
            let first = block(message.clone(), 0, true);
            let response = device.ask("1", first).await.message;
            let found = code::Dotted(response.code).to_string();
            assert_eq!(found, expected, "{what}: {response:?}");
            let next = device.ask("2", block(message, 1, true)).await.message;
            assert!(code::class(next.code) == 4, "{what}: the body is dropped");
        }
    })
    .await;
    assert_eq!(stub.connections(), 0);
}

#[tokio::test]
async fn a_message_that_may_succeed_arrives_whole() {
    let stub = stub();
    let gateway = gateway(&stub);
    while_serving(&gateway, PATIENCE, |address| async move {
        for (at, token) in [("127.0.0.1", None), ("127.0.0.2", Some("own"))] {
            let message = match token {
                Some(token) => send().with_option(option::ACCESS_TOKEN, token),
                None => send(),
            };
            let mut device = Device::at(at, address).await;
            let first = device.ask("1", block(message.clone(), 0, true)).await;
            assert_eq!(first.message.code, code::CONTINUE, "{first:?}");
            let last = device.ask("2", block(message, 1, false)).await;
            assert_eq!(last.message.code, code::CHANGED, "{last:?}");
        }
    })
    .await;
    let expected = br#"{"msgtype":"m.text","body":"sixteen bytes of a message"}"#;
    let received = stub.received();
    assert_eq!(received.len(), 2);
    assert!(received.iter().all(|one| one.body == expected));
}

#[tokio::test]
async fn a_refused_first_block_is_in_the_log_with_its_path_and_the_setting_that_would_help() {
    let stub = stub();
    let gateway = gateway(&stub);
    let captured = Captured::start();
    while_serving(&gateway, PATIENCE, |address| async move {
        let mut device = Device::at("127.0.0.2", address).await;
        let response = device.ask("1", block(send(), 0, true)).await.message;
        assert_eq!(response.code, code::UNAUTHORIZED);
    })
    .await;
    let log = captured.text();
    assert!(log.contains("send/!r:h/7") && log.contains("4.01"), "{log}");
    assert!(log.contains("token_peers"), "{log}");
}
