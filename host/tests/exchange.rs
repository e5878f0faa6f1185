//! Exchanges through the whole gateway without its socket: a request in, a response out.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU16, Ordering::Relaxed};
use std::time::{Duration, Instant};

use coap::{Message, MessageType, Token, code, option};
use gateway::request::{Gateway, GatewayError, Request, Source};
use homeserver::Homeserver;

use crate::default_rule::{calls, gateway};
use crate::http_call::homeserver;
use crate::stub::{Reaction, Stub};

/// `CBOR` of `{"msgtype":"m.text","body":"x"}`.
pub const TEXT: &[u8] = b"\xa2\x67msgtype\x66m.text\x64body\x61x";

/// A request for a path.
pub fn request(method: u8, path: &str) -> Message {
    path.split('/')
        .fold(Message::new(method), |message, segment| {
            message.with_option(option::URI_PATH, segment)
        })
}

/// A message to the room `!r:h` by the short form.
pub fn send() -> Message {
    send_to("send/!r:h/7")
}

/// A message by this path.
pub fn send_to(path: &str) -> Message {
    request(code::PUT, path)
        .with_uint_option(option::CONTENT_FORMAT, 60)
        .with_payload(TEXT)
}

/// The gateway's response to a device at this address.
pub async fn response_to(gateway: &Gateway, peer: &str, message: Message) -> Message {
    gateway.respond(incoming(peer, message)).await.message
}

fn incoming(peer: &str, message: Message) -> Request {
    static MESSAGE_ID: AtomicU16 = AtomicU16::new(0);
    let peer: SocketAddr = peer.parse().expect("it is an address");
    let host = match peer.ip() {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits() as u64,
    };
    Request {
        peer: Source {
            device: contract::Peer::unauthenticated(peer),
            owner: share::Owner::new(host, None),
            facts: coap::PeerFacts {
                is_proven: true,
                ..coap::PeerFacts::default()
            },
            session: None,
            local: "192.0.2.1:5683".parse().ok(),
        },
        observes: false,
        multicast: false,
        message_type: MessageType::Confirmable,
        message_id: MESSAGE_ID.fetch_add(1, Relaxed),
        token: Token::default(),
        message,
        wire_bytes: 20,
    }
}

pub async fn response(gateway: &Gateway, message: Message) -> Message {
    response_to(gateway, "[::ffff:127.0.0.1]:5683", message).await
}

fn text(message: &Message) -> String {
    String::from_utf8(message.payload.clone()).expect("it is text")
}

/// Sets the deadline of exchanges.
pub fn within(gateway: &Gateway, deadline: Duration) {
    gateway
        .snapshots
        .update(|snapshot| snapshot.deadline = deadline);
}

