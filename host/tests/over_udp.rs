//! The gateway with its socket: datagrams in, datagrams out.

use std::net::SocketAddr;
use std::time::Duration;

use coap::{self, Datagram, Message, MessageType, Token, code};
use gateway::event_loop::serve;
use gateway::request::Gateway;
use tokio::net::UdpSocket;
use tokio::sync::oneshot;
use tokio::time::timeout;
use transport::UdpTransport;

use crate::default_rule::{calls, gateway};
use crate::exchange::{request, send, send_to, within};
use crate::http_call::homeserver;
use crate::stub::{Reaction, Stub};

pub const PATIENCE: Duration = Duration::from_secs(10);

pub struct Client {
    pub socket: UdpSocket,
    message_id: u16,
}

impl Client {
    pub async fn new(gateway: SocketAddr) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
        socket.connect(gateway).await.expect("it is an address");
        Self {
            socket,
            message_id: 0,
        }
    }

    /// The bytes of a CON with a new message ID.
    pub fn confirmable(&mut self, message: Message) -> Vec<u8> {
        self.message_id += 1;
        coap::encode(&Datagram {
            message_type: MessageType::Confirmable,
            message_id: self.message_id,
            token: Token::new(&self.message_id.to_be_bytes()).expect("it is short"),
            message,
        })
    }

    /// The next datagram that is no ping.
    pub async fn receive(&self) -> Datagram {
        let received = timeout(PATIENCE, receive(&self.socket)).await;
        received.expect("a response comes in time")
    }

    pub async fn request(&mut self, message: Message) -> Datagram {
        let bytes = self.confirmable(message);
        self.socket.send(&bytes).await.expect("it is sent");
        self.receive().await
    }
}

/// The next datagram that a device gets. A ping, which proves its address, gets its RST.
pub async fn receive(socket: &UdpSocket) -> Datagram {
    let mut bytes = [0; 2048];
    loop {
        let length = socket.recv(&mut bytes).await.expect("it is received");
        let datagram = coap::decode(&bytes[..length]);
        let datagram = datagram.unwrap_or_else(|error| panic!("{error}"));
        if !is_ping(&datagram) {
            return datagram;
        }
        let reset = coap::encode(&Datagram::empty(MessageType::Reset, datagram.message_id));
        socket.send(&reset).await.expect("it is sent");
    }
}

/// Whether it is an empty confirmable message (RFC 7252 §4.3).
pub fn is_ping(datagram: &Datagram) -> bool {
    datagram.message_type == MessageType::Confirmable && datagram.message.code == code::EMPTY
}

/// Serves while `test` runs, then drains. Returns how many exchanges did not end.
pub async fn while_serving<F: Future<Output = ()>>(
    gateway: &Gateway,
    drain: Duration,
    test: impl FnOnce(SocketAddr) -> F,
) -> usize {
    let loopback = "127.0.0.1:0".parse().expect("it is an address");
    let transport = UdpTransport::bind(loopback).unwrap_or_else(|error| panic!("{error}"));
    let address = transport.local_addr().expect("it is bound");
    let (stop, stopped) = oneshot::channel::<()>();
    gateway
        .snapshots
        .update(|snapshot| snapshot.limits.drain = drain);
    let served = serve(vec![transport], gateway, async move { drop(stopped.await) });
    let test = test(address);
    let tested = async move {
        test.await;
        drop(stop);
    };
    tokio::join!(served, tested).0
}

