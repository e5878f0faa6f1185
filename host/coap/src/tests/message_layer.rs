//! Types, duplicates, rejection and options (RFC 7252 §4, §5.4).

use std::time::Duration;

use super::*;
use crate::code::{BAD_OPTION, GET, POST};

#[test]
fn a_confirmable_request_gets_its_response_in_the_acknowledgement() {
    let mut server = Server::new();
    let response = server.exchange(&confirmable(7, POST), changed());
    let expected = Datagram {
        message_type: MessageType::Acknowledgement,
        message_id: 7,
        token: token(7),
        message: changed(),
    };
    assert_eq!(response, expected);
    assert_eq!(server.endpoint.in_flight(), 0);
}

#[test]
fn a_non_confirmable_request_gets_a_non_confirmable_response_with_its_own_id() {
    let mut server = Server::new();
    let first = server.exchange(&request(MessageType::NonConfirmable, 7, GET), changed());
    assert_eq!(
        (first.message_type, first.token),
        (MessageType::NonConfirmable, token(7))
    );
    let second = server.exchange(&request(MessageType::NonConfirmable, 8, GET), changed());
    assert_ne!(second.message_id, first.message_id);
}

#[test]
fn a_duplicate_confirmable_gets_the_same_response_and_is_processed_once() {
    let mut server = Server::new();
    let request = confirmable(7, POST);
    let first = server.exchange(&request, changed());
    server.advance(Duration::from_secs(246));
    assert_eq!(server.response_to(&request), first);
    assert!(server.endpoint.poll_request().is_none());
    assert_eq!(server.endpoint.counters().duplicates, 1);
}

#[test]
fn a_message_id_means_another_request_after_the_exchange_lifetime() {
    let mut server = Server::new();
    server.exchange(&confirmable(7, POST), changed());
    server.advance(Duration::from_secs(247));
    server.exchange(&confirmable(7, POST), changed());
    assert_eq!(server.endpoint.counters().requests, 2);
}

#[test]
fn a_duplicate_of_a_request_in_progress_is_met_with_silence() {
    for method in [GET, POST] {
        let mut server = Server::new();
        server.receive(1, &confirmable(7, method));
        server.receive(1, &confirmable(7, method));
        assert_eq!(server.sent(), []);
        let id = server.incoming().id;
        server.respond(id, changed());
        assert_eq!(server.sent().len(), 1);
    }
}

#[test]
fn a_duplicate_get_is_executed_again_after_its_response() {
    let mut server = Server::new();
    server.exchange(&confirmable(7, GET), changed());
    assert_eq!(server.endpoint.state_left(), 0);
    server.exchange(&confirmable(7, GET), changed());
    assert_eq!(server.endpoint.counters().requests, 2);
}

#[test]
fn a_duplicate_non_confirmable_is_dropped() {
    let mut server = Server::new();
    let request = request(MessageType::NonConfirmable, 7, POST);
    server.receive(1, &request);
    server.receive(1, &request);
    let id = server.incoming().id;
    server.respond(id, changed());
    assert_eq!(server.sent().len(), 1);
    server.receive(1, &request);
    assert_eq!(
        (
            server.sent().len(),
            server.endpoint.poll_request().is_none()
        ),
        (0, true)
    );
    server.advance(Duration::from_secs(145));
    server.exchange(&request, changed());
}

#[test]
fn the_same_message_id_from_another_peer_is_another_request() {
    let mut server = Server::new();
    server.receive(1, &confirmable(7, POST));
    server.receive(2, &confirmable(7, POST));
    assert!(server.endpoint.poll_request().is_some() && server.endpoint.poll_request().is_some());
}

#[test]
fn a_ping_gets_a_reset() {
    let mut server = Server::new();
    let response = server.response_to(&Datagram::empty(MessageType::Confirmable, 99));
    assert_eq!(response, Datagram::empty(MessageType::Reset, 99));
}

#[test]
fn malformed_confirmables_and_unwanted_responses_are_reset() {
    for bytes in [
        b"\x40\x01\x12\x34\xff".as_slice(), // marker without payload
        b"\x49\x01\x12\x34123456789",       // token length 9
        b"\x40\x01\x12\x34\xf0",            // reserved option delta
        b"\x40\x00\x12\x34\x00",            // Empty with content
        b"\x40\x20\x12\x34",                // class 1
        b"\x40\xc0\x12\x34",                // class 6
        b"\x40\xe1\x12\x34",                // class 7
        b"\x40\x45\x12\x34",                // a response nobody asked for
    ] {
        let mut server = Server::new();
        server.endpoint.handle_datagram(server.now, 1, bytes);
        assert_eq!(
            server.sent(),
            [Datagram::empty(MessageType::Reset, 0x1234)],
            "{bytes:02x?}"
        );

        let mut same_as_non = bytes.to_vec();
        same_as_non[0] |= 0x10;
        server.endpoint.handle_datagram(server.now, 1, &same_as_non);
        assert_eq!(server.sent(), [], "{same_as_non:02x?}");
        assert_eq!(server.endpoint.state_left(), 0);
    }
}

#[test]
fn a_message_that_is_to_be_ignored_gets_no_response() {
    for bytes in [
        b"".as_slice(),
        b"\x40\x01\x12",     // no header
        b"\x80\x01\x12\x34", // version 2
        b"\x60\x00\x12\x34", // stray ACK
        b"\x60\x01\x12\x34", // ACK with a method
        b"\x70\x00\x12\x34", // stray RST
        b"\x70\x45\x12\x34", // RST with content
        b"\x50\x00\x12\x34", // Empty NON
    ] {
        let mut server = Server::new();
        server.endpoint.handle_datagram(server.now, 1, bytes);
        assert_eq!(
            (server.sent(), server.endpoint.state_left()),
            (vec![], 0),
            "{bytes:02x?}"
        );
    }
}

#[test]
fn an_unknown_critical_option_is_refused_by_name_or_with_silence() {
    let mut server = Server::new();
    let mut confirmable = confirmable(7, GET);
    confirmable.message.push_option(65_001, "x");
    let response = server.response_to(&confirmable);
    assert_eq!(response.message.code, BAD_OPTION);
    assert!(String::from_utf8_lossy(&response.message.payload).contains("65001"));

    let non = Datagram {
        message_type: MessageType::NonConfirmable,
        ..confirmable
    };
    server.receive(1, &non);
    assert_eq!(
        (server.sent(), server.endpoint.counters().bad_options),
        (vec![], 2)
    );
}

#[test]
fn elective_options_reach_the_caller_and_the_payload_does_too() {
    let mut server = Server::new();
    let mut datagram = confirmable(7, POST);
    datagram.message = datagram
        .message
        .with_option(ACCESS_TOKEN, "token")
        .with_option(65_000, "unknown")
        .with_payload("body");
    server.receive(1, &datagram);
    let incoming = server.incoming();
    assert_eq!(incoming.request.message, datagram.message);
    assert_eq!(incoming.request.wire_bytes, encode(&datagram).len());
}
