//! Block-wise bodies.

use super::*;
use crate::block::Block;
use crate::code::*;
use crate::option::{BLOCK1, BLOCK2, REQUEST_TAG, URI_PATH};
use crate::tests::confirmable;

fn block(message_id: u16, number: u32, more: bool) -> Datagram {
    let block = Block {
        number,
        more,
        size_exponent: 0,
    };
    let mut datagram = confirmable(message_id, PUT);
    datagram.message.push_option(BLOCK1, block.encode());
    datagram.message.payload = vec![1; 16];
    datagram
}

fn tagged(message_id: u16) -> Datagram {
    let mut first = block(message_id, 0, true);
    first
        .message
        .push_option(REQUEST_TAG, message_id.to_be_bytes());
    first
}

/// The codes of an upload in two blocks.
fn upload(server: &mut Server, from: SocketAddr) -> Vec<u8> {
    let mut sent = server.exchange(from, &block(1, 0, true));
    sent.extend(server.exchange(from, &block(2, 1, false)));
    if let Some(incoming) = server.incoming() {
        assert_eq!(incoming.request.message.payload.len(), 32);
        let response = Message::new(CHANGED);
        server.endpoint.respond(server.now, incoming.id, response);
    }
    sent.extend(server.sent_to(from));
    sent.iter().map(|datagram| datagram.message.code).collect()
}

#[test]
fn nine_thousand_first_blocks_of_a_host_leave_room_for_the_uploads_of_others() {
    let mut server = Server::new();
    let begun = (0..9_000).filter(|id| {
        let sent = server.exchange(peer(FLOODING, id % 50), &tagged(*id));
        sent[0].message.code == CONTINUE
    });
    let begun = begun.count();
    assert!((900..1_000).contains(&begun), "{begun}: an eighth");
    assert_eq!(upload(&mut server, peer(HONEST, 1)), [CONTINUE, CHANGED]);
    let counters = server.endpoint.counters();
    assert_eq!(counters.bodies_above_share, 9_000 - begun as u64);
}

#[test]
fn addresses_of_a_64_share_the_room_for_bodies_and_declared_devices_do_not() {
    let flood = |limits| {
        let mut server = Server::with_limits(limits);
        let begun = (0..9_000).filter(|id| {
            let host = format!("fd00::{id:x}");
            let sent = server.exchange(peer(&host, 1), &tagged(*id));
            sent[0].message.code == CONTINUE
        });
        (begun.count(), server)
    };
    let (begun, mut server) = flood(limits());
    assert!((900..1_000).contains(&begun), "{begun}: an eighth");
    let other = peer("2001:db8::1", 1);
    assert_eq!(upload(&mut server, other), [CONTINUE, CHANGED]);

    let (begun, _) = flood(Limits {
        networks: vec![devices_of("fd00::/64".parse().expect("a prefix"))],
        ..limits()
    });
    assert!(
        begun > 7_000,
        "{begun}: each for itself, and all of them the room"
    );
}

/// The first block of a resource with a large representation.
fn large(server: &mut Server, from: SocketAddr, id: u16) {
    let mut get = confirmable(id, GET);
    get.message.push_option(URI_PATH, id.to_string());
    server.exchange(from, &get);
    server.respond_to_all(&Message::new(CONTENT).with_payload(vec![7; 20_000]));
    server.sent_to(from);
}

/// Whether the rest of that representation is stored.
fn continues(server: &mut Server, from: SocketAddr, id: u16) -> bool {
    let wanted = Block {
        number: 1,
        more: false,
        size_exponent: 6,
    };
    let mut next = confirmable(id + 20_000, GET);
    next.message.push_option(URI_PATH, id.to_string());
    next.message.push_option(BLOCK2, wanted.encode());
    let sent = server.exchange(from, &next);
    server.respond_to_all(&Message::new(CONTENT).with_payload(vec![8; 20_000]));
    server.sent_to(from);
    sent.first()
        .is_some_and(|sent| sent.message.payload == [7; 1024])
}

#[test]
fn large_responses_to_a_host_leave_room_for_those_to_others() {
    let mut server = Server::new();
    large(&mut server, peer(HONEST, 1), 1);
    (2..1_000).for_each(|id| large(&mut server, peer(FLOODING, id), id));
    large(&mut server, peer(HONEST, 2), 2);
    assert!(continues(&mut server, peer(HONEST, 1), 1));
    assert!(continues(&mut server, peer(HONEST, 2), 2));
    assert!(server.endpoint.held_in_all().bytes < 2 << 20);
}
