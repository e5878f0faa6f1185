//! Sizes of blocks and bodies, negotiated (RFC 7959 §2.3, §2.4, §4).

use super::*;
use crate::block::Block;
use crate::code::*;
use crate::option::{BLOCK1, BLOCK2, SIZE2};

fn with_block(mut datagram: Datagram, option: u16, number: u32, more: bool, size: u8) -> Datagram {
    let block = Block {
        number,
        more,
        size_exponent: size,
    };
    datagram.message.push_option(option, block.encode());
    datagram
}

fn small_blocks() -> Server {
    Server::with_limits(Limits {
        block_size_exponent: 2,
        unproven_bytes: usize::MAX,
        ..Limits::default()
    })
}

fn block(message: &Message, option: u16) -> (u32, bool, usize) {
    let block = Block::decode(message.option(option).expect("a block")).expect("a valid block");
    (block.number, block.more, block.size())
}

#[test]
fn a_client_is_asked_for_smaller_blocks_and_goes_on_with_them() {
    let mut server = small_blocks();
    let mut first = with_block(confirmable(1, PUT), BLOCK1, 0, true, 6);
    first.message.payload = vec![1; 1024];
    let response = server.response_to(&first).message;
    assert_eq!(
        (response.code, block(&response, BLOCK1)),
        (CONTINUE, (0, true, 64))
    );
    let mut last = with_block(confirmable(2, PUT), BLOCK1, 16, false, 2);
    last.message.payload = vec![2; 10];
    server.receive(1, &last);
    assert_eq!(server.incoming().request.message.payload.len(), 1034);
}

#[test]
fn blocks_of_every_size_are_served_from_a_stored_response() {
    let body: Vec<u8> = (0..2_500u32).map(|byte| byte as u8).collect();
    for size in 0..=6 {
        let mut server = Server::new();
        let mut received = Vec::new();
        for number in 0.. {
            let id = number as u16;
            let datagram = with_block(confirmable(id, GET), BLOCK2, number, false, size);
            let whole = Message::new(CONTENT).with_payload(body.clone());
            let slice = if number == 0 {
                server.exchange(&datagram, whole).message
            } else {
                server.response_to(&datagram).message
            };
            received.extend_from_slice(&slice.payload);
            if !block(&slice, BLOCK2).1 {
                break;
            }
        }
        assert_eq!(received, body, "size exponent {size}");
        assert_eq!(server.endpoint.counters().requests, 1);
    }
}

#[test]
fn the_size_of_the_response_is_sent_on_request() {
    let mut server = Server::new();
    let mut asks = confirmable(1, GET);
    asks.message.push_uint_option(SIZE2, 0);
    let response = server.exchange(&asks, changed()).message;
    assert_eq!(response.uint_option(SIZE2), Some(4));
    let response = server.exchange(&confirmable(2, GET), changed()).message;
    assert_eq!(response.option(SIZE2), None);
}

#[test]
fn the_size_stands_in_the_first_block_only() {
    let mut server = Server::new();
    let large = Message::new(CONTENT).with_payload(vec![0; 2000]);
    let mut asks = confirmable(1, GET);
    asks.message.push_uint_option(SIZE2, 0);
    let first = server.exchange(&asks, large).message;
    assert_eq!(first.uint_option(SIZE2), Some(2000));
    let later = with_block(confirmable(2, GET), BLOCK2, 1, false, 6);
    assert_eq!(server.response_to(&later).message.option(SIZE2), None);
}
