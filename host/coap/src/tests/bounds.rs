//! The behaviour at the bounds, and with responses that cannot be sent.

use std::time::Duration;

use super::*;
use crate::code::*;
use crate::option::{LOCATION_PATH, MAX_AGE};

#[test]
fn the_seventeenth_request_in_flight_of_a_peer_gets_5_03() {
    let mut server = Server::new();
    for id in 0..16 {
        server.receive(1, &confirmable(id, POST));
    }
    let refused = server.response_to(&confirmable(16, POST)).message;
    assert_eq!(
        (refused.code, refused.uint_option(MAX_AGE)),
        (SERVICE_UNAVAILABLE, Some(5))
    );
    server.receive(2, &confirmable(1, POST));
    assert_eq!(server.sent(), [], "another peer is served");

    let first = server.endpoint.poll_request().expect("a request").id;
    server.respond(first, changed());
    assert_eq!(server.sent().len(), 1);
    server.receive(1, &confirmable(17, POST));
    assert_eq!((server.sent(), server.endpoint.in_flight()), (vec![], 17));
}

#[test]
fn requests_in_flight_are_bounded_in_all() {
    let mut server = Server::with_limits(Limits {
        exchanges: 3,
        ..Limits::default()
    });
    for peer in 0..3 {
        server.receive(peer, &confirmable(1, GET));
    }
    assert_eq!(
        server.response_to(&confirmable(2, GET)).message.code,
        SERVICE_UNAVAILABLE
    );
    assert_eq!(
        (
            server.endpoint.in_flight(),
            server.endpoint.counters().overloaded
        ),
        (3, 1)
    );
}

#[test]
fn separate_responses_without_acknowledgement_end_one_by_one() {
    let mut server = Server::new();
    for id in 0..16 {
        server.receive(1, &confirmable(id, POST));
    }
    server.advance(Duration::from_secs(1));
    while let Some(incoming) = server.endpoint.poll_request() {
        server.respond(incoming.id, changed());
    }
    server.sent();
    assert_eq!(server.endpoint.in_flight(), 16);
    // One until it is given up; then the peer is one that ignores them, and the others get one retransmission each.
    server.advance(Duration::from_secs(93));
    assert!(server.endpoint.in_flight() < 16);
    server.advance(15 * Duration::from_secs(3) + Duration::from_secs(90));
    assert_eq!(
        (
            server.endpoint.in_flight(),
            server.endpoint.counters().given_up
        ),
        (0, 16)
    );
}

#[test]
fn a_request_gets_one_response() {
    let mut server = Server::new();
    server.receive(1, &confirmable(1, POST));
    let id = server.incoming().id;
    server.respond(id, changed());
    server.respond(id, changed());
    assert_eq!(server.sent().len(), 1);
}

#[test]
fn a_response_that_cannot_be_sent_becomes_an_internal_error() {
    let oversized = Message::new(CREATED).with_option(LOCATION_PATH, vec![b'a'; 2_000]);
    let too_long = Message::new(CONTENT).with_payload(vec![0; 1024 * 1024 + 1]);
    for (id, response) in [Message::new(GET), Message::new(EMPTY), oversized, too_long]
        .into_iter()
        .enumerate()
    {
        let mut server = Server::new();
        let response = server
            .exchange(&confirmable(id as u16, GET), response)
            .message;
        assert_eq!(response.code, INTERNAL_SERVER_ERROR);
        assert_eq!(server.endpoint.counters().bad_responses, 1);
    }
}

#[test]
fn options_of_a_response_may_come_in_any_order() {
    let mut response = changed()
        .with_uint_option(MAX_AGE, 0)
        .with_option(LOCATION_PATH, "a");
    response.options.reverse();
    let response = Server::new()
        .exchange(&confirmable(1, GET), response)
        .message;
    let numbers: Vec<u16> = response
        .options
        .iter()
        .map(|option| option.number)
        .collect();
    assert_eq!(numbers, [LOCATION_PATH, MAX_AGE]);
}

#[test]
fn a_flood_of_pings_bad_bytes_and_quick_requests_leaves_nothing_behind() {
    let mut server = Server::with_limits(Limits {
        resets_per_second: 0,
        ..Limits::default()
    });
    for peer in 0..5_000 {
        server.receive(peer, &Datagram::empty(MessageType::Confirmable, peer));
        server
            .endpoint
            .handle_datagram(server.now, peer, b"\x40\x01\x00\x01\xff");
        server.receive(peer, &confirmable(peer, GET));
        let id = server.incoming().id;
        server.respond(id, changed());
        assert_eq!(server.sent_bytes().len(), 3);
    }
    assert_eq!(
        (server.endpoint.state_left(), server.endpoint.next_timeout()),
        (0, None)
    );
}

#[test]
fn a_large_response_that_is_not_fetched_is_dropped_after_a_minute() {
    let mut server = Server::new();
    let large = Message::new(CONTENT).with_payload(vec![7; 2_500]);
    server.exchange(&confirmable(1, GET), large);
    assert_eq!(server.endpoint.state_left(), 1);
    server.advance(Duration::from_secs(60));
    assert_eq!(
        (server.endpoint.state_left(), server.endpoint.next_timeout()),
        (0, None)
    );
}

#[test]
fn requests_that_have_ended_leave_no_entries_behind_one_that_waits() {
    let mut server = Server::new();
    server.receive(1, &confirmable(1, GET));
    let slow = server.incoming();
    for message_id in 2..=2000 {
        server.receive(2, &confirmable(message_id, GET));
        let quick = server.incoming();
        server.respond(quick.id, changed());
    }
    let entries = server.endpoint.exchanges.ack_entries();
    assert!(
        entries < 100,
        "{entries} entries for one request in progress"
    );
    server.sent();
    server.advance(Duration::from_secs(1));
    assert_eq!(server.sent_one().message_id, 1, "the empty ACK");
    server.respond(slow.id, changed());
}
