//! A caller that judges a request with the first block of its body.

use super::*;
use crate::block::Block;
use crate::option::{BLOCK1, SIZE1};

fn block(message_id: u16, number: u32, more: bool) -> Datagram {
    let block = Block {
        number,
        more,
        size_exponent: 0,
    };
    let mut datagram = confirmable(message_id, code::PUT);
    datagram.message.push_option(BLOCK1, block.encode());
    datagram.message.payload = vec![number as u8; 16];
    datagram
}

fn judging() -> Server {
    let mut server = Server::new();
    server.endpoint.judge_first_blocks();
    server
}

#[test]
fn the_first_block_waits_for_the_callers_judgement_and_the_others_do_not() {
    let mut server = judging();
    let mut first = block(1, 0, true);
    first.message.push_uint_option(SIZE1, 40);
    server.receive(1, &first);
    assert!(server.sent().is_empty());
    let judged = server.endpoint.poll_first_block().expect("one to judge");
    assert_eq!((judged.request.peer, judged.announced), (1, Some(40)));
    let without_body = Message::new(code::PUT).with_option(URI_PATH, "resource");
    assert_eq!(judged.request.message, without_body);
    server.endpoint.continue_body(judged);
    let response = server.sent_one();
    assert_eq!(response.message.code, code::CONTINUE);
    assert_eq!(response.token, first.token);
    assert_eq!(server.response_to(&first), response, "a duplicate");

    let second = server.response_to(&block(2, 1, true)).message.code;
    assert_eq!(second, code::CONTINUE);
    server.receive(1, &block(3, 2, false));
    assert!(server.endpoint.poll_first_block().is_none());
    assert_eq!(server.incoming().request.message.payload.len(), 48);
}

#[test]
fn a_refused_body_leaves_nothing_and_its_next_block_is_4_08() {
    let mut server = judging();
    let first = block(1, 0, true);
    server.receive(1, &first);
    let judged = server.endpoint.poll_first_block().expect("one to judge");
    let refusal = Message::diagnostic(code::UNSUPPORTED_CONTENT_FORMAT, "another one");
    server.endpoint.refuse_body(judged, refusal.clone());
    let response = server.sent_one();
    assert_eq!(response.message, refusal);
    assert_eq!(server.endpoint.block1.bodies.len(), 0);
    assert_eq!(server.response_to(&first), response, "a duplicate");
    assert!(server.endpoint.poll_first_block().is_none());
    let next = server.response_to(&block(2, 1, true)).message.code;
    assert_eq!(next, code::REQUEST_ENTITY_INCOMPLETE);
    server.advance(Duration::from_secs(300));
    assert_eq!(server.endpoint.state_left(), 0);
}

#[test]
fn a_body_that_is_too_large_is_4_13_without_a_judgement() {
    let mut server = judging();
    let mut first = block(1, 0, true);
    first.message.push_uint_option(SIZE1, 1 << 20);
    let code = server.response_to(&first).message.code;
    assert_eq!(code, code::REQUEST_ENTITY_TOO_LARGE);
    assert!(server.endpoint.poll_first_block().is_none());
}