pub fn quiet() -> (Gateway, Stub) {
    let stub = Stub::start(|_| Reaction::Json(200, r#"{"event_id":"$x"}"#.into()));
    let gateway = gateway(vec![homeserver(stub.url(), Some("configured"))]);
    (gateway, stub)
}

#[tokio::test]
async fn every_time_request_on_the_wire_calls_the_component_once() {
    let (gateway, _stub) = quiet();
    let before = calls(&gateway);
    let unfinished = while_serving(&gateway, PATIENCE, |address| async move {
        let mut client = Client::new(address).await;
        for _ in 0..100 {
            let response = client.request(request(code::GET, "time")).await;
            assert_eq!(response.message.code, code::CONTENT);
            assert_eq!(response.message_type, MessageType::Acknowledgement);
            assert_eq!(response.message_id, client.message_id);
        }
    });
    assert_eq!(unfinished.await, 0);
    assert_eq!(calls(&gateway) - before, 100);
}

#[tokio::test]
async fn a_duplicate_message_reaches_the_homeserver_once() {
    let (gateway, stub) = quiet();
    while_serving(&gateway, PATIENCE, |address| async move {
        let mut client = Client::new(address).await;
        let bytes = client.confirmable(send());
        let mut responses = Vec::new();
        for _ in 0..3 {
            client.socket.send(&bytes).await.expect("it is sent");
            responses.push(client.receive().await);
        }
        assert_eq!(responses[0].message.code, code::CHANGED);
        assert!(responses.iter().all(|response| *response == responses[0]));
    })
    .await;
    assert_eq!(stub.received().len(), 1);
}

#[tokio::test]
async fn a_duplicate_whose_response_was_evicted_is_the_same_message_for_the_homeserver() {
    let (gateway, stub) = quiet();
    gateway
        .snapshots
        .update(|snapshot| snapshot.limits.coap.retained_response_bytes = 0);
    while_serving(&gateway, PATIENCE, |address| async move {
        let (mut device, mut other) = (Client::new(address).await, Client::new(address).await);
        let message = send_to("send/!r:h");
        let bytes = device.confirmable(message.clone());
        assert_eq!(bytes, other.confirmable(message.clone()));
        for client in [&device, &device, &other] {
            client.socket.send(&bytes).await.expect("it is sent");
            assert_eq!(client.receive().await.message.code, code::CHANGED);
        }
        // The same reading once more, and another one.
        device.request(message.clone()).await;
        let token = message.with_option(coap::option::ACCESS_TOKEN, "own");
        device.request(token).await;
    })
    .await;
    let received = stub.received();
    let ids: Vec<_> = received.iter().map(|one| one.target.as_str()).collect();
    assert_eq!(ids.len(), 5, "the response was not evicted");
    assert_eq!(ids[0], ids[1]);
    let all: std::collections::HashSet<_> = ids.iter().collect();
    assert_eq!(all.len(), 4, "{ids:?}");
}

#[tokio::test]
async fn an_unknown_critical_option_is_4_02_and_calls_neither_rule_nor_homeserver() {
    let (gateway, stub) = quiet();
    let before = calls(&gateway);
    while_serving(&gateway, PATIENCE, |address| async move {
        let mut client = Client::new(address).await;
        for number in [29, 65_001] {
            let response = client.request(send().with_option(number, "x")).await;
            assert_eq!(response.message.code, code::BAD_OPTION);
            let diagnostic = String::from_utf8(response.message.payload).expect("it is text");
            assert!(diagnostic.contains(&number.to_string()), "{diagnostic}");
        }
        let elective = request(code::GET, "time").with_option(65_000, "x");
        assert_eq!(client.request(elective).await.message.code, code::CONTENT);
    })
    .await;
    assert_eq!(stub.connections(), 0);
    assert_eq!(calls(&gateway) - before, 1);
}

#[tokio::test]
async fn no_device_waits_for_another_devices_silent_homeserver() {
    let stub = Stub::start(|_| Reaction::Silence);
    let gateway = gateway(vec![homeserver(stub.url(), Some("configured"))]);
    within(&gateway, Duration::from_secs(60));
    let unfinished = while_serving(&gateway, Duration::from_millis(200), |address| async move {
        let mut slow = Client::new(address).await;
        let bytes = slow.confirmable(send());
        slow.socket.send(&bytes).await.expect("it is sent");
        let mut quick = Client::new(address).await;
        for _ in 0..20 {
            let response = timeout(PATIENCE, quick.request(request(code::GET, "time"))).await;
            let response = response.expect("nothing holds it up");
            assert_eq!(response.message.code, code::CONTENT);
        }
        // Acknowledged, so that the device does not retransmit while it waits.
        let acknowledged = slow.receive().await;
        assert_eq!(acknowledged.message_type, MessageType::Acknowledgement);
        assert_eq!(acknowledged.message.code, code::EMPTY);
    });
    assert_eq!(unfinished.await, 1, "the drain's deadline ends it");
}

#[tokio::test]
async fn an_exchange_in_flight_when_the_gateway_stops_still_gets_its_response() {
    let stub = Stub::start(|_| {
        std::thread::sleep(Duration::from_millis(300));
        Reaction::Json(200, r#"{"event_id":"$x"}"#.into())
    });
    let gateway = gateway(vec![homeserver(stub.url(), Some("configured"))]);
    let (there, receives) = oneshot::channel();
    let unfinished = while_serving(&gateway, PATIENCE, |address| async move {
        let mut client = Client::new(address).await;
        // Its address is proven from now on.
        client.request(send()).await;
        let bytes = client.confirmable(send());
        client.socket.send(&bytes).await.expect("it is sent");
        // So that the request has come in when the gateway stops.
        assert_eq!(
            client
                .request(request(code::GET, "time"))
                .await
                .message
                .code,
            code::CONTENT
        );
        there.send(client).ok().expect("the test waits for it");
    });
    let (unfinished, client) = tokio::join!(unfinished, receives);
    let response = client.expect("it was sent").receive().await;
    assert_eq!(response.message.code, code::CHANGED);
    assert_eq!(unfinished, 0);
}

#[tokio::test]
async fn a_burst_of_one_device_above_its_limit_gets_all_responses_if_none_needs_a_homeserver() {
    let (gateway, _stub) = quiet();
    while_serving(&gateway, PATIENCE, |address| async move {
        let mut client = Client::new(address).await;
        let burst: Vec<_> = (0..60)
            .map(|_| client.confirmable(request(code::GET, "time")))
            .collect();
        for bytes in &burst {
            client.socket.send(bytes).await.expect("it is sent");
        }
        for _ in burst {
            assert_eq!(client.receive().await.message.code, code::CONTENT);
        }
    })
    .await;
}
