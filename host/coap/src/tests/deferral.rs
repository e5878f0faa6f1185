//! Requests that wait until their peer has proven its address.

use super::observe::SECOND;
use super::*;
use crate::client::{BlockSize, ClientExchange, Settings};
use crate::code::*;
use crate::option::{ECHO, LOCATION_PATH, MAX_AGE};

pub(super) fn server() -> Server {
    Server::with_limits(Limits {
        first_block_exponent: 6,
        ..Limits::default()
    })
}

impl Server {
    /// Takes the one request, and lets it wait.
    pub(super) fn defer(&mut self) {
        let incoming = self.incoming();
        assert!(self.endpoint.prove_then(self.now, incoming).is_none());
    }

    /// Receives a request and lets it wait; returns the ping.
    pub(super) fn pinged_for(&mut self, datagram: &Datagram) -> Datagram {
        self.receive(1, datagram);
        self.defer();
        self.sent_one()
    }

    pub(super) fn reset(&mut self, peer: u16, message_id: u16) {
        self.receive(peer, &Datagram::empty(MessageType::Reset, message_id));
    }
}

#[test]
fn a_request_of_a_proven_peer_comes_back_at_once() {
    let mut server = Server::new();
    server.receive(1, &confirmable(1, PUT));
    let incoming = server.incoming();
    let same = server.endpoint.prove_then(server.now, incoming);
    let id = same.expect("the address is proven").id;
    server.respond(id, changed());
    assert_eq!(server.sent_one().message, changed());
    assert_eq!(server.endpoint.counters().deferred, 0);
}

#[test]
fn a_reset_of_the_ping_proves_the_address_and_releases_the_request() {
    for message_type in [MessageType::Reset, MessageType::Acknowledgement] {
        let mut server = server();
        let ping = server.pinged_for(&confirmable(1, PUT));
        let expected = Datagram::empty(MessageType::Confirmable, ping.message_id);
        assert_eq!(ping, expected);
        assert_eq!(server.endpoint.deferred(), 1);

        server.receive(1, &Datagram::empty(message_type, ping.message_id));
        let incoming = server.incoming();
        assert_eq!(incoming.request.message, confirmable(1, PUT).message);
        let incoming = server.endpoint.prove_then(server.now, incoming);
        let large = changed().with_payload([b'a'; 900]);
        server.respond(incoming.expect("it is proven").id, large.clone());
        let response = server.sent_one();
        assert_eq!(response.message_type, MessageType::Acknowledgement);
        assert_eq!(response.message, large, "no bound of bytes any more");
        server.advance(400 * SECOND);
        assert_eq!(server.endpoint.state_left(), 0);
    }
}

#[test]
fn a_duplicate_meanwhile_gets_an_empty_acknowledgement_and_is_processed_once() {
    let mut server = server();
    let request = confirmable(1, PUT);
    let ping = server.pinged_for(&request);
    server.receive(1, &request);
    assert_eq!(server.sent(), []);
    server.advance(SECOND);
    let empty = Datagram::empty(MessageType::Acknowledgement, 1);
    assert_eq!(server.sent_one(), empty);
    assert_eq!(server.response_to(&request), empty);

    server.reset(1, ping.message_id);
    let incoming = server.incoming();
    assert_eq!(server.response_to(&request), empty);
    server.respond(incoming.id, changed());
    let separate = server.sent_one();
    assert_eq!(
        (separate.message_type, separate.message),
        (MessageType::Confirmable, changed())
    );
    server.acknowledge(1, separate.message_id);
    server.receive(1, &request);
    assert_eq!(server.sent_one(), empty);
    assert!(server.endpoint.poll_request().is_none());
    assert_eq!(server.endpoint.counters().requests, 1);
}

#[test]
fn several_requests_of_a_peer_wait_for_one_ping_and_come_in_their_order() {
    let mut server = server();
    let ping = server.pinged_for(&confirmable(1, PUT));
    for id in 2..5 {
        server.receive(1, &non_confirmable(id, PUT));
        server.defer();
    }
    assert_eq!(server.sent(), []);
    server.receive(2, &confirmable(1, PUT));
    server.defer();
    let of_other = server.sent_one();
    server.reset(1, ping.message_id);
    let released = std::iter::from_fn(|| server.endpoint.poll_request());
    let ids: Vec<_> = released.map(|incoming| incoming.id).collect();
    assert_eq!(ids.len(), 4);
    assert!(ids.is_sorted());
    server.reset(2, of_other.message_id);
    assert_eq!(server.incoming().request.peer, 2);
}

#[test]
fn a_lost_ping_is_sent_again() {
    let mut server = server();
    let ping = server.pinged_for(&confirmable(1, PUT));
    server.advance(30 * SECOND);
    let sent = server.sent();
    assert_eq!(
        sent.iter().filter(|sent| **sent == ping).count(),
        3,
        "{sent:?}"
    );
    server.reset(1, ping.message_id);
    server.incoming();
}

