//! The message layer on the wire: the gateway's reaction to datagrams that are duplicates, pings, or no CoAP at all.

use std::time::Duration;

use coap_lite::{MessageClass, MessageType, Packet, RequestType, ResponseType};
use comatrix_tests::raw::{Raw, confirmable};
use comatrix_tests::stub::Behaviour;
use serde_json::json;

use crate::stage::Stubbed;

const SOON: Duration = Duration::from_secs(5);

/// Long enough for a response that must not come.
const SILENCE: Duration = Duration::from_millis(500);

fn stubbed() -> Stubbed {
    Stubbed::always(Behaviour::json(200, json!({ "event_id": "$sent" })))
}

fn responds_with_time(device: &Raw, message_id: u16) -> bool {
    device.send(
        &confirmable(RequestType::Get, "/time", message_id, b"t")
            .to_bytes()
            .expect("it fits"),
    );
    let responses = std::iter::from_fn(|| device.receive_message(SOON));
    let mut of_this = responses.filter(|response| response.header.message_id == message_id);
    of_this.next().is_some_and(|response| {
        response.header.code == MessageClass::Response(ResponseType::Content)
    })
}

#[test]
fn a_duplicate_confirmable_gets_the_same_response_and_the_homeserver_is_asked_once() {
    let stubbed = stubbed();
    let device = Raw::connect(stubbed.gateway.address);
    let mut request = confirmable(RequestType::Put, "/send", 77, b"abcd");
    let uri = format!(
        "{}/9/!room:localhost/m.room.message/txn",
        stubbed.stub.origin
    );
    request.add_option(coap_lite::CoapOption::ProxyUri, uri.into_bytes());
    request.add_option(coap_lite::CoapOption::ContentFormat, vec![50]);
    request.add_option(coap_lite::CoapOption::Unknown(256), b"a-token".to_vec());
    request.payload = br#"{"msgtype":"m.text","body":"hello"}"#.to_vec();
    let datagram = request.to_bytes().expect("it fits");
    device.send(&datagram);
    let first = device.receive(SOON).expect("a response comes");
    device.send(&datagram);
    assert_eq!(device.receive(SOON), Some(first), "the same response");
    assert_eq!(stubbed.stub.received().len(), 1);
}

#[test]
fn the_response_to_a_ping_is_a_reset() {
    let stubbed = stubbed();
    let device = Raw::connect(stubbed.gateway.address);
    // RFC 7252 §4.3: an empty confirmable message.
    device.send(&[0x40, 0x00, 0x12, 0x34]);
    assert_eq!(device.receive(SOON), Some(vec![0x70, 0x00, 0x12, 0x34]));
}

#[test]
fn datagrams_that_are_no_message_get_a_reset_or_silence_and_never_a_response() {
    let stubbed = stubbed();
    let cases: [(&str, &[u8]); 12] = [
        ("empty", b""),
        ("three bytes", &[0x40, 0x01, 0x00]),
        ("version 0", &[0x00, 0x01, 0x00, 0x01]),
        ("version 2", &[0x80, 0x01, 0x00, 0x01]),
        (
            "token length 9",
            &[0x49, 0x01, 0x00, 0x01, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        ),
        ("token length 15", &[0x4f, 0x01, 0x00, 0x01]),
        ("token cut off", &[0x44, 0x01, 0x00, 0x01, 1, 2]),
        (
            "payload marker without payload",
            &[0x40, 0x01, 0x00, 0x01, 0xb4, b't', b'i', b'm', b'e', 0xff],
        ),
        ("option delta 15", &[0x40, 0x01, 0x00, 0x01, 0xf1, 0x00]),
        ("option length 15", &[0x40, 0x01, 0x00, 0x01, 0x1f, 0x00]),
        ("option cut off", &[0x40, 0x01, 0x00, 0x01, 0xb4, b't']),
        ("a response to nothing", &[0x60, 0x45, 0x00, 0x01]),
    ];
    for (name, datagram) in cases {
        let device = Raw::connect(stubbed.gateway.address);
        device.send(datagram);
        if let Some(response) = device.receive(SILENCE) {
            let is_reset = response.len() == 4 && response[0] == 0x70 && response[1] == 0;
            assert!(is_reset, "{name}: a response came: {response:02x?}");
        }
        assert!(responds_with_time(&device, 2), "after {name}");
    }
}

#[test]
fn datagrams_of_any_bytes_neither_stop_the_gateway_nor_flood_its_log() {
    let mut stubbed = stubbed();
    let device = Raw::connect(stubbed.gateway.address);
    // xorshift64: the same bytes in every run.
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let valid = confirmable(RequestType::Get, "/time", 9, b"tok")
        .to_bytes()
        .expect("it fits");
    for number in 0..3_000 {
        let mut datagram: Vec<u8> = if number % 2 == 0 {
            (0..next() % 64).map(|_| next().to_le_bytes()[0]).collect()
        } else {
            valid.clone()
        };
        if let Some(last) = datagram.len().checked_sub(1) {
            let position = usize::try_from(next()).unwrap_or(0) % (last + 1);
            datagram[position] ^= next().to_le_bytes()[0];
        }
        device.send(&datagram);
        if number % 64 == 0 {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
    while device.receive(SILENCE).is_some() {}
    let other = Raw::connect(stubbed.gateway.address);
    assert!(
        responds_with_time(&other, 0x7777),
        "another device is served as before"
    );
    assert!(stubbed.gateway.runs());
    let log = stubbed.gateway.log();
    assert!(!log.contains("panicked"), "{log}");
    assert!(
        log.len() < 2_000_000,
        "3,000 datagrams made {} bytes of log",
        log.len()
    );
}

#[test]
fn the_response_to_a_non_confirmable_request_is_non_confirmable() {
    let stubbed = stubbed();
    let device = Raw::connect(stubbed.gateway.address);
    let mut request = confirmable(RequestType::Get, "/time", 5, b"n");
    request.header.set_type(MessageType::NonConfirmable);
    device.send(&request.to_bytes().expect("it fits"));
    let response: Packet = device.receive_message(SOON).expect("a response comes");
    assert_eq!(response.header.get_type(), MessageType::NonConfirmable);
    assert_eq!(response.get_token(), b"n");
    assert_eq!(
        response.header.code,
        MessageClass::Response(ResponseType::Content)
    );
}
