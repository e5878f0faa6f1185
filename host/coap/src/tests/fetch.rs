//! FETCH (RFC 8132): a safe method whose body is part of the question.

use super::*;
use crate::code::*;
use crate::option::{BLOCK1, BLOCK2, ETAG};

fn fetch(message_id: u16, body: &str, block: Option<u8>) -> Datagram {
    let mut datagram = confirmable(message_id, FETCH);
    datagram.message.payload = body.into();
    if let Some(number) = block {
        datagram.message.push_option(BLOCK2, [number << 4 | 6]);
    }
    datagram
}

fn content(byte: u8) -> Message {
    Message::new(CONTENT).with_payload(vec![byte; 1500])
}

#[test]
fn later_blocks_come_with_the_body_or_without() {
    let mut server = Server::new();
    let first = server
        .exchange(&fetch(1, "query", None), content(7))
        .message;
    for (id, body) in [(2, "query"), (3, "")] {
        let second = server.response_to(&fetch(id, body, Some(1))).message;
        assert_eq!(second.payload, [7; 476]);
        assert_eq!(second.option(ETAG), first.option(ETAG));
    }
}

#[test]
fn a_later_block_of_another_body_is_another_request() {
    let mut server = Server::new();
    server.exchange(&fetch(1, "query", None), content(7));
    let other = server
        .exchange(&fetch(2, "another", Some(1)), content(8))
        .message;
    assert_eq!(other.payload, [8; 476]);
}

#[test]
fn a_later_block_that_is_not_stored_needs_the_body() {
    let mut server = Server::new();
    let refused = server.response_to(&fetch(1, "", Some(1))).message;
    assert_eq!(refused.code, REQUEST_ENTITY_INCOMPLETE);
    let made = server
        .exchange(&fetch(2, "query", Some(1)), content(7))
        .message;
    assert_eq!((made.code, made.payload.len()), (CONTENT, 476));
}

#[test]
fn a_body_in_blocks_is_assembled_and_its_response_sliced() {
    let mut server = Server::new();
    let mut first = fetch(1, "0123456789abcdef", None);
    first.message.push_option(BLOCK1, [0x08]);
    assert_eq!(server.response_to(&first).message.code, CONTINUE);
    let mut last = fetch(2, "gh", None);
    last.message.push_option(BLOCK1, [0x10]);
    server.receive(1, &last);
    let incoming = server.incoming();
    assert_eq!(incoming.request.message.payload, b"0123456789abcdefgh");
    server.respond(incoming.id, content(7));
    let first = server.sent_one().message;
    assert_eq!(first.payload.len(), 16, "as large as its Block1");
    let whole = "0123456789abcdefgh";
    let second = server.response_to(&fetch(3, whole, Some(1))).message;
    assert_eq!(second.payload.len(), 476);
}
