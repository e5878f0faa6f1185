//! The configured token serves only devices that receive at their address.

use coap::{Datagram, Message, code, option};
use gateway::request::Gateway;
use homeserver::{ClientApi, ConcurrencyLimit, ConfiguredToken, Homeserver};
use tokio::time::timeout;

use crate::default_rule::gateway;
use crate::exchange::{request, send};
use crate::http_call::token;
use crate::observing_device::A_WHILE;
use crate::over_udp::{Client, PATIENCE, is_ping, quiet, while_serving};
use crate::stub::{Reaction, Stub};

/// The datagrams that come within a while. The client responds to none.
async fn received(client: &Client) -> Vec<Datagram> {
    let (mut received, mut bytes) = (Vec::new(), [0; 2048]);
    while let Ok(length) = timeout(A_WHILE, client.socket.recv(&mut bytes)).await {
        let length = length.expect("it is received");
        received.push(coap::decode(&bytes[..length]).unwrap_or_else(|error| panic!("{error}")));
    }
    received
}

/// The one datagram that comes for a message within a while.
async fn only_response(device: &mut Client, message: Message) -> Datagram {
    let bytes = device.confirmable(message);
    device.socket.send(&bytes).await.expect("it is sent");
    let mut received = received(device).await;
    assert_eq!(received.len(), 1, "{received:?}");
    received.remove(0)
}

#[tokio::test]
async fn a_datagram_from_a_forged_address_reaches_no_homeserver() {
    let (gateway, stub) = quiet();
    while_serving(&gateway, std::time::Duration::ZERO, |address| async move {
        // It does not respond to the ping, as the owner of a forged address that has sent nothing.
        let mut forged = Client::new(address).await;
        let bytes = forged.confirmable(send());
        for _ in 0..3 {
            forged.socket.send(&bytes).await.expect("it is sent");
        }
        let received = received(&forged).await;
        assert!(received.iter().any(is_ping), "{received:?}");
        let response = received.iter().find(|one| one.message.code != code::EMPTY);
        assert_eq!(response, None);
    })
    .await;
    assert_eq!(stub.connections(), 0);
}

#[tokio::test]
async fn a_device_that_responds_to_the_ping_is_served_once_and_then_without_a_ping() {
    let (gateway, stub) = quiet();
    while_serving(&gateway, PATIENCE, |address| async move {
        let mut device = Client::new(address).await;
        assert_eq!(device.request(send()).await.message.code, code::CHANGED);
        let response = only_response(&mut device, send()).await;
        assert_eq!(response.message.code, code::CHANGED);
    })
    .await;
    assert_eq!(stub.received().len(), 2);
}

#[tokio::test]
async fn a_request_that_does_not_use_the_configured_token_needs_no_proof() {
    let (gateway, stub) = quiet();
    while_serving(&gateway, PATIENCE, |address| async move {
        for message in [
            request(code::GET, "time"),
            request(code::POST, "logout"),
            send().with_option(option::ACCESS_TOKEN, "own"),
        ] {
            let mut device = Client::new(address).await;
            assert!(!is_ping(&only_response(&mut device, message).await));
        }
    })
    .await;
    assert_eq!(stub.only().header("authorization"), Some("Bearer own"));
}

/// A gateway whose token serves devices without a proof.
fn without_proof() -> (Gateway, Stub) {
    let stub = Stub::start(|_| Reaction::Json(200, r#"{"event_id":"$x"}"#.into()));
    let configured = ConfiguredToken {
        token: token("configured"),
        without_proof: true,
    };
    let slots = ConcurrencyLimit::new(8, 8);
    let api = ClientApi::V3;
    let homeserver = Homeserver::configured(stub.url(), None, Some(configured), api, slots);
    (gateway(vec![homeserver]), stub)
}

#[tokio::test]
async fn with_token_without_proof_a_device_that_ignores_pings_is_served() {
    let (gateway, stub) = without_proof();
    while_serving(&gateway, PATIENCE, |address| async move {
        let mut device = Client::new(address).await;
        let response = only_response(&mut device, send()).await;
        assert_eq!(response.message.code, code::CHANGED);
    })
    .await;
    let authorization = stub.only();
    assert_eq!(
        authorization.header("authorization"),
        Some("Bearer configured")
    );
}
