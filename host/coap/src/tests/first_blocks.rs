//! The size of a first block whose request names none, and responses that wait for a proof to be sent in full.

use std::net::SocketAddr;

use super::observe::observing;
use super::*;
use crate::NetworkSettings;
use crate::block::Block;
use crate::code::*;
use crate::option::{BLOCK1, BLOCK2, NO_RESPONSE, OBSERVE};

const SECOND: Duration = Duration::from_secs(1);

fn large() -> Message {
    Message::new(CONTENT).with_payload(vec![7; 600])
}

fn with_block(mut datagram: Datagram, option: u16, size_exponent: u8) -> Datagram {
    let block = Block {
        number: 0,
        more: false,
        size_exponent,
    };
    datagram.message.push_option(option, block.encode());
    datagram
}

/// A server with the usual limits, and whether its peers are proven.
fn server(is_proven: bool) -> Server {
    let limits = Limits::default();
    Server::with_limits(Limits {
        unproven_bytes: if is_proven {
            usize::MAX
        } else {
            limits.unproven_bytes
        },
        ..limits
    })
}

#[test]
fn a_first_block_has_64_bytes_whether_the_address_is_proven_or_not() {
    for is_proven in [false, true] {
        let mut server = server(is_proven);
        let first = server.exchange(&confirmable(1, GET), large()).message;
        assert_eq!(first.payload.len(), 64, "proven: {is_proven}");
        let block = Block::decode(first.option(BLOCK2).expect("a block")).expect("valid");
        assert!(block.more && block.number == 0 && block.size() == 64);
    }
}

#[test]
fn a_notification_has_at_most_64_bytes_too() {
    let mut server = server(true);
    let (id, _) = server.observe(1, 7);
    let id = id.expect("an observation");
    assert!(server.endpoint.notify(server.now, id, large()));
    assert_eq!(server.sent_one().message.payload.len(), 64);
}

#[test]
fn the_size_that_a_peer_asks_for_or_sends_counts_for_its_later_responses_and_notifications() {
    for (option, method) in [(BLOCK2, GET), (BLOCK1, PUT)] {
        let mut server = server(true);
        let (id, _) = server.observe(1, 7);
        let id = id.expect("an observation");
        server.exchange(&with_block(confirmable(1, method), option, 4), large());
        let later = server.exchange(&confirmable(2, POST), large()).message;
        assert_eq!(later.payload.len(), 256);
        assert!(server.endpoint.notify(server.now, id, large()));
        assert_eq!(server.sent_one().message.payload.len(), 256);

        server.receive(2, &confirmable(3, POST));
        let id = server.incoming().id;
        server.respond(id, large());
        assert_eq!(server.sent_one().message.payload.len(), 64, "another peer");
    }
}

#[test]
fn the_size_that_a_peer_asked_for_is_forgotten_after_an_hour() {
    let mut server = server(true);
    server.exchange(&with_block(confirmable(1, GET), BLOCK2, 4), large());
    server.advance(Duration::from_secs(3600));
    let later = server.exchange(&confirmable(2, GET), large()).message;
    assert_eq!(later.payload.len(), 64);
}

#[test]
fn a_network_has_a_size_and_a_delay_of_its_own() {
    let limits = Limits {
        unproven_bytes: usize::MAX,
        networks: vec![NetworkSettings {
            prefix: "fd00::/64".parse().expect("a prefix"),
            devices: false,
            first_block_exponent: Some(5),
            ack_delay: Some(5 * SECOND),
            ack_delay_max: None,
        }],
        ..Limits::default()
    };
    let mut endpoint: Endpoint<SocketAddr> = Endpoint::new(limits, [5; 16]);
    let now = Instant::now();
    for (address, size, delay) in [("[fd00::1]:1", 512, 5), ("[fd00:0:0:1::1]:1", 64, 1)] {
        let peer: SocketAddr = address.parse().expect("an address");
        endpoint.handle_datagram(now, peer, &encode(&confirmable(1, GET)));
        assert_eq!(endpoint.next_timeout(), Some(now + delay * SECOND));
        let id = endpoint.poll_request().expect("a request").id;
        endpoint.respond(now, id, large());
        let sent = endpoint.poll_transmit().expect("a response").bytes;
        let response = decode(&sent).expect("own").message;
        assert_eq!(response.payload.len(), size);
    }
}

#[test]
fn an_error_of_100_bytes_leaves_whole() {
    let mut server = server(true);
    let error = Message::diagnostic(NOT_FOUND, "x".repeat(100));
    let response = server.exchange(&confirmable(1, GET), error.clone());
    assert_eq!(response.message, error);
}

#[test]
fn a_response_above_three_times_its_request_waits_for_the_reset_of_a_ping_and_leaves_in_full() {
    for message_type in [MessageType::Confirmable, MessageType::NonConfirmable] {
        let mut server = server(false);
        let datagram = with_block(request(message_type, 1, GET), BLOCK2, 5);
        let ping = server.exchange(&datagram, large());
        assert_eq!(ping.message.code, EMPTY);
        if message_type == MessageType::Confirmable {
            server.receive(1, &datagram);
            assert_eq!(server.sent(), [], "a duplicate is recognised");
        }
        server.reset(1, ping.message_id);
        let response = server.sent_one();
        assert_eq!(response.message.payload.len(), 512);
        server.advance(Duration::from_secs(400));
        assert_eq!((server.sent(), server.endpoint.in_flight()), (vec![], 0));
    }
}