#[test]
fn an_echo_or_the_acknowledgement_of_another_message_releases_as_well() {
    let mut server = server();
    server.receive(1, &confirmable(1, POST));
    let first = server.incoming().id;
    server.advance(SECOND);
    server.respond(first, changed());
    let separate = server.sent().pop().expect("a separate response");
    server.receive(1, &confirmable(2, PUT));
    server.defer();
    assert_eq!(
        server.sent(),
        [],
        "the ping waits behind the response (NSTART)"
    );
    server.acknowledge(1, separate.message_id);
    server.incoming();

    let mut server = self::server();
    server.pinged_for(&confirmable(1, PUT));
    let large = changed().with_option(LOCATION_PATH, [b'a'; 200]);
    server.receive(1, &with_token(confirmable(3, GET)));
    let id = server.incoming().id;
    server.respond(id, large);
    server.advance(SECOND);
    let sent = server.sent();
    let mut values = sent.iter().filter_map(|one| one.message.option(ECHO));
    let value = values.next().expect("a value");
    let mut again = confirmable(2, GET);
    again.message.push_option(ECHO, value);
    server.receive(1, &again);
    let both: Vec<_> = std::iter::from_fn(|| server.endpoint.poll_request()).collect();
    assert_eq!(both.len(), 2);
    assert_eq!(both[0].request.message.code, PUT);
}

#[test]
fn after_wrong_message_ids_a_request_that_waits_and_the_next_one_get_an_echo() {
    let mut server = server();
    let ping = server.pinged_for(&with_token(confirmable(1, PUT)));
    (1..4).for_each(|number| server.reset(1, ping.message_id.wrapping_add(number)));
    let first = server.sent_one();
    assert_eq!((first.message_id, first.message.code), (1, UNAUTHORIZED));
    let left = (server.endpoint.deferred(), server.endpoint.in_flight());
    assert_eq!(left, (0, 0));
    server.reset(1, ping.message_id);
    assert!(server.endpoint.poll_request().is_none());

    server.receive(1, &with_token(confirmable(2, PUT)));
    server.defer();
    let challenge = server.sent_one().message;
    assert_eq!(challenge.code, UNAUTHORIZED);
    let mut again = confirmable(3, PUT);
    let value = challenge.option(ECHO).expect("a value");
    again.message.push_option(ECHO, value);
    server.receive(1, &again);
    let incoming = server.incoming();
    assert!(server.endpoint.prove_then(server.now, incoming).is_some());
}

#[test]
fn a_device_that_may_not_understand_echo_gets_none_and_hears_when_to_repeat_its_request() {
    let mut server = server();
    let ping = server.pinged_for(&confirmable(1, PUT));
    (1..4).for_each(|number| server.reset(1, ping.message_id.wrapping_add(number)));
    let refused = server.sent_one().message;
    assert_eq!(refused.code, SERVICE_UNAVAILABLE);
    assert_eq!(refused.uint_option(MAX_AGE), Some(60));
    assert_eq!(refused.option(ECHO), None);
    server.advance(60 * SECOND);
    let ping = server.pinged_for(&confirmable(2, PUT));
    server.reset(1, ping.message_id);
    server.incoming();
}

#[test]
fn a_request_to_a_group_is_dropped_without_a_ping() {
    let mut server = server();
    let datagram = encode(&non_confirmable(1, GET));
    server.endpoint.handle_multicast(server.now, 1, &datagram);
    server.defer();
    assert_eq!((server.sent(), server.endpoint.in_flight()), (vec![], 0));
}

/// A device has one request under way (NSTART = 1), and rejects the ping while it waits for its acknowledgement.
#[test]
fn the_client_of_this_crate_rejects_the_ping_while_its_own_request_is_under_way() {
    let mut server = server();
    let now = server.now;
    let request = confirmable(1, PUT).message;
    let settings = Settings {
        confirmable: true,
        block_size: BlockSize::LARGEST,
        ask_block_size: false,
        timeout: 100 * SECOND,
        max_response_body: 1_000,
    };
    let mut device = ClientExchange::new(request, settings, [1; 16], 1, now);
    while let Some(bytes) = device.poll_transmit() {
        server.endpoint.handle_datagram(now, 1, &bytes);
        while let Some(incoming) = server.endpoint.poll_request() {
            if let Some(incoming) = server.endpoint.prove_then(now, incoming) {
                server.respond(incoming.id, changed());
            }
        }
        for bytes in server.sent_bytes() {
            device.handle_datagram(&bytes, now);
        }
    }
    assert_eq!(device.outcome(), Some(&Ok(changed())));
}
