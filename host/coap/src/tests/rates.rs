//! Peers that send too much (RFC 8516), and bytes that are no messages.

use std::time::Duration;

use super::*;
use crate::code::*;
use crate::option::MAX_AGE;

fn limited(datagrams_per_second_per_peer: u32) -> Server {
    Server::with_limits(Limits {
        datagrams_per_second_per_peer,
        ..Limits::default()
    })
}

/// The effect of requests in a row from one peer: how many were handed over, and the datagrams sent besides.
fn flood(server: &mut Server, peer: u16, ids: std::ops::Range<u16>) -> (usize, Vec<Datagram>) {
    for id in ids {
        server.receive(peer, &confirmable(id, GET));
    }
    let requests = std::iter::from_fn(|| server.endpoint.poll_request()).count();
    (requests, server.sent())
}

#[test]
fn a_peer_above_its_rate_gets_4_29_and_is_then_ignored_and_others_are_served() {
    let mut server = limited(16);
    let (requests, sent) = flood(&mut server, 1, 0..100);
    assert_eq!((requests, sent.len()), (16, 1));
    let refused = &sent[0].message;
    assert_eq!(
        (refused.code, refused.uint_option(MAX_AGE)),
        (TOO_MANY_REQUESTS, Some(1))
    );
    assert_eq!(sent[0].message_type, MessageType::Acknowledgement);
    assert_eq!(server.endpoint.counters().rate_limited, 84);
    assert_eq!(flood(&mut server, 2, 0..1), (1, vec![]));
}

#[test]
fn after_max_age_the_peer_is_served_again() {
    let mut server = limited(16);
    for id in 0..40 {
        server.receive(1, &confirmable(id, GET));
    }
    while let Some(incoming) = server.endpoint.poll_request() {
        server.respond(incoming.id, changed());
    }
    server.advance(Duration::from_secs(1));
    server.sent();
    let response = server.exchange(&confirmable(100, GET), changed());
    assert_eq!(response.message.code, CHANGED);
}

#[test]
fn a_duplicate_gets_its_response_again_although_its_peer_is_above_its_rate() {
    let mut server = limited(16);
    let first = server.exchange(&confirmable(0, POST), changed());
    for id in 1..16 {
        server.exchange(&confirmable(id, GET), changed());
    }
    assert_eq!(server.response_to(&confirmable(0, POST)), first);
    assert!(server.endpoint.poll_request().is_none());
}

#[test]
fn a_non_confirmable_request_above_the_rate_gets_4_29_in_a_non_confirmable_message() {
    let mut server = limited(16);
    for id in 0..16 {
        server.exchange(&non_confirmable(id, GET), changed());
    }
    let refused = server.response_to(&non_confirmable(16, GET));
    assert_eq!(refused.message_type, MessageType::NonConfirmable);
    assert_eq!(refused.message.code, TOO_MANY_REQUESTS);
}

#[test]
fn malformed_messages_of_one_peer_count_and_end_in_silence() {
    let mut server = limited(16);
    for _ in 0..100 {
        server
            .endpoint
            .handle_datagram(server.now, 1, b"\x40\x01\x00\x01\xff");
    }
    assert_eq!(server.sent_bytes().len(), 16);
    assert_eq!(server.endpoint.counters().rate_limited, 84);
}

#[test]
fn malformed_messages_of_many_peers_get_a_bounded_number_of_resets() {
    let mut server = Server::with_limits(Limits {
        resets_per_second: 20,
        ..Limits::default()
    });
    for peer in 0..100 {
        server
            .endpoint
            .handle_datagram(server.now, peer, b"\x40\x01\x00\x01\xff");
    }
    assert_eq!(server.sent_bytes().len(), 20);
    let counters = server.endpoint.counters();
    assert_eq!((counters.malformed, counters.resets_withheld), (100, 80));
    assert_eq!(
        server.exchange(&confirmable(1, GET), changed()).message,
        changed()
    );
}

#[test]
fn a_peer_above_its_rate_can_still_acknowledge() {
    let mut server = limited(16);
    server.receive(1, &confirmable(0, POST));
    let id = server.incoming().id;
    server.advance(Duration::from_secs(1));
    server.respond(id, changed());
    let separate = server.sent().pop().expect("the separate response");
    for id in 1..17 {
        server.receive(1, &non_confirmable(id, 31));
    }
    let acknowledgement = Datagram::empty(MessageType::Acknowledgement, separate.message_id);
    server.receive(1, &acknowledgement);
    let settled = server.endpoint.counters().unexpected == 0;
    assert!(settled && server.endpoint.counters().rate_limited > 0);
}