#[test]
fn without_a_proof_as_much_of_it_as_fits_leaves_after_a_second_in_the_acknowledgement() {
    let mut server = server(false);
    let datagram = with_block(confirmable(1, GET), BLOCK2, 5);
    let ping = encode(&server.exchange(&datagram, large()));
    server.advance(Duration::from_millis(999));
    assert_eq!(server.sent(), []);
    server.advance(Duration::from_millis(1));
    let response = server.sent_one();
    assert_eq!(response.message_type, MessageType::Acknowledgement);
    assert_eq!(response.message.payload.len(), 64);
    server.advance(Duration::from_secs(400));
    let pings = server.sent_bytes();
    let sent = encode(&response).len() + ping.len() + pings.iter().map(Vec::len).sum::<usize>();
    assert!(
        sent <= 136,
        "{sent} bytes to an address that proves nothing"
    );
    assert_eq!(server.endpoint.in_flight(), 0);
}

#[test]
fn the_caller_responds_once_also_while_the_response_waits() {
    let mut server = server(false);
    server.receive(1, &with_block(confirmable(1, GET), BLOCK2, 5));
    let id = server.incoming().id;
    server.respond(id, large());
    let ping = server.sent_one();
    server.respond(id, changed());
    server.reset(1, ping.message_id);
    assert_eq!(server.sent_one().message.code, CONTENT);
}

#[test]
fn a_registration_that_waits_for_a_proof_comes_before_its_notifications_in_number_and_time() {
    let mut server = server(false);
    server.receive(1, &with_block(observing(7, 0), BLOCK2, 5));
    let id = server.incoming().id;
    let observation = server
        .endpoint
        .respond_observing(server.now, id, large(), None)
        .expect("an observation");
    let ping = server.sent_one();
    assert!(server.endpoint.notify(server.now, observation, changed()));
    server.reset(1, ping.message_id);
    let sent = server.sent();
    let numbers: Vec<_> = sent
        .iter()
        .map(|datagram| datagram.message.uint_option(OBSERVE))
        .collect();
    assert_eq!(numbers, [Some(1), Some(2)]);
    assert_eq!(sent[0].message.payload.len(), 512);
}

#[test]
fn a_registration_whose_observation_ended_while_it_waited_has_no_observe_option() {
    let mut server = server(false);
    server.receive(1, &with_block(observing(7, 0), BLOCK2, 5));
    let id = server.incoming().id;
    let begun = server
        .endpoint
        .respond_observing(server.now, id, large(), None);
    assert!(begun.is_some());
    let ping = server.sent_one();
    let mut cancel = observing(8, 1);
    cancel.token = token(7);
    server.receive(1, &cancel);
    server.reset(1, ping.message_id);
    let response = server.sent().remove(0);
    assert_eq!(response.message.option(OBSERVE), None);
}

#[test]
fn a_response_that_leaves_in_small_blocks_anyway_waits_for_no_proof() {
    let mut server = Server::with_limits(Limits {
        block_size_exponent: 2,
        ..Limits::default()
    });
    let asked = server.exchange(&with_block(confirmable(1, GET), BLOCK2, 6), large());
    let remembered = server.exchange(&confirmable(2, GET), large());
    for response in [asked, remembered] {
        assert_eq!(response.message.payload.len(), 64);
    }
}

#[test]
fn responses_that_wait_for_proofs_leave_room_for_the_requests_of_others() {
    for (requests, length) in [(20_000, 600), (100, 1 << 20)] {
        let mut server = server(false);
        for forged in 0..requests {
            server.receive(forged, &with_block(confirmable(1, GET), BLOCK2, 5));
            let id = server.incoming().id;
            let response = Message::new(CONTENT).with_payload(vec![7; length]);
            server.respond(id, response);
        }
        server.receive(u16::MAX, &confirmable(1, POST));
        server.incoming();
    }
}

#[test]
fn forged_requests_whose_responses_wait_for_a_second_leave_no_pings_that_shut_others_out() {
    let mut server = server(false);
    for forged in 0..60_000 {
        server.receive(forged, &with_block(confirmable(1, GET), BLOCK2, 5));
        let id = server.incoming().id;
        server.respond(id, large());
        server.sent();
        server.advance(Duration::from_millis(1));
    }
    let in_flight = server.endpoint.in_flight();
    assert!(in_flight <= 3 * 1024, "{in_flight} exchanges and pings");
    server.receive(u16::MAX, &confirmable(1, POST));
    server.incoming();
}

#[test]
fn a_response_that_is_suppressed_waits_for_no_proof() {
    let mut server = server(false);
    let mut datagram = with_block(confirmable(1, POST), BLOCK2, 5);
    datagram.message.push_option(NO_RESPONSE, [2]);
    let response = server.exchange(&datagram, large());
    let empty = Datagram::empty(MessageType::Acknowledgement, 1);
    assert_eq!(response, empty);
}

#[test]
fn a_registration_leaves_in_full_after_the_ping_also_if_only_the_ping_makes_it_too_large() {
    for length in 90..128 {
        let mut server = server(false);
        server.receive(1, &with_block(observing(7, 0), BLOCK2, 3));
        let id = server.incoming().id;
        let response = Message::new(CONTENT).with_payload(vec![7; length]);
        let begun = server
            .endpoint
            .respond_observing(server.now, id, response, None);
        assert!(begun.is_some());
        let mut sent = server.sent();
        let ping = sent.iter().find(|sent| sent.message.code == EMPTY);
        server.reset(1, ping.expect("a ping").message_id);
        sent.extend(server.sent());
        let response = sent.iter().find(|sent| sent.message.code == CONTENT);
        let payload = &response.expect("a response").message.payload;
        assert_eq!(payload.len(), length);
    }
}