fn sends_events() -> Stub {
    Stub::start(|_| Reaction::Json(200, r#"{"event_id":"$x"}"#.into()))
}

fn only(stub: &Stub) -> Vec<Homeserver> {
    vec![homeserver(stub.url(), Some("configured"))]
}

#[tokio::test]
async fn every_time_request_calls_the_component_once() {
    let stub = Stub::content();
    let gateway = gateway(only(&stub));
    let before = calls(&gateway);
    for _ in 0..200 {
        let response = response(&gateway, request(code::GET, "time")).await;
        assert_eq!(response.code, code::CONTENT);
        assert!(text(&response).bytes().all(|byte| byte.is_ascii_digit()));
        assert_eq!(response.uint_option(option::MAX_AGE), Some(0));
    }
    assert_eq!(calls(&gateway) - before, 200);
}

#[tokio::test]
async fn a_message_takes_two_calls_of_the_component_and_one_of_the_homeserver() {
    let stub = sends_events();
    let gateway = gateway(only(&stub));
    let before = calls(&gateway);
    let response = response(&gateway, send()).await;
    assert_eq!(response.code, code::CHANGED, "{}", text(&response));
    assert_eq!(response.payload, b"\xa1\x68event_id\x62$x");
    assert_eq!(response.uint_option(option::CONTENT_FORMAT), Some(60));
    assert_eq!(calls(&gateway) - before, 2);
    let received = stub.only();
    let (path, id) = received.target.rsplit_once('/').expect("it is a path");
    assert_eq!(
        (received.method.as_str(), path, id.len()),
        (
            "PUT",
            "/_matrix/client/v3/rooms/!r:h/send/m.room.message",
            32
        )
    );
    assert_eq!(received.body, br#"{"msgtype":"m.text","body":"x"}"#);
}

#[tokio::test]
async fn without_a_transaction_each_exchange_has_its_own() {
    let stub = sends_events();
    let gateway = gateway(only(&stub));
    for _ in 0..2 {
        let message = request(code::PUT, "send/!r:h")
            .with_uint_option(option::CONTENT_FORMAT, 60)
            .with_payload(TEXT);
        assert_eq!(response(&gateway, message).await.code, code::CHANGED);
    }
    let received = stub.received();
    let transaction = |index: usize| received[index].target.rsplit('/').next().map(str::to_owned);
    assert_eq!(transaction(0).map(|id| id.len()), Some(32));
    assert_ne!(transaction(0), transaction(1));
}

#[tokio::test]
async fn the_host_attaches_the_devices_token_and_prefers_it_to_the_configured_one() {
    let stub = sends_events();
    let gateway = gateway(only(&stub));
    for (token, header) in [
        (Some("own"), "Bearer own"),
        (Some("Bearer own"), "Bearer own"),
        (None, "Bearer configured"),
    ] {
        let message = match token {
            Some(token) => send().with_option(option::ACCESS_TOKEN, token),
            None => send(),
        };
        assert_eq!(response(&gateway, message).await.code, code::CHANGED);
        let last = stub.received().pop().expect("it was sent");
        assert_eq!(last.header("authorization"), Some(header));
        assert!(!String::from_utf8_lossy(&last.body).contains("own"));
    }
}

#[tokio::test]
async fn a_peer_that_may_not_use_the_configured_token_is_4_01() {
    let stub = sends_events();
    let gateway = gateway(only(&stub));
    for peer in [
        "192.0.2.1:5683",
        "[::ffff:192.0.2.1]:5683",
        "[2001:db8::1]:5683",
    ] {
        let response = response_to(&gateway, peer, send()).await;
        assert_eq!(response.code, code::UNAUTHORIZED, "{peer}");
    }
    assert_eq!(stub.connections(), 0);
}

#[tokio::test]
async fn logout_never_takes_the_configured_token() {
    let stub = Stub::content();
    let gateway = gateway(only(&stub));
    let response = response(&gateway, request(code::POST, "logout")).await;
    assert_eq!(response.code, code::UNAUTHORIZED);
    assert_eq!(stub.connections(), 0);
}

#[tokio::test]
async fn a_proxy_uri_chooses_among_the_configured_homeservers() {
    let (first, second) = (Stub::content(), sends_events());
    let gateway = gateway(vec![
        homeserver(first.url(), Some("of-the-first")),
        homeserver(second.url(), None),
    ]);
    let message = request(code::PUT, "send")
        .with_uint_option(option::CONTENT_FORMAT, 60)
        .with_payload(TEXT)
        // libcoap adds these.
        .with_option(option::URI_HOST, "127.0.0.1")
        .with_uint_option(option::URI_PORT, 5683)
        .with_uint_option(option::HOP_LIMIT, 16)
        .with_option(
            option::PROXY_URI,
            format!("{}9/!r%3Ah/m.room.message/1", second.url()),
        );
    let without = response(&gateway, message.clone()).await;
    assert_eq!(without.code, code::UNAUTHORIZED, "the other's token stays");
    let with = message.with_option(option::ACCESS_TOKEN, "own");
    assert_eq!(response(&gateway, with).await.code, code::CHANGED);
    assert_eq!(second.only().header("authorization"), Some("Bearer own"));
    assert_eq!(first.connections(), 0);
}

#[tokio::test]
async fn a_silent_homeserver_is_5_04_when_the_deadline_has_passed() {
    let stub = Stub::start(|_| Reaction::Silence);
    let gateway = gateway(only(&stub));
    within(&gateway, Duration::from_millis(300));
    let began = Instant::now();
    let response = response(&gateway, send()).await;
    assert_eq!(response.code, code::GATEWAY_TIMEOUT);
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn the_deadline_is_for_all_calls_of_an_exchange_together() {
    let picture = r#"{"type":"m.room.message","sender":"@a:h","content":{"msgtype":"m.image"}}"#;
    let stub = Stub::start(move |_| {
        std::thread::sleep(Duration::from_millis(150));
        Reaction::Json(200, format!(r#"{{"chunk":[{picture}],"end":"e"}}"#))
    });
    let gateway = gateway(only(&stub));
    within(&gateway, Duration::from_millis(400));
    let response = response(&gateway, request(code::GET, "getmsg/!r:h")).await;
    assert_eq!(response.code, code::GATEWAY_TIMEOUT);
    assert!(stub.received().len() <= 3, "{}", stub.received().len());
}

#[tokio::test]
async fn a_gateway_that_stops_responds_with_a_max_age_for_the_retry() {
    let request = incoming("[::1]:5683", request(code::GET, "time"));
    let response = gateway(Vec::new()).reject(&request, &GatewayError::Draining);
    assert_eq!(response.code, code::SERVICE_UNAVAILABLE);
    assert!(response.uint_option(option::MAX_AGE) > Some(0));
    assert!(!response.payload.is_empty());
}
