//! Other bounds for an endpoint that is at work.

use super::*;
use crate::block::Block;
use crate::code::*;
use crate::option::{BLOCK2, SIZE1};

fn tightened() -> Limits {
    Limits {
        request_body: 1024,
        block_size_exponent: 2,
        unproven_bytes: usize::MAX,
        datagrams_per_second_per_peer: 0,
        ..Limits::default()
    }
}

fn large(message_id: u16) -> Datagram {
    let mut datagram = confirmable(message_id, PUT);
    datagram.message.payload = vec![1; 1025];
    datagram
}

#[test]
fn bounds_apply_to_new_requests_and_not_to_those_under_way() {
    let mut server = Server::new();
    server.receive(1, &large(1));
    let under_way = server.incoming();
    server.receive(1, &confirmable(2, GET));
    server.endpoint.set_limits(&tightened());
    let refused = server.response_to(&large(3)).message;
    assert_eq!(refused.code, REQUEST_ENTITY_TOO_LARGE);
    assert_eq!(refused.uint_option(SIZE1), Some(1024));
    server.endpoint.set_limits(&Limits {
        exchanges_per_peer: 1,
        ..tightened()
    });
    let refused = server.response_to(&confirmable(4, GET)).message;
    assert_eq!(refused.code, SERVICE_UNAVAILABLE, "two are in flight");
    server.respond(under_way.id, changed());
    assert_eq!(server.sent_one().message.code, CHANGED);
}

#[test]
fn a_stored_response_leaves_in_smaller_blocks_from_then_on() {
    let mut server = Server::new();
    let body: Vec<u8> = (0..3_000_u32).map(|byte| byte as u8).collect();
    let whole = Message::new(CONTENT).with_payload(body.clone());
    let first = server.exchange(&confirmable(1, GET), whole).message;
    assert_eq!(first.payload, body[..1024]);
    server.endpoint.set_limits(&tightened());
    let mut next = confirmable(2, GET);
    let wanted = Block {
        number: 1,
        more: false,
        size_exponent: 6,
    };
    next.message.push_option(BLOCK2, wanted.encode());
    let second = server.response_to(&next).message;
    assert_eq!(second.payload, body[1024..1024 + 64]);
}

#[test]
fn an_address_is_to_be_proven_from_then_on() {
    let mut server = Server::new();
    server.endpoint.set_limits(&Limits {
        echo: true,
        ..Limits::default()
    });
    let ping = server.response_to(&confirmable(1, GET));
    assert_eq!(
        ping,
        Datagram::empty(MessageType::Confirmable, ping.message_id)
    );
    assert!(server.endpoint.poll_request().is_none());
    server.reset(1, ping.message_id);
    server.incoming();
}
