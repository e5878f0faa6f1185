//! Message IDs that are guessed, to prove an address that is not the sender's. `guessing_mistaken` has honest messages
//! that look like guesses.

use super::observe::{SECOND, content, observing};
use super::*;
use crate::code::*;
use crate::option::{ECHO, OBSERVE};
use crate::{Ended, ObserveEvent};

pub(super) fn server() -> Server {
    Server::with_limits(Limits {
        datagrams_per_second_per_peer: 0,
        ..Limits::default()
    })
}

pub(super) fn reset(message_id: u16) -> Datagram {
    Datagram::empty(MessageType::Reset, message_id)
}

/// A registration makes the endpoint ping its unproven peer. The ping's message ID is not for an attacker's eyes.
pub(super) fn pinged(server: &mut Server, peer: u16) -> u16 {
    server.register(peer, 1).expect("an observation");
    let mut sent = server.sent();
    assert_eq!(sent.len(), 2, "a response and a ping: {sent:?}");
    sent.remove(1).message_id
}

pub(super) fn is_proven(server: &Server, peer: u16) -> bool {
    server.endpoint.is_proven(server.now, &peer)
}

/// IDs that are not this one.
pub(super) fn wrong(right: u16) -> impl Iterator<Item = u16> {
    (1..).map(move |number| right.wrapping_add(number))
}

#[test]
fn the_right_message_id_proves_an_address_unless_three_wrong_ones_came_before() {
    for before in 0..900 {
        let mut server = server();
        let right = pinged(&mut server, 1);
        for guess in wrong(right).take(before) {
            server.receive(1, &reset(guess));
        }
        server.receive(1, &reset(right));
        assert_eq!(is_proven(&server, 1), before < 3, "{before} before");
    }
}

/// The attacker is given eight bits of each ID, so that its rate can be measured. Three guesses of 256 then stand for
/// three of 65,536. It tries sixteen.
#[test]
fn of_sixteen_guesses_as_many_succeed_as_of_three() {
    const ADDRESSES: u32 = 10_000;
    let limits = Limits {
        datagrams_per_second_per_peer: 0,
        ..Limits::default()
    };
    let mut endpoint = Endpoint::<u32>::new(limits, [9; 16]);
    let now = Instant::now();
    let mut proven = 0;
    for address in 0..ADDRESSES {
        endpoint.handle_datagram(now, address, &encode(&observing(1, 0)));
        let id = endpoint.poll_request().expect("a request").id;
        endpoint.respond_observing(now, id, content("first"), None);
        let sent = std::iter::from_fn(|| endpoint.poll_transmit());
        let ping = decode(&sent.last().expect("a ping").bytes).expect("own");
        for number in 0..16 {
            let guess = ping.message_id & 0xff00 | (address + number) as u16 & 0xff;
            endpoint.handle_datagram(now, address, &encode(&reset(guess)));
        }
        proven += u32::from(endpoint.is_proven(now, &address));
        while endpoint.poll_transmit().is_some() {}
        while endpoint.poll_observe_event().is_some() {}
    }
    // Mean 117, standard deviation 11.
    assert!((73..=161).contains(&proven), "{proven} of {ADDRESSES}");
    let blocked = endpoint.counters().proofs_blocked;
    assert_eq!(blocked, u64::from(ADDRESSES - proven));
}

