//! Devices that restart without entropy and use message IDs again (RFC 7252 §4.2, §4.4): other bytes are another
//! request.

use super::observe::{content, observing};
use super::*;
use crate::ObserveEvent;
use crate::code::{CONTENT, GET, PUT};
use crate::option::OBSERVE;

fn put(message_id: u16, text: &str) -> Datagram {
    let mut datagram = confirmable(message_id, PUT);
    datagram.message.payload = text.into();
    datagram
}

fn event(text: &str) -> Message {
    Message::new(code::CHANGED).with_payload(text)
}

#[test]
fn another_request_under_a_remembered_message_id_is_processed_and_both_are_remembered() {
    let mut server = Server::new();
    let first = server.exchange(&put(7, "A1"), event("one"));
    let second = server.exchange(&put(7, "B2"), event("two"));
    assert_eq!(second.message.payload, b"two");
    assert_eq!(server.endpoint.counters().message_ids_reused, 1);
    let reused = [(); 2].map(|()| server.endpoint.take_reused_id());
    assert_eq!(reused, [Some(1), None]);

    assert_eq!(server.response_to(&put(7, "A1")), first);
    assert_eq!(server.response_to(&put(7, "B2")), second);
    assert_eq!(server.endpoint.counters().duplicates, 2);
}

#[test]
fn another_token_or_method_under_a_remembered_message_id_is_another_request() {
    let mut server = Server::new();
    server.exchange(&put(7, "A1"), event("one"));
    let mut other_token = put(7, "A1");
    other_token.token = token(99);
    let response = server.exchange(&other_token, event("two"));
    assert_eq!(response.token, token(99));
    let joined = server.exchange(&confirmable(7, code::POST), event("joined"));
    assert_eq!(joined.message.payload, b"joined");
    assert_eq!(server.endpoint.counters().duplicates, 0);
}

#[test]
fn a_request_in_progress_gets_no_ack_once_another_one_has_its_message_id() {
    let mut server = Server::new();
    server.receive(1, &put(7, "before the restart"));
    let before = server.incoming().id;
    server.receive(1, &put(7, "after it"));
    let after = server.incoming().id;
    server.respond(before, event("one"));
    assert_eq!(server.sent(), [], "it would be taken for the other one's");
    server.advance(Duration::from_secs(1));
    let empty = Datagram::empty(MessageType::Acknowledgement, 7);
    assert_eq!(
        server.sent(),
        std::slice::from_ref(&empty),
        "that of the second request"
    );
    server.respond(after, event("two"));
    let response = server.sent_one();
    assert_eq!(response.message_type, MessageType::Confirmable);
    assert_eq!(response.message.payload, b"two");

    // The first request travelled for long.
    let late = server.response_to(&put(7, "before the restart"));
    assert_eq!(late.message.payload, b"one");
    assert_eq!(server.response_to(&put(7, "after it")), empty);
    assert_eq!(server.endpoint.counters().requests, 2);
}

#[test]
fn a_registration_is_repeated_from_memory_only_while_its_observation_exists() {
    let mut server = Server::new();
    let (id, first) = server.observe(1, 7);
    let id = id.expect("an observation");
    assert_eq!(server.response_to(&observing(7, 0)), first);

    let notification = server.notify(id, "a message");
    let reset = Datagram::empty(MessageType::Reset, notification.message_id);
    server.receive(1, &reset);
    assert!(matches!(server.observed(), Some(ObserveEvent::Ended(..))));
    let (again, response) = server.observe(1, 7);
    let again = again.expect("another observation");
    assert_eq!(response.message.code, CONTENT);
    assert!(response.message.option(OBSERVE).is_some());
    assert!(server.endpoint.notify(server.now, again, content("next")));
    assert_eq!(server.sent_one().token, token(7));
    assert_eq!(server.endpoint.counters().requests, 2);
}

#[test]
fn a_separate_response_with_a_token_that_came_again_does_not_leave_any_more() {
    let mut server = Server::new();
    server.receive(1, &put(7, "before the restart"));
    let before = server.incoming().id;
    server.advance(Duration::from_secs(1));
    server.respond(before, event("one"));
    assert_eq!(server.sent().len(), 2, "the empty ACK and the response");
    let after = server.exchange(&put(7, "after it"), event("two"));
    assert_eq!(after.message.payload, b"two");
    server.advance(Duration::from_secs(100));
    assert_eq!((server.sent(), server.endpoint.in_flight()), (vec![], 0));

    // The same where the homeserver had not responded before the restart.
    server.receive(1, &put(8, "before the restart"));
    let before = server.incoming().id;
    server.advance(Duration::from_secs(10));
    server.sent();
    server.exchange(&put(8, "after it"), event("two"));
    server.respond(before, event("one"));
    assert_eq!(server.sent(), []);
}

#[test]
fn a_get_in_progress_is_superseded_too() {
    let mut server = Server::new();
    server.receive(1, &confirmable(7, GET));
    let before = server.incoming().id;
    server.receive(1, &put(7, "after it"));
    let after = server.incoming().id;
    server.respond(after, event("two"));
    assert_eq!(server.sent_one().message.payload, b"two");
    server.respond(before, event("one"));
    assert_eq!(server.sent(), []);
}
