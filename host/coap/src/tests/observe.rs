//! Observations (RFC 7641): the notifications, their kind of message, and the end of an observation.

use super::*;
use crate::option::{BLOCK2, ETAG, OBSERVE};
use crate::{Block, ObservationId, ObserveEvent};

pub(super) const SECOND: Duration = Duration::from_secs(1);

pub(super) fn observing(message_id: u16, value: u32) -> Datagram {
    let mut datagram = confirmable(message_id, code::GET);
    datagram.message.set_uint_option(OBSERVE, value);
    datagram
}

/// Peers' addresses count as proven.
pub(super) fn proven() -> Limits {
    Limits {
        unproven_bytes: usize::MAX,
        ..Limits::default()
    }
}

pub(super) fn content(text: &str) -> Message {
    Message::new(code::CONTENT).with_payload(text)
}

impl Server {
    /// Lets a peer observe, and responds at once; the datagrams stay to be taken.
    pub(super) fn register(&mut self, peer: u16, message_id: u16) -> Option<ObservationId> {
        self.receive(peer, &observing(message_id, 0));
        let incoming = self.incoming();
        assert!(incoming.request.observes);
        assert_eq!(incoming.request.message.option(OBSERVE), None);
        self.endpoint
            .respond_observing(self.now, incoming.id, content("first"), None)
    }

    /// The same, where only the response is sent.
    pub(super) fn observe(
        &mut self,
        peer: u16,
        message_id: u16,
    ) -> (Option<ObservationId>, Datagram) {
        let id = self.register(peer, message_id);
        (id, self.sent_one())
    }

    pub(super) fn notify(&mut self, id: ObservationId, text: &str) -> Datagram {
        assert!(self.endpoint.notify(self.now, id, content(text)));
        self.sent_one()
    }

    pub(super) fn acknowledge(&mut self, peer: u16, message_id: u16) {
        let ack = Datagram::empty(MessageType::Acknowledgement, message_id);
        self.receive(peer, &ack);
    }

    pub(super) fn observed(&mut self) -> Option<ObserveEvent> {
        self.endpoint.poll_observe_event()
    }
}

pub(super) fn sequence(datagram: &Datagram) -> u32 {
    let value = datagram.message.uint_option(OBSERVE);
    value.expect("an Observe option")
}

pub(super) fn block_of(number: u32, message_id: u16) -> Datagram {
    let mut datagram = confirmable(message_id, code::GET);
    let block = Block {
        number,
        more: false,
        size_exponent: 2,
    };
    datagram.message.push_option(BLOCK2, block.encode());
    datagram
}

#[test]
fn a_notification_has_the_requests_token_and_a_growing_sequence_number() {
    let mut server = Server::new();
    let (id, first) = server.observe(1, 10);
    let id = id.expect("an observation");
    assert_eq!(first.message_type, MessageType::Acknowledgement);
    let second = server.notify(id, "second");
    assert_eq!(
        (second.message_type, second.token),
        (MessageType::Confirmable, token(10))
    );
    assert_eq!(second.message.payload, b"second");
    assert!(sequence(&second) > sequence(&first));
    assert_eq!(server.observed(), None, "it has not arrived yet");
    server.acknowledge(1, second.message_id);
    assert_eq!(server.observed(), Some(ObserveEvent::Delivered(id)));
    let third = server.notify(id, "third");
    assert!(sequence(&third) > sequence(&second));
}

#[test]
fn a_retransmitted_registration_gets_its_response_again_and_observes_once() {
    let mut server = Server::new();
    let (_, first) = server.observe(1, 10);
    server.receive(1, &observing(10, 0));
    assert_eq!(server.sent_one(), first);
    assert!(server.endpoint.poll_request().is_none());
    assert_eq!(server.endpoint.observations(), 1);
}

#[test]
fn a_lost_notification_is_sent_again_unchanged() {
    let mut server = Server::new();
    let id = server.observe(1, 10).0.expect("an observation");
    let notification = server.notify(id, "a");
    server.advance(4 * SECOND);
    assert_eq!(server.sent_one(), notification);
    server.acknowledge(1, notification.message_id);
    assert_eq!(server.observed(), Some(ObserveEvent::Delivered(id)));
    server.advance(100 * SECOND);
    assert_eq!(server.sent(), []);
}

#[test]
fn non_confirmable_notifications_are_confirmed_first_daily_and_when_they_come_close() {
    let mut server = Server::with_limits(Limits {
        non_confirmable_notifications: true,
        ..proven()
    });
    let id = server.observe(1, 10).0.expect("an observation");
    let mut types = Vec::new();
    for pause in [0, 3, 3, 1, 24 * 3600, 3] {
        server.advance(pause * SECOND);
        let notification = server.notify(id, "a");
        if notification.message_type == MessageType::Confirmable {
            server.acknowledge(1, notification.message_id);
        }
        assert_eq!(server.observed(), Some(ObserveEvent::Delivered(id)));
        types.push(notification.message_type);
    }
    use MessageType::{Confirmable as Con, NonConfirmable as Non};
    assert_eq!(types, [Con, Non, Non, Con, Con, Non]);
}