#[test]
fn three_wrong_ids_end_what_waits_for_a_proof_and_for_a_minute_only_an_echo_proves_the_address() {
    let mut server = server();
    let right = pinged(&mut server, 1);
    let observation = server.observed();
    assert_eq!(observation, None);
    for guess in wrong(right).take(3) {
        server.receive(1, &reset(guess));
    }
    let ended = server.observed();
    assert!(matches!(
        ended,
        Some(ObserveEvent::Ended(_, Ended::Unacknowledged))
    ));
    assert_eq!(
        (
            server.endpoint.in_flight(),
            server.endpoint.counters().proofs_blocked
        ),
        (0, 1)
    );

    // No observation begins, since no ping could prove the address.
    server.receive(1, &observing(2, 0));
    let id = server.incoming().id;
    assert_eq!(
        server
            .endpoint
            .respond_observing(server.now, id, content("one"), None),
        None
    );
    assert_eq!(server.sent_one().message.option(OBSERVE), None);

    // An acknowledgement ends the retransmissions of a response, and proves nothing.
    server.receive(1, &confirmable(3, POST));
    let id = server.incoming().id;
    server.advance(SECOND);
    server.respond(id, changed());
    let separate = server.sent().pop().expect("a separate response");
    server.acknowledge(1, separate.message_id);
    assert!(server.endpoint.in_flight() == 0 && !is_proven(&server, 1));

    let large = Message::new(CREATED).with_option(crate::option::LOCATION_PATH, [b'a'; 200]);
    let challenge = server.exchange(&with_token(confirmable(4, GET)), large);
    let mut again = confirmable(5, GET);
    let value = challenge.message.option(ECHO).expect("a value");
    again.message.push_option(ECHO, value);
    server.receive(1, &again);
    assert!(is_proven(&server, 1));
}

#[test]
fn forged_ids_cost_a_device_no_response() {
    let mut server = server();
    server.receive(1, &confirmable(1, POST));
    let id = server.incoming().id;
    server.advance(SECOND);
    server.sent();
    server.respond(id, changed());
    let response = server.sent_bytes().remove(0);
    let right = decode(&response).expect("own").message_id;
    wrong(right)
        .take(900)
        .for_each(|guess| server.receive(1, &reset(guess)));
    server.advance(3 * SECOND);
    assert_eq!(server.sent_bytes(), [response], "it is sent again");
    server.acknowledge(1, right);
    assert!(server.endpoint.in_flight() == 0 && !is_proven(&server, 1));
    assert_eq!(server.endpoint.counters().given_up, 0);
}

/// A registration and a separate response: the response waits behind the ping, or the ping before its repetition.
#[test]
fn a_response_behind_a_ping_leaves_when_the_ping_is_dropped_and_else_stays_within_its_bytes() {
    let mut server = server();
    server.receive(1, &confirmable(7, POST));
    let id = server.incoming().id;
    let ping = pinged(&mut server, 1);
    server.advance(SECOND);
    server.sent();
    server.respond(id, changed());
    assert_eq!(server.sent(), [], "it waits for the ping");
    wrong(ping)
        .take(3)
        .for_each(|guess| server.receive(1, &reset(guess)));
    assert_eq!(server.sent_one().message, changed());

    let mut server = self::server();
    server.receive(1, &confirmable(1, POST));
    let id = server.incoming().id;
    server.advance(SECOND);
    server.respond(id, changed().with_payload([b'x'; 100]));
    server.sent();
    server.advance(4 * SECOND);
    let ping = server.sent_one();
    assert_eq!(ping.message.code, EMPTY);
    wrong(ping.message_id)
        .take(900)
        .for_each(|guess| server.receive(1, &reset(guess)));
    server.receive(1, &reset(ping.message_id));
    server.advance(400 * SECOND);
    assert!(server.sent().iter().all(|sent| *sent == ping));
    assert!(!is_proven(&server, 1) && server.endpoint.state_left() == 0);
}

#[test]
fn after_the_minute_a_reset_proves_the_address_again() {
    let mut server = server();
    let right = pinged(&mut server, 1);
    wrong(right)
        .take(900)
        .for_each(|guess| server.receive(1, &reset(guess)));
    server.advance(60 * SECOND);
    server.receive(1, &observing(2, 0));
    let id = server.incoming().id;
    server
        .endpoint
        .respond_observing(server.now, id, content("one"), None);
    let ping = server.sent().pop().expect("a ping");
    server.receive(1, &reset(ping.message_id));
    assert!(is_proven(&server, 1));
}

#[test]
fn a_registration_gets_a_response_and_pings_within_the_bytes_of_an_unproven_address() {
    let mut server = server();
    server.receive(1, &observing(1, 0));
    let id = server.incoming().id;
    let long = Message::diagnostic(CONTENT, "x".repeat(131 - 4));
    server
        .endpoint
        .respond_observing(server.now, id, long, None)
        .expect("an observation");
    server.advance(400 * SECOND);
    let sent: usize = server.sent_bytes().iter().map(Vec::len).sum();
    assert!(sent <= 136, "{sent} bytes");
}
