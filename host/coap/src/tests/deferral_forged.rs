//! Requests from forged addresses that wait for a proof: what they may cost, and whom they must not harm.

use super::deferral::server;
use super::observe::{SECOND, content, observing};
use super::*;
use crate::code::*;
use crate::option::ECHO;

#[test]
fn without_a_proof_the_request_is_never_processed_and_a_forged_address_gets_three_times_its_bytes_at_most()
 {
    let mut server = server();
    let forged = confirmable(1, PUT);
    let mut sent = 0;
    server.receive(1, &forged);
    server.defer();
    for _ in 0..400 {
        server.advance(SECOND);
        sent += server.sent_bytes().iter().map(Vec::len).sum::<usize>();
        assert!(server.endpoint.poll_request().is_none());
    }
    let received = encode(&forged).len();
    assert!(sent <= 3 * received, "{sent} bytes for {received}");
    let counters = server.endpoint.counters();
    assert_eq!(
        (
            counters.deferred,
            counters.deferred_released,
            counters.deferred_dropped
        ),
        (1, 0, 1)
    );
    assert_eq!(
        (server.endpoint.deferred(), server.endpoint.state_left()),
        (0, 0)
    );
}

#[test]
fn a_flood_of_forged_addresses_takes_bounded_room_and_others_prove_themselves_by_echo() {
    let mut server = server();
    for peer in 1..2_000 {
        let mut forged = confirmable(1, PUT);
        forged.message.payload = vec![0; 1_000];
        server.receive(peer, &forged);
        server.defer();
        server.sent_bytes();
    }
    assert_eq!(server.endpoint.deferred(), 1_024);
    server.receive(3_000, &with_token(confirmable(1, PUT)));
    server.defer();
    let challenge = server.sent_one().message;
    let mut again = confirmable(2, PUT);
    let value = challenge.option(ECHO).expect("a value");
    again.message.push_option(ECHO, value);
    server.receive(3_000, &again);
    server.incoming();
    server.advance(100 * SECOND);
    assert_eq!(
        (server.endpoint.deferred(), server.endpoint.in_flight()),
        (0, 1)
    );
}

#[test]
fn large_bodies_of_one_peer_leave_room_for_those_of_others() {
    let mut server = server();
    let mut large = confirmable(1, PUT);
    large.message.payload = vec![0; 60_000];
    for id in 0..8 {
        large.message_id = id;
        server.receive(1, &large);
        server.defer();
    }
    assert_eq!(server.endpoint.deferred(), 4);
    server.receive(2, &large);
    server.defer();
    assert_eq!(server.endpoint.deferred(), 5);
}

#[test]
fn a_forged_request_does_not_end_the_observation_of_a_device_that_is_out_of_reach() {
    let mut server = server();
    let id = server.register(1, 1).expect("an observation");
    let ping = server.sent().remove(1);
    server.reset(1, ping.message_id);
    server.advance(3_601 * SECOND);
    server.pinged_for(&confirmable(2, PUT));
    server.advance(100 * SECOND);
    assert_eq!((server.observed(), server.endpoint.deferred()), (None, 0));
    let notification = server.endpoint.notify(server.now, id, content("second"));
    assert!(notification);
}

#[test]
fn an_observation_that_ends_leaves_the_ping_of_a_waiting_request() {
    let mut server = Server::with_limits(Limits {
        observations: 1,
        ..Limits::default()
    });
    server.register(1, 1).expect("an observation");
    let ping = server.sent().remove(1);
    server.receive(1, &confirmable(2, PUT));
    server.defer();
    server.receive(2, &observing(1, 0));
    let id = server.incoming().id;
    server
        .endpoint
        .respond_observing(server.now, id, content("one"), None);
    server.reset(1, ping.message_id);
    assert_eq!(server.incoming().request.message.code, PUT);
}

#[test]
fn repetitions_of_one_response_leave_the_next_one_its_bytes() {
    let mut server = server();
    for id in 1..3 {
        server.receive(1, &confirmable(id, POST));
    }
    let [first, second] = [0, 1].map(|_| server.endpoint.poll_request().expect("a request").id);
    server.advance(SECOND);
    server.respond(first, changed().with_payload([b'a'; 40]));
    server.advance(100 * SECOND);
    server.respond(second, changed().with_payload([b'b'; 100]));
    let sent: usize = server.sent_bytes().iter().map(Vec::len).sum();
    assert!(sent <= 2 * 136, "{sent} bytes");
}
