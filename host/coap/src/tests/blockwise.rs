//! Bodies in blocks, both ways (RFC 7959).

use std::time::Duration;

use super::*;
use crate::block::Block;
use crate::code::*;
use crate::option::*;

/// One block of a request, as a datagram.
fn part(message_id: u16, method: u8, number: u32, more: bool, payload: &[u8]) -> Datagram {
    let mut datagram = confirmable(message_id, method);
    datagram.message.push_option(
        BLOCK1,
        Block {
            number,
            more,
            size_exponent: 0,
        }
        .encode(),
    );
    datagram.message.payload = payload.to_vec();
    datagram
}

fn later(message_id: u16, method: u8, number: u32, size_exponent: u8) -> Datagram {
    let mut datagram = confirmable(message_id, method);
    datagram.message.push_option(
        BLOCK2,
        Block {
            number,
            more: false,
            size_exponent,
        }
        .encode(),
    );
    datagram
}

fn block(message: &Message, option: u16) -> (u32, bool, usize) {
    let block = Block::decode(message.option(option).expect("a block")).expect("a valid block");
    (block.number, block.more, block.size())
}

fn large(byte: u8) -> Message {
    Message::new(CONTENT).with_payload(vec![byte; 2_500])
}

#[test]
fn a_body_in_blocks_is_handed_over_whole_without_its_block_options() {
    let mut server = Server::new();
    let mut first = part(1, PUT, 0, true, &[1; 16]);
    first.message = first
        .message
        .with_uint_option(SIZE1, 20)
        .with_option(REQUEST_TAG, "t");
    let mut last = part(2, PUT, 1, false, &[2; 4]);
    last.message.push_option(REQUEST_TAG, "t");

    let response = server.response_to(&first);
    assert_eq!(
        (response.message.code, block(&response.message, BLOCK1)),
        (CONTINUE, (0, true, 16))
    );
    server.receive(1, &last);
    let incoming = server.incoming();
    let whole = confirmable(0, PUT)
        .message
        .with_payload([vec![1; 16], vec![2; 4]].concat());
    assert_eq!(incoming.request.message, whole);
    assert_eq!(
        incoming.request.wire_bytes,
        encode(&first).len() + encode(&last).len()
    );
    server.respond(incoming.id, changed());
    let response = server.sent_one();
    assert_eq!(
        (response.message.code, block(&response.message, BLOCK1)),
        (CHANGED, (1, false, 16))
    );
}

#[test]
fn a_repeated_block_gets_its_response_again_and_is_not_appended_twice() {
    let mut server = Server::new();
    let first = part(1, PUT, 0, true, &[1; 16]);
    let middle = part(2, PUT, 1, true, &[2; 16]);
    server.response_to(&first);
    let response = server.response_to(&middle);
    assert_eq!(server.response_to(&middle), response);
    assert_eq!(server.response_to(&first).message.code, CONTINUE);
    server.receive(1, &part(3, PUT, 2, false, &[3]));
    assert_eq!(server.incoming().request.message.payload.len(), 33);
}

#[test]
fn blocks_of_another_peer_content_format_or_request_tag_are_never_assembled_together() {
    let mut server = Server::new();
    assert_eq!(
        server
            .response_to(&part(1, PUT, 0, true, &[1; 16]))
            .message
            .code,
        CONTINUE
    );
    let last = part(2, PUT, 1, false, &[2]);
    let mut other_format = part(3, PUT, 1, false, &[2]);
    other_format.message.push_uint_option(CONTENT_FORMAT, 60);
    let mut other_tag = part(4, PUT, 1, false, &[2]);
    other_tag.message.push_option(REQUEST_TAG, "x");
    let other_method = part(5, POST, 1, false, &[2]);
    for datagram in [other_format, other_tag, other_method] {
        assert_eq!(
            server.response_to(&datagram).message.code,
            REQUEST_ENTITY_INCOMPLETE
        );
    }
    server.receive(2, &last);
    assert_eq!(server.sent_one().message.code, REQUEST_ENTITY_INCOMPLETE);
    server.receive(1, &last);
    assert_eq!(server.incoming().request.message.payload.len(), 17);
}

#[test]
fn an_upload_left_alone_for_a_minute_is_forgotten() {
    let mut server = Server::new();
    server.response_to(&part(1, PUT, 0, true, &[1; 16]));
    server.advance(Duration::from_secs(60));
    assert_eq!(
        server
            .response_to(&part(2, PUT, 1, false, &[2]))
            .message
            .code,
        REQUEST_ENTITY_INCOMPLETE
    );
    assert_eq!(server.endpoint.counters().bodies_dropped, 1);
}

#[test]
fn a_body_above_the_limit_is_refused_with_the_limit() {
    let mut server = Server::new();
    let mut announced = part(1, PUT, 0, true, &[1; 16]);
    announced.message.push_uint_option(SIZE1, 131_073);
    let response = server.response_to(&announced).message;
    assert_eq!(
        (response.code, response.uint_option(SIZE1)),
        (REQUEST_ENTITY_TOO_LARGE, Some(131_072))
    );

    let mut server = Server::with_limits(Limits {
        request_body: 10,
        ..Limits::default()
    });
    let mut whole = confirmable(2, PUT);
    whole.message.payload = vec![0; 11];
    assert_eq!(
        server.response_to(&whole).message.code,
        REQUEST_ENTITY_TOO_LARGE
    );
}

