//! Peers whose address may be spoofed (RFC 9175).

use std::time::Duration;

use super::*;
use crate::block::Block;
use crate::code::*;
use crate::option::{BLOCK2, ECHO, ETAG, LOCATION_PATH};

fn large() -> Message {
    Message::new(CONTENT).with_payload((0..1_000u32).map(|byte| byte as u8).collect::<Vec<_>>())
}

/// Its network takes large blocks.
pub(super) fn server() -> Server {
    Server::with_limits(Limits {
        first_block_exponent: 6,
        ..Limits::default()
    })
}

impl Server {
    /// What is sent after the ping to an address that does not respond to it.
    fn unproven_response_to(&mut self, datagram: &Datagram, response: Message) -> Datagram {
        let ping = self.exchange(datagram, response);
        assert_eq!(ping.message.code, EMPTY);
        self.advance(Duration::from_secs(1));
        self.sent_one()
    }
}

/// Lets the peer acknowledge a separate response.
fn prove(server: &mut Server, peer: u16) {
    server.receive(peer, &confirmable(900, POST));
    let id = server.incoming().id;
    server.advance(Duration::from_secs(1));
    server.respond(id, changed());
    let separate = server.sent().pop().expect("a separate response");
    let ack = Datagram::empty(MessageType::Acknowledgement, separate.message_id);
    server.receive(peer, &ack);
    assert!(server.endpoint.is_proven(server.now, &peer));
}

#[test]
fn a_large_response_to_an_unproven_peer_leaves_in_blocks_of_64_bytes() {
    let mut server = Server::with_limits(Limits::default());
    let mut received = Vec::new();
    let mut tags = Vec::new();
    for number in 0.. {
        let mut datagram = confirmable(number as u16, GET);
        if number > 0 {
            let block = Block {
                number,
                more: false,
                size_exponent: 2,
            };
            datagram.message.push_option(BLOCK2, block.encode());
        }
        server.receive(1, &datagram);
        if number == 0 {
            let id = server.incoming().id;
            server.respond(id, large());
        }
        let bytes = server.sent_bytes().remove(0);
        assert!(bytes.len() <= 136, "{} bytes", bytes.len());
        let response = decode(&bytes).expect("own").message;
        let block = Block::decode(response.option(BLOCK2).expect("a block")).expect("valid");
        assert_eq!((block.number, block.size()), (number, 64));
        tags.push(response.option(ETAG).map(<[u8]>::to_vec));
        received.extend(response.payload);
        if !block.more {
            break;
        }
    }
    assert_eq!(received, large().payload);
    tags.dedup();
    assert_eq!(tags.len(), 1);
}

#[test]
fn asking_for_large_blocks_gets_an_unproven_peer_small_ones() {
    let mut server = server();
    let mut later = confirmable(2, GET);
    later.message.push_option(BLOCK2, [0x06]);
    let first = server.unproven_response_to(&later, large());
    assert!(encode(&first).len() <= 136);
    let mut later = confirmable(3, POST);
    server.receive(1, &later);
    let id = server.incoming().id;
    server.respond(id, large());
    server.advance(Duration::from_secs(1));
    server.sent();
    later.message_id = 4;
    later.message.push_option(BLOCK2, [0x10 | 5]);
    let slice = server.response_to(&later);
    assert!(encode(&slice).len() <= 136);
    let block = Block::decode(slice.message.option(BLOCK2).expect("a block")).expect("valid");
    assert_eq!(block.offset(), 512);
}

#[test]
fn a_longer_request_gets_three_times_its_bytes() {
    let mut server = server();
    let mut datagram = confirmable(1, POST);
    datagram.message.payload = vec![0; 200];
    let response = server.unproven_response_to(&datagram, large());
    assert_eq!(response.message.payload.len(), 512);
    assert!(encode(&response).len() <= 3 * encode(&datagram).len());
}

#[test]
fn a_diagnostic_is_cut_for_an_unproven_peer() {
    let error = Message::diagnostic(NOT_FOUND, "a long story ".repeat(30));
    let response = server().exchange(&confirmable(1, GET), error);
    assert!(encode(&response).len() <= 136);
    assert!(response.message.payload.starts_with(b"a long story"));
}

