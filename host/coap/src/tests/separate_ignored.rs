//! Devices that do not acknowledge separate responses: others of theirs and their notifications go on.

use std::time::Duration;

use super::observe::content;
use super::*;
use crate::ObserveEvent;
use crate::code::{GET, NOT_FOUND, POST, SERVICE_UNAVAILABLE};

const SECOND: Duration = Duration::from_secs(1);

impl Server {
    /// Receives a request, acknowledges it after a second, and sends the separate response.
    fn respond_separately(&mut self, message_id: u16) -> Datagram {
        self.receive(1, &confirmable(message_id, POST));
        let id = self.incoming().id;
        self.advance(SECOND);
        self.sent();
        self.respond(id, changed());
        self.sent_one()
    }
}

#[test]
fn responses_that_wait_for_an_ack_do_not_shut_the_device_out() {
    let mut server = Server::new();
    for first in [1, 17] {
        for message_id in first..first + 16 {
            server.receive(1, &confirmable(message_id, POST));
        }
        server.advance(SECOND);
        while let Some(incoming) = server.endpoint.poll_request() {
            server.respond(incoming.id, changed());
        }
        server.sent();
    }
    let response = server.exchange(&confirmable(99, GET), changed());
    assert_eq!(response.message, changed());
    assert_eq!(server.endpoint.in_flight(), 16, "the older ones made room");
    assert_eq!(server.endpoint.counters().given_up, 16);
}

#[test]
fn a_response_that_is_given_up_ends_no_observation_whose_notification_was_never_sent() {
    let mut server = Server::new();
    let (id, _) = server.observe(1, 5);
    let id = id.expect("an observation");
    let response = server.respond_separately(7);
    assert!(server.endpoint.notify(server.now, id, content("a message")));
    assert_eq!(server.sent(), [], "it waits for the response");
    server.advance(Duration::from_secs(93));
    let sent = server.sent();
    let notification = sent.last().expect("a notification");
    assert_eq!(notification.message.payload, b"a message");
    assert_ne!(notification.message_id, response.message_id);
    assert_eq!(server.observed(), None);
    server.acknowledge(1, notification.message_id);
    assert_eq!(server.observed(), Some(ObserveEvent::Delivered(id)));
}

#[test]
fn the_next_request_of_a_device_that_left_a_response_unacknowledged_gets_a_piggybacked_one() {
    let mut server = Server::new();
    server.respond_separately(7);
    server.advance(3 * SECOND);
    assert_eq!(server.sent().len(), 1, "a retransmission");

    server.receive(1, &confirmable(8, POST));
    let id = server.incoming().id;
    server.advance(9 * SECOND);
    let is_empty_ack = |datagram: &Datagram| datagram.message_id == 8;
    assert!(!server.sent().iter().any(is_empty_ack));
    server.respond(id, changed());
    let response = server.sent_one();
    assert_eq!(response.message_type, MessageType::Acknowledgement);
    assert_eq!(response.token, token(8));
}

#[test]
fn the_empty_ack_leaves_after_ten_seconds_also_to_such_a_device() {
    let mut server = Server::new();
    server.respond_separately(7);
    server.advance(3 * SECOND);
    server.sent();
    server.receive(1, &confirmable(8, POST));
    server.incoming();
    server.advance(10 * SECOND);
    let empty = Datagram::empty(MessageType::Acknowledgement, 8);
    assert!(server.sent().contains(&empty));
}

#[test]
fn a_notification_waits_for_one_retransmission_of_a_response_once_the_device_has_ignored_one() {
    let mut server = Server::new();
    let (id, _) = server.observe(1, 5);
    let id = id.expect("an observation");
    server.respond_separately(7);
    server.advance(93 * SECOND);
    server.receive(1, &confirmable(8, POST));
    let slow = server.incoming().id;
    server.advance(10 * SECOND);
    server.respond(slow, changed());
    server.sent();
    assert!(server.endpoint.notify(server.now, id, content("a message")));
    server.advance(4 * SECOND);
    let sent = server.sent();
    let notification = sent.last().expect("a notification");
    assert_eq!(notification.message.payload, b"a message");
}

#[test]
fn a_device_that_sends_another_request_meanwhile_still_gets_all_retransmissions_of_a_response() {
    let mut server = Server::new();
    let (id, _) = server.observe(1, 5);
    let id = id.expect("an observation");
    let response = server.respond_separately(7);
    server.advance(3 * SECOND);
    assert_eq!(server.sent(), std::slice::from_ref(&response));
    server.exchange(&confirmable(8, POST), changed());
    assert!(server.endpoint.notify(server.now, id, content("a message")));
    server.advance(45 * SECOND);
    assert_eq!(server.sent(), vec![response; 3]);
}

#[test]
fn a_device_that_has_one_token_never_gets_the_response_to_an_earlier_request_for_a_later_one() {
    let one_token = |message_id| {
        let mut datagram = confirmable(message_id, POST);
        datagram.token = Token::default();
        datagram
    };
    // The homeserver responds after the device has given up, or before, and the response is lost.
    for is_late in [true, false] {
        let mut server = Server::new();
        server.receive(1, &one_token(7));
        let earlier = server.incoming().id;
        server.advance(SECOND);
        if !is_late {
            server.respond(earlier, changed());
        }
        server.sent();
        server.receive(1, &one_token(8));
        let later = server.incoming().id;
        if is_late {
            server.respond(earlier, changed());
        }
        server.advance(Duration::from_millis(500));
        assert_eq!(server.sent(), [], "late: {is_late}");
        server.respond(later, Message::new(SERVICE_UNAVAILABLE));
        assert_eq!(server.sent_one().message.code, SERVICE_UNAVAILABLE);
        assert_eq!(server.endpoint.in_flight(), 0);
    }
}

#[test]
fn an_ack_of_a_separate_response_makes_the_next_one_separate_after_a_second_again() {
    for (code, is_piggybacked) in [(code::EMPTY, false), (NOT_FOUND, true)] {
        let mut server = Server::new();
        let response = server.respond_separately(7);
        let mut ack = Datagram::empty(MessageType::Acknowledgement, response.message_id);
        ack.message.code = code;
        server.receive(1, &ack);
        assert_eq!(server.endpoint.in_flight(), 0);
        server.receive(1, &confirmable(8, POST));
        server.incoming();
        server.advance(SECOND);
        // CoAP-simple for Arduino acknowledges with 4.04: it took the response for a request.
        assert_eq!(server.sent().is_empty(), is_piggybacked);
    }
}
