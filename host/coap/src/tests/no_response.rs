//! No-Response (RFC 7967).

use std::time::Duration;

use super::*;
use crate::code::*;
use crate::option::NO_RESPONSE;

fn unwanted(mut datagram: Datagram, classes: u8) -> Datagram {
    datagram.message.push_option(NO_RESPONSE, [classes]);
    datagram
}

/// The datagrams sent where the caller responds at once.
fn sent_for(server: &mut Server, datagram: &Datagram, response: Message) -> Vec<Datagram> {
    server.receive(1, datagram);
    let id = server.incoming().id;
    server.respond(id, response);
    server.sent()
}

#[test]
fn an_unwanted_response_to_a_confirmable_request_is_an_empty_acknowledgement() {
    let mut server = Server::new();
    let request = unwanted(confirmable(7, POST), 2);
    let acknowledgement = Datagram::empty(MessageType::Acknowledgement, 7);
    let sent = sent_for(&mut server, &request, changed());
    assert_eq!(sent, std::slice::from_ref(&acknowledgement));
    assert_eq!(server.response_to(&request), acknowledgement, "a duplicate");
    assert!(server.endpoint.poll_request().is_none(), "processed once");
    assert_eq!(server.endpoint.counters().silenced, 1);
}

#[test]
fn an_unwanted_response_to_a_non_confirmable_request_is_silence() {
    let mut server = Server::new();
    let request = unwanted(non_confirmable(7, PUT), 26);
    assert_eq!(sent_for(&mut server, &request, changed()), []);
    server.receive(1, &request);
    assert!(server.endpoint.poll_request().is_none(), "processed once");
    assert_eq!(server.sent(), []);
}

#[test]
fn only_the_classes_asked_for_are_kept_back() {
    let mut server = Server::new();
    let error = Message::diagnostic(NOT_FOUND, "nothing here");
    let request = unwanted(non_confirmable(1, PUT), 2);
    assert_eq!(sent_for(&mut server, &request, error.clone()).len(), 1);
    let request = unwanted(non_confirmable(2, PUT), 24);
    assert_eq!(sent_for(&mut server, &request, error), []);
    assert_eq!(sent_for(&mut server, &request_again(3), changed()).len(), 1);
}

fn request_again(id: u16) -> Datagram {
    unwanted(non_confirmable(id, PUT), 24)
}

#[test]
fn after_the_empty_acknowledgement_nothing_follows() {
    let mut server = Server::new();
    server.receive(1, &unwanted(confirmable(7, POST), 2));
    let id = server.incoming().id;
    server.advance(Duration::from_secs(1));
    assert_eq!(server.sent().len(), 1);
    server.respond(id, changed());
    assert_eq!((server.sent(), server.endpoint.in_flight()), (vec![], 0));
}

#[test]
fn a_body_in_blocks_is_still_asked_for_block_by_block() {
    use crate::option::BLOCK1;
    let mut server = Server::new();
    let mut first = unwanted(confirmable(1, PUT), 26);
    first.message.push_option(BLOCK1, [0x08]);
    first.message.payload = vec![1; 16];
    assert_eq!(server.response_to(&first).message.code, CONTINUE);
    // The option may stand in one block only.
    let mut last = confirmable(2, PUT);
    last.message.push_option(BLOCK1, [0x10]);
    last.message.payload = vec![2; 3];
    server.receive(1, &last);
    assert_eq!(server.incoming().request.message.payload.len(), 19);
}

#[test]
fn the_caller_never_sees_the_option() {
    let mut server = Server::new();
    server.receive(1, &unwanted(confirmable(1, PUT), 2));
    assert_eq!(server.incoming().request.message.option(NO_RESPONSE), None);
}
