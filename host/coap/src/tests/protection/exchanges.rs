//! Requests and responses of an endpoint with protection.

use super::super::observe::{SECOND, content, proven};
use super::super::*;
use super::double::{FORGED, OSCORE, Protected, acknowledgement, unwrap, wrapped};
use crate::Block;
use crate::option::{
    ACCEPT, BLOCK2, CONTENT_FORMAT, ECHO, LOCATION_PATH, NO_RESPONSE, content_format,
};

#[test]
fn the_endpoint_reads_the_inner_options_and_the_caller_gets_the_inner_request() {
    let mut server = Protected::new(proven());
    let request = confirmable(7, code::GET);
    server.receive(&wrapped(request.clone()));
    let (id, inner) = server.incoming();
    assert_eq!(inner, request.message);

    server.endpoint.respond(server.now, id, content("body"));
    let (datagram, number, response) = server.sent_one();
    assert_eq!(datagram.message_type, MessageType::Acknowledgement);
    assert_eq!((datagram.message_id, datagram.token), (7, token(7)));
    assert_eq!((number, response), (7, content("body")));
}

#[test]
fn a_duplicate_is_not_unprotected_again_and_gets_the_same_bytes() {
    for method in [code::GET, code::FETCH, code::POST] {
        let mut server = Protected::new(proven());
        let request = wrapped(confirmable(7, method));
        server.receive(&request);
        server.receive(&request);
        let (id, _) = server.incoming();
        server.endpoint.respond(server.now, id, changed());
        let first = server.sent();
        server.receive(&request);
        assert_eq!(server.sent(), first);
        assert_eq!((server.unwrapped(), server.wrapped()), (&[7][..], 1));
        assert_eq!(server.endpoint.counters().duplicates, 2);
    }
}

#[test]
fn a_separate_response_is_protected_once_and_retransmitted_as_it_was() {
    let mut server = Protected::new(proven());
    server.receive(&wrapped(confirmable(7, code::POST)));
    let (id, _) = server.incoming();
    server.advance(SECOND);
    assert_eq!(server.sent(), [encode(&acknowledgement(7))]);
    server.endpoint.respond(server.now, id, changed());
    let first = server.sent();
    server.advance(3 * SECOND);
    assert_eq!(server.sent(), first);
    assert_eq!(server.wrapped(), 1);
    let separate = decode(&first[0]).expect("own messages are valid");
    assert_eq!(separate.message_type, MessageType::Confirmable);
    assert_eq!(unwrap(&separate.message), Some((7, changed())));
}

#[test]
fn errors_of_the_endpoint_are_protected_too() {
    let mut server = Protected::new(proven());
    let mut request = confirmable(7, code::GET);
    request.message.push_option(65_001, "critical");
    request
        .message
        .push_uint_option(ACCEPT, content_format::PROBLEM_DETAILS.into());
    server.receive(&wrapped(request));
    let (_, number, error) = server.sent_one();
    assert_eq!((number, error.code), (7, code::BAD_OPTION));
    let format = error.uint_option(CONTENT_FORMAT);
    assert_eq!(format, Some(content_format::PROBLEM_DETAILS.into()));
}

#[test]
fn a_request_that_fails_verification_gets_the_error_unprotected_also_as_a_duplicate() {
    let mut server = Protected::new(proven());
    let mut forged = confirmable(7, code::FETCH);
    forged.message.push_option(OSCORE, [FORGED, 0]);
    server.receive(&forged);
    let first = server.sent();
    let refused = decode(&first[0]).expect("own messages are valid");
    assert_eq!(refused.message.code, code::BAD_REQUEST);
    assert_eq!(refused.message.payload, b"Decryption failed");

    server.receive(&forged);
    assert_eq!(server.sent(), first);
    assert_eq!(server.unwrapped(), [FORGED]);
    assert_eq!((server.wrapped(), server.endpoint.in_flight()), (0, 0));
    assert!(server.endpoint.poll_request().is_none());
}

#[test]
fn an_option_outside_does_not_change_the_error() {
    let mut server = Protected::new(proven());
    let mut forged = confirmable(7, code::GET);
    forged.message.push_option(OSCORE, [FORGED, 0]);
    let format = content_format::PROBLEM_DETAILS.into();
    forged.message.push_uint_option(ACCEPT, format);
    server.receive(&forged);
    let refused = decode(&server.sent()[0]).expect("own messages are valid");
    assert_eq!(refused.message.payload, b"Decryption failed");
}

