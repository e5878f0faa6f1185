//! Datagrams with the message ID of another request of their peer, which somebody may have forged: what they take from
//! that request.

use super::observe::{content, observing};
use super::*;
use crate::code::{CONTENT, GET, POST};

const SECOND: Duration = Duration::from_secs(1);

/// A datagram with this message ID and another token, as its sender must guess the token.
fn with_id_only(message_type: MessageType, message_id: u16) -> Datagram {
    let mut datagram = request(message_type, message_id, GET);
    datagram.token = token(999);
    datagram
}

#[test]
fn a_request_whose_empty_ack_has_left_gets_its_response_whoever_uses_its_message_id_with_another_token()
 {
    let mut server = Server::new();
    server.receive(1, &confirmable(7, POST));
    let id = server.incoming().id;
    server.advance(SECOND);
    server.sent();
    server.receive(1, &with_id_only(MessageType::Confirmable, 7));
    server.incoming();
    server.respond(id, changed());
    let response = server.sent_one();
    assert_eq!(response.message_type, MessageType::Confirmable);
    assert_eq!((response.token, response.message), (token(7), changed()));
}

#[test]
fn a_non_confirmable_request_gets_no_response_once_another_one_has_its_message_id_and_token() {
    let mut server = Server::new();
    server.receive(1, &non_confirmable(7, GET));
    let before = server.incoming().id;
    server.receive(1, &non_confirmable(7, POST));
    let after = server.incoming().id;
    server.respond(before, Message::new(CONTENT).with_payload("one"));
    assert_eq!(server.sent(), [], "it has the token of the other one");
    server.respond(after, changed());
    assert_eq!(server.sent_one().message, changed());
}

#[test]
fn a_non_confirmable_request_gets_its_response_whoever_uses_its_message_id_with_another_token() {
    let mut server = Server::new();
    server.receive(1, &non_confirmable(7, POST));
    let id = server.incoming().id;
    server.receive(1, &with_id_only(MessageType::NonConfirmable, 7));
    server.incoming();
    server.respond(id, changed());
    assert_eq!(server.sent_one().token, token(7));
}

#[test]
fn a_device_that_uses_a_message_id_again_does_not_count_as_one_that_ignores_separate_responses() {
    let mut server = Server::new();
    server.receive(1, &confirmable(7, POST));
    let id = server.incoming().id;
    server.advance(SECOND);
    server.respond(id, changed());
    server.sent();
    // It restarts, and has not seen the response.
    server.exchange(&confirmable(7, GET), changed());
    assert!(!server.endpoint.facts(server.now, &1).ignores_responses);
}

#[test]
fn a_registration_in_progress_whose_message_id_and_token_came_again_observes_nothing() {
    let mut server = Server::new();
    server.receive(1, &observing(7, 0));
    let before = server.incoming().id;
    server.receive(1, &confirmable(7, POST));
    server.incoming();
    let response = content("of before the restart");
    let begun = server
        .endpoint
        .respond_observing(server.now, before, response, None);
    assert_eq!((begun, server.sent()), (None, vec![]));
}
