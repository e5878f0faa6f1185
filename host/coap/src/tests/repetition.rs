//! Retransmissions to peers whose address is not proven: within three times the bytes that came, and with a ping.

use std::time::Duration;

use super::amplification::server;
use super::observe::observing;
use super::*;
use crate::code::*;

/// A separate response of an unproven peer, of which no more copies may leave.
fn withheld() -> (Server, Vec<u8>, Datagram) {
    let mut server = server();
    server.receive(1, &confirmable(1, POST));
    let id = server.incoming().id;
    server.advance(Duration::from_secs(1));
    server.sent();
    server.respond(id, changed().with_payload([b'x'; 100]));
    let response = server.sent_bytes().remove(0);
    server.advance(Duration::from_secs(4));
    let ping = server.sent_one();
    assert_eq!(
        (ping.message_type, ping.message.code),
        (MessageType::Confirmable, EMPTY)
    );
    (server, response, ping)
}

#[test]
fn a_response_that_may_not_be_repeated_waits_for_a_proof_and_is_then_repeated_as_it_was() {
    let (mut server, response, ping) = withheld();
    server.receive(1, &Datagram::empty(MessageType::Reset, ping.message_id));
    assert_eq!(server.sent_bytes(), std::slice::from_ref(&response));
    server.advance(Duration::from_secs(4));
    assert_eq!(server.sent_bytes(), std::slice::from_ref(&response));
    let message_id = decode(&response).expect("own").message_id;
    server.acknowledge(1, message_id);
    server.advance(Duration::from_secs(400));
    assert_eq!((server.sent(), server.endpoint.state_left()), (vec![], 0));
}

#[test]
fn the_acknowledgement_of_a_response_that_waits_for_a_proof_ends_it() {
    let (mut server, response, ping) = withheld();
    server.acknowledge(1, decode(&response).expect("own").message_id);
    assert!(server.endpoint.is_proven(server.now, &1));
    server.receive(1, &Datagram::empty(MessageType::Reset, ping.message_id));
    server.advance(Duration::from_secs(400));
    assert_eq!((server.sent(), server.endpoint.state_left()), (vec![], 0));
}

#[test]
fn a_response_as_large_as_allowed_leaves_room_for_the_ping_that_saves_it() {
    let mut server = server();
    server.receive(1, &confirmable(1, POST));
    let id = server.incoming().id;
    server.advance(Duration::from_secs(1));
    server.sent();
    server.respond(id, Message::diagnostic(NOT_FOUND, "x".repeat(300)));
    let response = server.sent_bytes().remove(0);
    assert!((100..=124).contains(&response.len()), "{}", response.len());
    server.advance(Duration::from_secs(4));
    let ping = server.sent_one();
    server.receive(1, &Datagram::empty(MessageType::Reset, ping.message_id));
    assert_eq!(server.sent_bytes(), [response]);
}

#[test]
fn a_spoofed_address_gets_a_response_and_pings_within_three_times_its_bytes() {
    let (mut server, response, ping) = withheld();
    server.advance(Duration::from_secs(400));
    let pings = server.sent_bytes();
    assert!(
        pings.iter().all(|bytes| *bytes == encode(&ping)),
        "{pings:?}"
    );
    let sent = response.len() + 4 * (1 + pings.len());
    assert!(sent <= 136, "{sent} bytes");
    assert_eq!(server.endpoint.state_left(), 0);
}

#[test]
fn a_response_that_waits_behind_another_keeps_its_bytes() {
    let mut server = server();
    for id in 1..=2 {
        server.receive(1, &confirmable(id, POST));
    }
    let first = [(); 2].map(|()| server.endpoint.poll_request().expect("a request").id);
    server.advance(Duration::from_secs(1));
    for id in first {
        server.respond(id, changed().with_payload([b'x'; 70]));
    }
    server.advance(Duration::from_secs(300));
    let sent = server.sent();
    let has = |id| sent.iter().any(|datagram| datagram.token == token(id));
    assert!(has(1) && has(2), "each leaves once at least");
    let bytes: usize = sent.iter().map(|datagram| encode(datagram).len()).sum();
    assert!(bytes <= 2 * 136, "{bytes} bytes for two requests");
}

#[test]
fn the_last_notification_to_an_unproven_address_does_not_leave_beyond_its_bytes() {
    let mut server = server();
    server.receive(1, &observing(7, 0));
    let id = server.incoming().id;
    server.advance(Duration::from_secs(1));
    let first = changed().with_payload([b'x'; 90]);
    let observation = server
        .endpoint
        .respond_observing(server.now, id, first, None)
        .expect("an observation");
    let gone = Message::diagnostic(NOT_FOUND, "x".repeat(90));
    assert!(server.endpoint.notify(server.now, observation, gone));
    server.advance(Duration::from_secs(300));
    let sent: usize = server.sent_bytes().iter().map(Vec::len).sum();
    assert!(sent <= 136, "{sent} bytes for one request");
    assert_eq!(server.endpoint.in_flight(), 0);
}

#[test]
fn a_request_whose_ping_has_no_bytes_left_is_dropped() {
    let mut server = server();
    server.receive(1, &confirmable(1, POST));
    let id = server.incoming().id;
    server.advance(Duration::from_secs(1));
    server.respond(id, changed().with_payload([b'x'; 100]));
    server.receive(1, &confirmable(2, PUT));
    server.defer();
    assert_eq!(server.endpoint.deferred(), 1);
    server.endpoint.set_limits(&Limits {
        unproven_bytes: 0,
        ..Limits::default()
    });
    server.advance(Duration::from_secs(300));
    let left = (server.endpoint.deferred(), server.endpoint.in_flight());
    assert_eq!(left, (0, 0));
}
