//! Requests to a group (RFC 7252 §8).

use std::time::Duration;

use super::*;
use crate::code::*;

fn asked(server: &mut Server, peer: u16, datagram: &Datagram) {
    server
        .endpoint
        .handle_multicast(server.now, peer, &encode(datagram));
}

fn content() -> Message {
    Message::new(CONTENT).with_payload("</time>")
}

#[test]
fn a_group_gets_responses_after_a_random_leisure() {
    let mut times = Vec::new();
    let mut server = Server::new();
    for peer in 0..20 {
        asked(&mut server, peer, &non_confirmable(1, GET));
        let incoming = server.incoming();
        assert!(incoming.request.multicast);
        server.respond(incoming.id, content());
    }
    assert_eq!(server.sent(), []);
    for quarter in 1..=8 {
        server.advance(Duration::from_millis(250));
        let sent = server.sent();
        assert!(sent.iter().all(|response| response.message == content()));
        times.extend(std::iter::repeat_n(quarter, sent.len()));
    }
    assert_eq!(times.len(), 20, "all within the leisure");
    times.dedup();
    assert!(times.len() > 2, "not all at once: {times:?}");
}

#[test]
fn errors_and_empty_responses_to_a_group_are_not_sent() {
    let mut server = Server::new();
    for (id, response) in [
        Message::diagnostic(NOT_FOUND, "nothing here"),
        Message::new(CONTENT),
        Message::new(INTERNAL_SERVER_ERROR),
    ]
    .into_iter()
    .enumerate()
    {
        asked(&mut server, 1, &non_confirmable(id as u16, GET));
        let id = server.incoming().id;
        server.respond(id, response);
    }
    let mut unknown = non_confirmable(9, GET);
    unknown.message.push_option(65_001, "x");
    asked(&mut server, 1, &unknown);
    server.advance(Duration::from_secs(10));
    assert_eq!(server.sent(), []);
}

#[test]
fn all_but_non_confirmable_requests_to_a_group_are_ignored() {
    let mut server = Server::new();
    asked(&mut server, 1, &confirmable(1, GET));
    asked(
        &mut server,
        1,
        &Datagram::empty(MessageType::Confirmable, 2),
    );
    asked(&mut server, 1, &Datagram::empty(MessageType::Reset, 3));
    for bytes in [b"\x40\x01\x00\x01\xff".as_slice(), b"\x50", b""] {
        server.endpoint.handle_multicast(server.now, 1, bytes);
    }
    assert!(server.endpoint.poll_request().is_none());
    server.advance(Duration::from_secs(10));
    assert_eq!(server.sent(), []);
}

#[test]
fn the_same_request_over_two_interfaces_gets_one_response() {
    let mut server = Server::new();
    asked(&mut server, 1, &non_confirmable(1, GET));
    asked(&mut server, 1, &non_confirmable(1, GET));
    let id = server.incoming().id;
    server.respond(id, content());
    asked(&mut server, 1, &non_confirmable(1, GET));
    assert!(server.endpoint.poll_request().is_none());
    server.advance(Duration::from_secs(10));
    assert_eq!(server.sent().len(), 1);
}

#[test]
fn responses_that_wait_are_bounded_and_dropped_ones_are_counted() {
    let mut server = Server::with_limits(Limits {
        multicast_responses: 3,
        ..Limits::default()
    });
    for peer in 0..5 {
        asked(&mut server, peer, &non_confirmable(1, GET));
        let id = server.incoming().id;
        server.respond(id, content());
    }
    server.advance(Duration::from_secs(5));
    assert_eq!(server.sent().len(), 3);
    assert_eq!(server.endpoint.counters().multicast_responses_dropped, 2);
}
