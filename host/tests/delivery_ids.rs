//! The transaction ids that the homeserver gets, through the whole gateway.

use std::collections::BTreeSet;

use coap::{Message, code, option};
use gateway::request::Gateway;

use crate::default_rule::gateway;
use crate::exchange::{TEXT, request, response_to, send_to};
use crate::http_call::homeserver;
use crate::stub::{Reaction, Stub};

const DEVICE: &str = "127.0.0.1:5683";

fn stage() -> (Gateway, Stub) {
    let stub = Stub::start(|_| Reaction::Json(200, r#"{"event_id":"$x"}"#.into()));
    let gateway = gateway(vec![homeserver(stub.url(), Some("configured"))]);
    (gateway, stub)
}

fn with_token(message: Message, token: &str) -> Message {
    message.with_option(option::ACCESS_TOKEN, token)
}

/// The transaction ids of these messages, in their order.
async fn ids(messages: impl IntoIterator<Item = (&str, Message)>) -> Vec<String> {
    let (gateway, stub) = stage();
    for (peer, message) in messages {
        let response = response_to(&gateway, peer, message).await;
        assert_eq!(response.code, code::CHANGED, "{response:?}");
    }
    let received = stub.received().into_iter();
    let id = |target: &str| target.rsplit('/').next().unwrap().to_owned();
    received.map(|received| id(&received.target)).collect()
}

#[tokio::test]
async fn a_message_with_the_same_transaction_room_and_content_from_one_device_has_one_id() {
    let message = || send_to("send/!r:h/7");
    let by_proxy_uri = |stub: &Stub| {
        let uri = format!("{}9/!r:h/m.room.message/7", stub.url());
        send_to("send").with_option(option::PROXY_URI, uri)
    };
    let (gateway, stub) = stage();
    // A device that has started again sends from another port.
    for (peer, message) in [
        (DEVICE, message()),
        (DEVICE, message()),
        ("127.0.0.1:49152", message()),
        (DEVICE, by_proxy_uri(&stub)),
    ] {
        let response = response_to(&gateway, peer, message).await;
        assert_eq!(response.code, code::CHANGED);
    }
    let received = stub.received();
    assert_eq!(received.len(), 4);
    let targets: BTreeSet<_> = received.iter().map(|received| &received.target).collect();
    assert_eq!(targets.len(), 1, "{targets:?}");
    let id = received[0].target.rsplit('/').next().unwrap();
    assert!(
        id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{id}"
    );
}

#[tokio::test]
async fn any_other_message_has_another_id() {
    let text = |text: &str| {
        request(code::PUT, "send/!r:h/7")
            .with_uint_option(option::CONTENT_FORMAT, 0)
            .with_payload(text.as_bytes())
    };
    let ids = ids([
        (DEVICE, send_to("send/!r:h/7")),
        (DEVICE, send_to("send/!r:h/8")),
        (DEVICE, send_to("send/!s:h/7")),
        (DEVICE, text("y")),
        ("127.0.0.2:5683", send_to("send/!r:h/7")),
        (DEVICE, with_token(send_to("send/!r:h/7"), "syt_a")),
        (DEVICE, with_token(send_to("send/!r:h/7"), "syt_b")),
    ])
    .await;
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 7, "{ids:?}");
}

#[tokio::test]
async fn one_content_in_two_formats_is_one_message() {
    let json = request(code::PUT, "send/!r:h/7")
        .with_uint_option(option::CONTENT_FORMAT, 50)
        .with_payload(br#"{"msgtype":"m.text","body":"x"}"#);
    let cbor = request(code::PUT, "send/!r:h/7")
        .with_uint_option(option::CONTENT_FORMAT, 60)
        .with_payload(TEXT);
    let ids = ids([(DEVICE, json), (DEVICE, cbor)]).await;
    assert_eq!(ids[0], ids[1]);
}