#[test]
fn observations_are_bounded_in_all_and_per_peer() {
    let mut server = Server::with_limits(Limits {
        observations: 3,
        observations_per_peer: 2,
        ..proven()
    });
    assert!(server.observe(1, 10).0.is_some() && server.observe(1, 11).0.is_some());
    let (refused, response) = server.observe(1, 12);
    assert_eq!((refused, response.message.option(OBSERVE)), (None, None));
    assert_eq!(response.message.payload, b"first", "it gets one response");
    assert!(server.observe(2, 13).0.is_some());
    assert!(server.observe(3, 14).0.is_none());
    assert_eq!(server.endpoint.counters().observations_refused, 2);
}

#[test]
fn a_large_notification_leaves_in_blocks_that_a_plain_get_fetches() {
    let mut server = Server::new();
    let id = server.observe(1, 10).0.expect("an observation");
    let body = "x".repeat(1500);
    let first = server.notify(id, &body);
    let block = |datagram: &Datagram| {
        let value = datagram.message.option(BLOCK2).expect("a Block2 option");
        Block::decode(value).expect("a valid one")
    };
    assert!(block(&first).more && sequence(&first) > 0);
    server.acknowledge(1, first.message_id);
    let mut get = confirmable(11, code::GET);
    let next = Block {
        number: 1,
        ..block(&first)
    };
    get.message.push_option(BLOCK2, next.encode());
    let rest = server.response_to(&get);
    assert_eq!(rest.message.payload.len(), 1500 - 1024);
    assert_eq!(rest.message.option(OBSERVE), None);
    assert_eq!(rest.message.option(ETAG), first.message.option(ETAG));
    assert!(!block(&rest).more);
}

#[test]
fn notifications_under_way_do_not_keep_a_peer_from_asking() {
    let mut server = Server::with_limits(Limits {
        exchanges_per_peer: 1,
        ..proven()
    });
    let id = server.observe(1, 10).0.expect("an observation");
    server.notify(id, "a");
    let response = server.exchange(&confirmable(11, code::PUT), changed());
    assert_eq!(response.message.code, code::CHANGED);
}

#[test]
fn an_address_that_may_be_spoofed_gets_no_notification_before_it_has_responded_to_a_ping() {
    let mut server = Server::with_limits(Limits::default());
    let id = server.register(1, 10).expect("an observation");
    let [response, ping] = <[Datagram; 2]>::try_from(server.sent()).expect("two datagrams");
    assert!(response.message.option(OBSERVE).is_some());
    assert_eq!(
        (ping.message_type, ping.message.code),
        (MessageType::Confirmable, code::EMPTY)
    );
    assert!(server.endpoint.notify(server.now, id, content("secret")));
    assert_eq!(server.sent(), [], "it waits behind the ping");
    let pong = Datagram::empty(MessageType::Reset, ping.message_id);
    server.receive(1, &pong);
    assert_eq!(server.sent_one().message.payload, b"secret");
    assert_eq!(server.endpoint.counters().reset_by_peer, 0);
}

#[test]
fn a_notification_in_blocks_is_delivered_when_its_last_block_is_fetched() {
    let mut server = Server::with_limits(Limits {
        block_size_exponent: 2,
        ..proven()
    });
    let (id, _) = server.observe(1, 1);
    let id = id.expect("it begins");
    let first = server.notify(id, &"1".repeat(150));
    server.acknowledge(1, first.message_id);
    assert_eq!(server.observed(), None, "two blocks are missing");
    let second = server.response_to(&block_of(1, 2));
    assert_eq!(second.message.option(ETAG), first.message.option(ETAG));
    assert_eq!(server.observed(), None, "one block is missing");
    let last = server.response_to(&block_of(2, 3));
    assert_eq!(last.message.payload, b"1".repeat(22));
    assert_eq!(server.observed(), Some(ObserveEvent::Delivered(id)));
    server.notify(id, &"2".repeat(150));
    assert_eq!(
        server.response_to(&block_of(2, 3)),
        last,
        "the ACK was lost"
    );
}

#[test]
fn a_renewed_observation_goes_on_with_the_notification_that_is_under_way() {
    let mut server = Server::new();
    let id = server.observe(1, 10).0.expect("an observation");
    let under_way = server.notify(id, "second");
    let mut again = observing(11, 0);
    again.token = token(10);
    server.receive(1, &again);
    let exchange = server.incoming().id;
    let renewed = server.endpoint.renews(exchange);
    assert_eq!(renewed, Some(id));
    let first = content("first");
    let begun = server
        .endpoint
        .respond_observing(server.now, exchange, first, renewed);
    assert_eq!(begun, Some(id));
    let response = server.sent_one();
    assert!(sequence(&response) > sequence(&under_way));
    assert_eq!(
        (server.observed(), server.endpoint.observations()),
        (None, 1)
    );
    server.advance(3 * SECOND);
    assert_eq!(server.sent(), std::slice::from_ref(&under_way));
    server.acknowledge(1, under_way.message_id);
    assert_eq!(server.observed(), Some(ObserveEvent::Delivered(id)));
}
