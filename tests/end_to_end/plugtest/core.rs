//! `TD_COAP_CORE`: methods, message types and tokens; options from Location-Path on are in `core_options`.

use std::time::Duration;

use coap_lite::{MessageClass, MessageType, RequestType};
use comatrix_tests::device::{Request, TEXT, option};
use comatrix_tests::raw::{Raw, confirmable};
use comatrix_tests::wire::Loss;

use super::stage::{BOTH, Client, Exchange, gateway, until, values};

const SOON: Duration = Duration::from_secs(10);

/// A request to the resource that has every method.
pub fn test(method: &'static str) -> Request {
    let request = Request::new(method, "/plugtest/test");
    match method {
        "PUT" | "POST" => request.bytes(b"something new", Some(TEXT)),
        _ => request,
    }
}

fn confirmable_row(method: &'static str, code: &str) {
    for client in BOTH {
        client.exchange(&test(method)).is_piggybacked(code);
    }
}

fn non_confirmable_row(method: &'static str, code: &str) {
    for client in BOTH {
        client
            .exchange(&test(method).non())
            .is_non_confirmable(code);
    }
}

#[test]
fn td_coap_core_01_a_confirmable_get() {
    confirmable_row("GET", "2.05");
    let exchange = Client::Aiocoap.exchange(&test("GET"));
    assert_eq!(
        exchange.response.number(option::CONTENT_FORMAT),
        Some(TEXT.into())
    );
    assert_eq!(exchange.response.text(), "a test");
}

#[test]
fn td_coap_core_02_a_confirmable_delete() {
    confirmable_row("DELETE", "2.02");
    // No resource of the default rule can be deleted.
    let exchange = Client::Libcoap.exchange(&Request::new("DELETE", "/time"));
    exchange.is_piggybacked("4.05");
}

#[test]
fn td_coap_core_03_a_confirmable_put() {
    confirmable_row("PUT", "2.04");
}

#[test]
fn td_coap_core_04_a_confirmable_post() {
    confirmable_row("POST", "2.01");
}

#[test]
fn td_coap_core_05_a_non_confirmable_get() {
    non_confirmable_row("GET", "2.05");
}

#[test]
fn td_coap_core_06_a_non_confirmable_delete() {
    non_confirmable_row("DELETE", "2.02");
}

#[test]
fn td_coap_core_07_a_non_confirmable_put() {
    non_confirmable_row("PUT", "2.04");
}

#[test]
fn td_coap_core_08_a_non_confirmable_post() {
    non_confirmable_row("POST", "2.01");
}

/// An empty ACK, then a confirmable response of its own message ID, which the client acknowledges (RFC 7252 §5.2.2).
fn is_separate(exchange: &Exchange) {
    let (request, response) = exchange.pair();
    assert_eq!(exchange.empty_from_gateway(MessageType::Acknowledgement), 1);
    assert_eq!(response.header.get_type(), MessageType::Confirmable);
    assert_eq!(response.get_token(), request.get_token());
    assert_eq!(response.header.get_code(), "2.05");
    assert_eq!(exchange.response.code, "2.05");
    until("the client acknowledges the response", || {
        exchange.wire.captured().iter().any(|captured| {
            captured.message.header.get_type() == MessageType::Acknowledgement
                && captured.message.header.code == MessageClass::Empty
                && captured.message.header.message_id == response.header.message_id
        })
    });
}

#[test]
fn td_coap_core_09_a_separate_response() {
    for client in BOTH {
        is_separate(&client.exchange(&Request::new("GET", "/plugtest/separate")));
    }
}

#[test]
fn td_coap_core_10_a_token() {
    let device = Raw::connect(gateway());
    for (message_id, token) in [(1, b"t".as_slice()), (2, b"\0\0\0\0"), (3, b"12345678")] {
        let request = confirmable(RequestType::Get, "/plugtest/test", message_id, token);
        device.send(&request.to_bytes().expect("it fits"));
        let response = device.receive_message(SOON).expect("a response");
        assert_eq!(
            (response.header.message_id, response.get_token()),
            (message_id, token)
        );
    }
    for client in BOTH {
        let (request, response) = client.exchange(&test("GET")).pair();
        assert_eq!(response.get_token(), request.get_token());
    }
}

#[test]
fn td_coap_core_11_a_token_with_a_separate_response() {
    let device = Raw::connect(gateway());
    let request = confirmable(RequestType::Get, "/plugtest/separate", 9, b"12345678");
    device.send(&request.to_bytes().expect("it fits"));
    let ack = device.receive_message(SOON).expect("an empty ACK");
    assert_eq!(
        (ack.header.code, ack.get_token()),
        (MessageClass::Empty, b"".as_slice())
    );
    let response = device.receive_message(SOON).expect("a separate response");
    device.acknowledge(&response);
    assert_eq!(response.header.get_type(), MessageType::Confirmable);
    assert_eq!(response.get_token(), b"12345678");
}

#[test]
fn td_coap_core_12_an_empty_token() {
    let device = Raw::connect(gateway());
    let request = confirmable(RequestType::Get, "/plugtest/test", 1, b"");
    device.send(&request.to_bytes().expect("it fits"));
    let response = device.receive_message(SOON).expect("a response");
    assert_eq!(
        (response.header.get_code().as_str(), response.get_token()),
        ("2.05", b"".as_slice())
    );
}

#[test]
fn td_coap_core_13_several_uri_path_options() {
    for client in BOTH {
        let exchange = client.exchange(&Request::new("GET", "/plugtest/seg1/seg2/seg3"));
        exchange.is_piggybacked("2.05");
        assert_eq!(exchange.response.text(), "seg1/seg2/seg3");
        let (request, _) = exchange.pair();
        assert_eq!(values(&request, 11).len(), 4);
    }
}

#[test]
fn td_coap_core_14_several_uri_query_options() {
    for client in BOTH {
        let exchange = client.exchange(&Request::new(
            "GET",
            "/plugtest/query?first=1&second=2&third=3",
        ));
        exchange.is_piggybacked("2.05");
        assert_eq!(exchange.response.text(), "first=1&second=2&third=3");
    }
}

/// Exchanges over a lossy wire, seed by seed, until datagrams of the device and of the gateway have been lost and each
/// exchange has come to its response all the same.
fn lossy_row(path: &'static str) {
    for client in BOTH {
        let mut lost = 0;
        for seed in 1..=6 {
            let loss = Loss { percent: 30, seed };
            let exchange = client.exchange_over(&Request::new("GET", path), loss);
            assert_eq!(exchange.response.code, "2.05", "{client:?}, seed {seed}");
            lost += exchange.wire.lost();
        }
        assert!(lost > 0, "the wire lost nothing");
    }
}

#[test]
fn td_coap_core_15_a_piggybacked_response_in_a_lossy_context() {
    lossy_row("/plugtest/test");
}

#[test]
fn td_coap_core_16_a_delayed_response_in_a_lossy_context() {
    lossy_row("/plugtest/separate");
}

#[test]
fn td_coap_core_17_a_separate_response_to_a_non_confirmable_request() {
    for client in BOTH {
        client
            .exchange(&Request::new("GET", "/plugtest/separate").non())
            .is_non_confirmable("2.05");
    }
}

#[test]
fn td_coap_core_31_a_ping() {
    let device = Raw::connect(gateway());
    device.send(&[0x40, 0x00, 0x31, 0x31]);
    assert_eq!(device.receive(SOON), Some(vec![0x70, 0x00, 0x31, 0x31]));
}
