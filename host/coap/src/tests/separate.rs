//! Responses that take longer than the acknowledgement may wait (RFC 7252 §5.2.2).

use std::time::Duration;

use super::*;
use crate::code::{EMPTY, GET, POST};

/// A server that has acknowledged this request and owes its response.
fn acknowledged(datagram: &Datagram) -> (Server, ExchangeId) {
    let mut server = Server::new();
    server.receive(1, datagram);
    let id = server.incoming().id;
    server.advance(Duration::from_millis(999));
    assert_eq!(server.sent(), []);
    server.advance(Duration::from_millis(1));
    let acknowledgement = Datagram::empty(MessageType::Acknowledgement, datagram.message_id);
    assert_eq!(server.sent(), [acknowledgement]);
    (server, id)
}

fn empty(message_type: MessageType, datagram: &Datagram) -> Datagram {
    Datagram::empty(message_type, datagram.message_id)
}

#[test]
fn a_slow_response_is_separate_and_confirmable_with_the_token_of_the_request() {
    let (mut server, id) = acknowledged(&confirmable(7, GET));
    server.respond(id, changed());
    let response = server.sent_one();
    assert_eq!(response.message_type, MessageType::Confirmable);
    assert_eq!((response.token, &response.message), (token(7), &changed()));
    assert_eq!(server.endpoint.in_flight(), 1);

    server.receive(1, &empty(MessageType::Acknowledgement, &response));
    assert_eq!((server.sent(), server.endpoint.in_flight()), (vec![], 0));
    server.advance(Duration::from_secs(300));
    assert_eq!((server.sent(), server.endpoint.state_left()), (vec![], 0));
}

#[test]
fn a_separate_response_is_retransmitted_until_it_is_acknowledged() {
    let (mut server, id) = acknowledged(&confirmable(7, POST));
    server.respond(id, changed());
    let first = server.sent_bytes();
    server.advance(Duration::from_secs(3));
    assert_eq!(server.sent_bytes(), first);
    server.receive(
        1,
        &empty(
            MessageType::Acknowledgement,
            &decode(&first[0]).expect("own"),
        ),
    );
    server.advance(Duration::from_secs(100));
    assert_eq!(
        (server.sent(), server.endpoint.counters().retransmissions),
        (vec![], 1)
    );
}

#[test]
fn a_separate_response_ends_with_reset_or_after_four_retransmissions() {
    let (mut server, id) = acknowledged(&confirmable(7, POST));
    server.respond(id, changed());
    let response = server.sent_one();
    server.receive(2, &empty(MessageType::Reset, &response));
    assert_eq!(server.endpoint.in_flight(), 1, "another peer has no say");
    server.receive(1, &empty(MessageType::Reset, &response));
    assert_eq!(
        (
            server.endpoint.in_flight(),
            server.endpoint.counters().reset_by_peer
        ),
        (0, 1)
    );

    let (mut server, id) = acknowledged(&confirmable(7, POST));
    server.respond(id, changed());
    server.advance(Duration::from_secs(93));
    assert_eq!((server.sent().len(), server.endpoint.in_flight()), (5, 0));
    assert_eq!(server.endpoint.counters().given_up, 1);
}

#[test]
fn a_duplicate_is_acknowledged_again_before_and_after_the_separate_response() {
    for method in [GET, POST] {
        let (mut server, id) = acknowledged(&confirmable(7, method));
        let again = Datagram::empty(MessageType::Acknowledgement, 7);
        assert_eq!(server.response_to(&confirmable(7, method)), again);
        server.respond(id, changed());
        let response = server.sent_one();
        assert_eq!(server.response_to(&confirmable(7, method)), again);
        server.receive(1, &empty(MessageType::Acknowledgement, &response));
        if method == POST {
            assert_eq!(server.response_to(&confirmable(7, method)), again);
        } else {
            // A device that has restarted sends the same bytes: it needs a response, and a GET changes nothing.
            server.exchange(&confirmable(7, method), changed());
        }
        let requests = 1 + u64::from(method == GET);
        assert_eq!(server.endpoint.counters().requests, requests);
    }
}

#[test]
fn separate_responses_to_one_peer_leave_one_at_a_time() {
    let mut server = Server::new();
    for id in 1..=3 {
        server.receive(1, &confirmable(id, POST));
    }
    let ids: Vec<_> = std::iter::from_fn(|| server.endpoint.poll_request())
        .map(|incoming| incoming.id)
        .collect();
    server.advance(Duration::from_secs(1));
    assert_eq!(server.sent().len(), 3);
    for id in ids {
        server.respond(id, changed());
    }
    for message_id in 1..=3 {
        let response = server.sent_one();
        assert_eq!(response.token, token(message_id));
        server.receive(1, &empty(MessageType::Acknowledgement, &response));
    }
    assert_eq!(server.endpoint.in_flight(), 0);
}

#[test]
fn a_slow_response_to_a_non_confirmable_request_is_non_confirmable_and_nothing_comes_before_it() {
    let mut server = Server::new();
    server.receive(1, &request(MessageType::NonConfirmable, 7, GET));
    let id = server.incoming().id;
    server.advance(Duration::from_secs(5));
    assert_eq!(server.sent(), []);
    server.respond(id, changed());
    assert_eq!(server.sent_one().message_type, MessageType::NonConfirmable);
}

#[test]
fn a_slow_response_that_is_ready_before_the_timer_is_handled_is_still_piggybacked() {
    let mut server = Server::new();
    server.receive(1, &confirmable(7, GET));
    let id = server.incoming().id;
    server.now += Duration::from_secs(2);
    server.respond(id, changed());
    assert_eq!(server.sent_one().message_type, MessageType::Acknowledgement);
    assert_eq!(server.endpoint.next_timeout(), None);
}

#[test]
fn requests_with_a_response_in_time_leave_no_timers() {
    let mut server = Server::new();
    for id in 0..1_000 {
        server.exchange(&confirmable(id, GET), changed());
    }
    assert_eq!(
        (server.endpoint.next_timeout(), server.endpoint.state_left()),
        (None, 0)
    );
    assert!(
        server
            .sent()
            .iter()
            .all(|datagram| datagram.message.code != EMPTY)
    );
}