#[test]
fn the_reserved_block_size_is_a_bad_request() {
    for number in [BLOCK1, BLOCK2] {
        let mut datagram = confirmable(1, PUT);
        datagram.message.push_uint_option(number, 7);
        assert_eq!(
            Server::new().response_to(&datagram).message.code,
            BAD_REQUEST
        );
    }
}

#[test]
fn a_new_upload_waits_when_the_room_is_taken_by_live_ones() {
    let mut server = Server::with_limits(Limits {
        body_bytes: 2 * 600,
        ..Limits::default()
    });
    assert_eq!(
        server
            .response_to(&part(1, PUT, 0, true, &[1; 16]))
            .message
            .code,
        CONTINUE
    );
    server.receive(2, &part(1, PUT, 0, true, &[1; 16]));
    let refused = server.sent_one().message;
    assert_eq!(
        (refused.code, refused.uint_option(MAX_AGE)),
        (SERVICE_UNAVAILABLE, Some(5))
    );
    server.advance(Duration::from_secs(10));
    server.receive(2, &part(2, PUT, 0, true, &[1; 16]));
    assert_eq!(server.sent_one().message.code, CONTINUE);
}

#[test]
fn a_large_response_is_made_once_and_served_block_by_block() {
    let mut server = Server::new();
    let first = server.exchange(&confirmable(1, GET), large(7)).message;
    assert_eq!(block(&first, BLOCK2), (0, true, 1024));
    assert_eq!(
        (first.payload.len(), first.uint_option(SIZE2)),
        (1024, Some(2_500))
    );
    let second = server.response_to(&later(2, GET, 1, 6)).message;
    let third = server.response_to(&later(3, GET, 2, 6)).message;
    assert_eq!(
        (block(&second, BLOCK2), block(&third, BLOCK2)),
        ((1, true, 1024), (2, false, 1024))
    );
    assert_eq!(third.payload.len(), 2_500 - 2_048);
    assert!(first.option(ETAG).is_some() && first.option(ETAG) == third.option(ETAG));
    assert_eq!(server.endpoint.counters().requests, 1);
    assert_eq!(
        server.response_to(&later(4, GET, 3, 6)).message.code,
        BAD_REQUEST
    );
}

#[test]
fn a_client_gets_the_block_size_it_asks_for_early_or_late() {
    let mut server = Server::new();
    let first = server.exchange(&later(1, GET, 0, 2), large(7)).message;
    assert_eq!(
        (block(&first, BLOCK2), first.payload.len()),
        ((0, true, 64), 64)
    );

    let first = server.exchange(&later(2, GET, 0, 6), large(7)).message;
    assert_eq!(block(&first, BLOCK2), (0, true, 1024));
    let second = server.response_to(&later(3, GET, 16, 2)).message;
    assert_eq!(block(&second, BLOCK2), (16, true, 64));
}

#[test]
fn a_later_block_that_is_not_stored_is_made_again_for_a_get_only() {
    let mut server = Server::new();
    let again = server.exchange(&later(1, GET, 1, 6), large(7)).message;
    assert_eq!(
        (block(&again, BLOCK2), again.payload.len()),
        ((1, true, 1024), 1024)
    );
    assert_eq!(
        server.response_to(&later(2, POST, 1, 6)).message.code,
        REQUEST_ENTITY_INCOMPLETE
    );
    assert!(server.endpoint.poll_request().is_none());
}

#[test]
fn a_request_in_blocks_can_have_a_response_in_blocks() {
    let mut server = Server::new();
    server.response_to(&part(1, POST, 0, true, &[1; 16]));
    let first = server
        .exchange(&part(2, POST, 1, false, &[2]), large(9))
        .message;
    assert_eq!(
        (block(&first, BLOCK1), block(&first, BLOCK2)),
        ((1, false, 16), (0, true, 16))
    );
    let second = server.response_to(&later(3, POST, 1, 6)).message;
    assert_eq!(
        (block(&second, BLOCK2), second.option(BLOCK1)),
        ((1, true, 1024), None)
    );
    assert_eq!(server.endpoint.counters().requests, 1);
}

#[test]
fn two_bodies_of_one_resource_have_different_etags_and_equal_ones_the_same() {
    let mut server = Server::new();
    let mut tags = [7, 7, 8].map(|byte| {
        let first = server
            .exchange(&confirmable(u16::from(byte), GET), large(byte))
            .message;
        first.option(ETAG).map(<[u8]>::to_vec)
    });
    assert_eq!(tags[0], tags[1]);
    tags.sort();
    assert_ne!(tags[0], tags[2]);
}

#[test]
fn a_newer_response_that_fits_ends_the_fetching_of_the_older_one() {
    let mut server = Server::new();
    server.exchange(&confirmable(1, POST), large(7));
    server.exchange(&confirmable(2, POST), changed());
    let rest = server.response_to(&later(3, POST, 1, 6)).message;
    assert_eq!(rest.code, REQUEST_ENTITY_INCOMPLETE);
}