#[test]
fn a_response_that_cannot_be_protected_is_replaced_by_an_error_without_content() {
    let mut server = Protected::new(proven());
    server.receive(&wrapped(confirmable(7, code::GET)));
    let (id, _) = server.incoming();
    server.endpoint.protection_mut().is_exhausted = true;
    let secret = content("secret").with_option(LOCATION_PATH, "secret");
    server.endpoint.respond(server.now, id, secret);
    let sent = decode(&server.sent()[0]).expect("own messages are valid");
    assert_eq!(sent.message, Message::new(code::SERVICE_UNAVAILABLE));
}

#[test]
fn a_request_without_protection_gets_a_response_without_it() {
    let mut server = Protected::new(proven());
    server.receive(&confirmable(7, code::GET));
    let incoming = server.endpoint.poll_request().expect("a request");
    assert_eq!(incoming.protection, None);
    server
        .endpoint
        .respond(server.now, incoming.id, content("body"));
    let plain = decode(&server.sent()[0]).expect("own messages are valid");
    assert_eq!(plain.message, content("body"));
    assert_eq!(server.wrapped(), 0);
}

#[test]
fn without_protection_the_option_is_critical_and_not_understood() {
    let mut server = Server::new();
    let refused = server.response_to(&wrapped(confirmable(7, code::GET)));
    assert_eq!(refused.message.code, code::BAD_OPTION);
}

#[test]
fn no_response_inside_a_protected_request_suppresses_the_response() {
    let mut server = Protected::new(proven());
    let mut request = confirmable(7, code::POST);
    request.message.push_option(NO_RESPONSE, [2]);
    server.receive(&wrapped(request));
    let (id, _) = server.incoming();
    server.endpoint.respond(server.now, id, changed());
    assert_eq!(server.sent(), [encode(&acknowledgement(7))]);
    assert_eq!(server.wrapped(), 0);
}

#[test]
fn each_block_is_protected_after_it_is_cut() {
    let mut server = Protected::new(proven());
    server.receive(&wrapped(confirmable(7, code::GET)));
    let (id, _) = server.incoming();
    let body = "x".repeat(1500);
    server.endpoint.respond(server.now, id, content(&body));
    let (_, _, first) = server.sent_one();
    assert_eq!(first.payload.len(), 64);

    let mut next = confirmable(8, code::GET);
    let block = Block {
        number: 1,
        more: false,
        size_exponent: 6,
    };
    next.message.push_option(BLOCK2, block.encode());
    server.receive(&wrapped(next.clone()));
    let (_, number, second) = server.sent_one();
    assert_eq!((number, second.payload.len()), (8, 476));
    server.receive(&wrapped(next));
    server.sent_one();
    assert_eq!((server.unwrapped(), server.wrapped()), (&[7, 8][..], 2));
}

#[test]
fn a_protected_response_to_an_unproven_address_is_within_its_allowance() {
    let mut server = Protected::new(Limits::default());
    for length in 0..200 {
        let message_id = length as u16;
        let request = wrapped(confirmable(message_id, code::GET));
        let allowance = 136.max(3 * encode(&request).len());
        server.receive(&request);
        let (id, _) = server.incoming();
        let body = "x".repeat(length);
        server.endpoint.respond(server.now, id, content(&body));
        for bytes in server.sent() {
            assert!(bytes.len() <= allowance, "{length}: {}", bytes.len());
        }
    }
}

#[test]
fn an_echo_value_inside_a_protected_request_proves_the_address() {
    let mut server = Protected::new(Limits::default());
    server.receive(&wrapped(with_token(confirmable(7, code::GET))));
    let (id, _) = server.incoming();
    let long = content("body").with_option(LOCATION_PATH, [b'a'; 200]);
    server.endpoint.respond(server.now, id, long);
    assert_eq!(server.sent().len(), 1, "a ping");
    server.advance(SECOND);
    let (_, _, challenge) = server.sent_one();
    assert_eq!(challenge.code, code::UNAUTHORIZED);
    let mut request = confirmable(8, code::GET);
    let echo = challenge.option(ECHO).expect("an Echo value");
    request.message.push_option(ECHO, echo);
    server.receive(&wrapped(request));
    assert!(server.endpoint.is_proven(server.now, &1));
    assert_eq!(server.incoming().1.option(ECHO), None);
}
