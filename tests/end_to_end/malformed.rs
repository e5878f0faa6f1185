//! Requests that went wrong on their way, over a real socket: cut off at every byte, and with options that nobody
//! knows. The core's own tests have every resource; this is the whole way through the gateway.

use std::time::Duration;

use coap_lite::{MessageType, Packet, RequestType};
use comatrix_tests::raw::{Raw, confirmable};
use comatrix_tests::stub::Behaviour;
use serde_json::json;

use crate::stage::Stubbed;

const SOON: Duration = Duration::from_secs(5);

fn stubbed() -> Stubbed {
    Stubbed::always(Behaviour::json(200, json!({ "event_id": "$sent" })))
}

/// The core responds to a ping at once and in order: another reset comes before this one or never.
const PING: [u8; 4] = [0x40, 0x00, 0xff, 0xff];
const PONG: [u8; 4] = [0x70, 0x00, 0xff, 0xff];

/// The response to a datagram that must get one.
fn response_to(device: &Raw, datagram: &[u8]) -> Vec<u8> {
    device.send(datagram);
    device
        .receive(SOON)
        .unwrap_or_else(|| panic!("no response to {datagram:02x?}"))
}

/// Nothing comes back, or nothing more.
fn is_silent(device: &Raw) {
    device.send(&PING);
    assert_eq!(device.receive(SOON), Some(PONG.to_vec()));
}

#[test]
fn a_request_cut_off_at_every_byte_is_rejected_or_gets_a_response_and_the_gateway_goes_on() {
    let mut stubbed = stubbed();
    let mut request = confirmable(RequestType::Put, "/send", 0x1234, b"token");
    // No room is named, so no rule asks the homeserver.
    request.add_option(coap_lite::CoapOption::ContentFormat, vec![50]);
    request.add_option(coap_lite::CoapOption::Unknown(256), b"a-token".to_vec());
    request.payload = br#"{"msgtype":"m.text","body":"hello"}"#.to_vec();
    let bytes = request.to_bytes().expect("it fits");
    for end in 0..bytes.len() {
        // A socket of its own each: the same message ID is then no duplicate.
        let device = Raw::connect(stubbed.gateway.address);
        if end < 4 {
            device.send(&bytes[..end]);
            is_silent(&device);
            continue;
        }
        let response = response_to(&device, &bytes[..end]);
        is_silent(&device);
        let is_reset = response.as_slice() == [0x70, 0x00, 0x12, 0x34];
        let is_error = response[0] >> 4 == 0b0110 && response[1] >> 5 == 4;
        assert!(is_reset || is_error, "{end} bytes: {response:02x?}");
    }
    assert!(stubbed.gateway.runs());
    assert_eq!(stubbed.stub.received().len(), 0);
}

fn with_option(message_type: MessageType, number: u16) -> Vec<u8> {
    let mut packet: Packet = confirmable(RequestType::Get, "/time", number, b"n");
    packet.header.set_type(message_type);
    packet.add_option(number.into(), b"?".to_vec());
    packet.to_bytes().expect("it fits")
}

fn code(datagram: &[u8]) -> String {
    let packet = Packet::from_bytes(datagram).expect("the gateway sends messages");
    packet.header.get_code()
}

#[test]
fn options_that_nobody_knows_are_refused_or_ignored_by_their_number() {
    let stubbed = stubbed();
    let device = Raw::connect(stubbed.gateway.address);
    for number in [
        2, 10, 13, 19, 22, 101, 102, 299, 300, 2_049, 2_050, 64_999, 65_000, 65_535,
    ] {
        let confirmable = with_option(MessageType::Confirmable, number);
        let non_confirmable = with_option(MessageType::NonConfirmable, number);
        if number % 2 == 1 {
            assert_eq!(
                code(&response_to(&device, &confirmable)),
                "4.02",
                "{number}"
            );
            device.send(&non_confirmable);
            is_silent(&device);
        } else {
            for datagram in [confirmable, non_confirmable] {
                assert_eq!(code(&response_to(&device, &datagram)), "2.05", "{number}");
            }
        }
    }
}