#[test]
fn a_peer_that_acknowledged_a_separate_response_gets_whole_blocks() {
    let mut server = server();
    prove(&mut server, 1);
    let response = server.exchange(&confirmable(1, GET), large());
    assert_eq!(response.message.payload.len(), 1_000);
    server.receive(2, &confirmable(1, GET));
    let id = server.incoming().id;
    server.respond(id, large());
    assert_eq!(server.sent_one().message.code, EMPTY, "another peer");
}

#[test]
fn an_acknowledgement_without_a_message_proves_nothing() {
    let mut server = server();
    for id in 0..1000 {
        server.receive(1, &Datagram::empty(MessageType::Acknowledgement, id));
    }
    assert!(!server.endpoint.is_proven(server.now, &1));
}

#[test]
fn a_peer_that_acknowledges_nothing_is_sent_three_times_its_bytes_and_no_more() {
    let mut server = server();
    let mut received = 0;
    for peer in 0..20 {
        let datagram = confirmable(1, POST);
        server.receive(peer, &datagram);
        received += encode(&datagram).len().max(136 / 3 + 1);
        let id = server.incoming().id;
        server.advance(Duration::from_secs(1));
        server.respond(id, Message::new(CHANGED).with_payload(vec![0; 60]));
    }
    server.advance(Duration::from_secs(120));
    let sent: usize = server.sent_bytes().iter().map(Vec::len).sum();
    assert!(sent <= 3 * received, "{sent} bytes for {received}");
    assert!(server.endpoint.counters().retransmissions_withheld > 0);
    assert_eq!(server.endpoint.counters().given_up, 20);
}

#[test]
fn an_old_echo_is_asked_for_again() {
    let mut server = server();
    let long = Message::new(CHANGED).with_option(LOCATION_PATH, vec![b'a'; 200]);
    let challenge = server.unproven_response_to(&with_token(confirmable(1, GET)), long.clone());
    let value = challenge.message.option(ECHO).expect("a value").to_vec();
    server.advance(Duration::from_secs(162));
    server.sent();
    let mut again = confirmable(2, GET);
    again.message.push_option(ECHO, value);
    let challenge = server.unproven_response_to(&again, long);
    assert_eq!(challenge.message.code, UNAUTHORIZED);
}

#[test]
fn options_that_no_block_makes_fit_wait_for_an_echo() {
    let response = Message::new(CHANGED).with_option(LOCATION_PATH, vec![b'a'; 200]);
    let mut server = server();
    let request = with_token(confirmable(1, GET));
    let challenge = server.unproven_response_to(&request, response.clone());
    let challenge = challenge.message;
    assert_eq!(challenge.code, UNAUTHORIZED);
    let mut again = confirmable(2, GET);
    let value = challenge.option(ECHO).expect("a value");
    again.message.push_option(ECHO, value);
    assert_eq!(server.exchange(&again, response.clone()).message, response);
}

#[test]
fn a_short_message_with_the_id_of_a_long_request_does_not_get_its_response() {
    let mut server = server();
    let mut long = confirmable(1, POST);
    long.message.payload = vec![0; 300];
    let response = Message::new(CHANGED).with_payload(vec![b'a'; 700]);
    let response = server.exchange(&long, response);
    assert!(encode(&response).len() > 136);
    let short = Datagram {
        token: Token::default(),
        message: Message::new(POST),
        ..long.clone()
    };
    server.receive(1, &short);
    let id = server.incoming().id;
    let own = Message::new(CHANGED).with_payload(vec![b'b'; 700]);
    server.respond(id, own);
    server.advance(Duration::from_secs(1));
    let own = server.sent().pop().expect("a response");
    assert!(encode(&own).len() <= 136, "it is a request of its own");
    assert_eq!(server.response_to(&long), response, "the request itself is");
}

#[test]
fn a_success_that_no_block_makes_fit_is_its_code_where_a_repetition_would_do_it_again() {
    let long = Message::new(CREATED).with_option(LOCATION_PATH, vec![b'a'; 200]);
    for request in [confirmable(1, POST), with_token(confirmable(1, PUT))] {
        let response = server().unproven_response_to(&request, long.clone());
        assert_eq!(response.message, Message::new(CREATED));
    }
}
