//! Observations whose messages an observer must have as a whole.

use super::observe::{SECOND, block_of, content, observing, proven};
use super::*;
use crate::block2::Block2Cache;
use crate::option::{ETAG, OBSERVE};
use crate::{Ended, ObservationId, ObserveEvent};

impl Server {
    /// Lets peer 1 begin a feed with this first response.
    fn feed(&mut self, message_id: u16, first: &str) -> (ObservationId, Datagram) {
        self.receive(1, &observing(message_id, 0));
        let incoming = self.incoming();
        let id = self
            .endpoint
            .respond_feeding(self.now, incoming.id, content(first));
        (id.expect("it begins"), self.sent_one())
    }

    fn feed_observed(&mut self) -> Vec<ObserveEvent> {
        std::iter::from_fn(|| self.endpoint.poll_observe_event()).collect()
    }
}

#[test]
fn a_first_response_in_one_message_counts_as_delivered_at_once() {
    let mut server = Server::with_limits(proven());
    let (id, first) = server.feed(1, "short");
    assert!(first.message.option(OBSERVE).is_some());
    assert_eq!(server.feed_observed(), [ObserveEvent::Delivered(id)]);
}

#[test]
fn a_first_response_in_blocks_counts_as_delivered_with_its_last_block() {
    let mut server = Server::with_limits(proven());
    let (id, first) = server.feed(1, &"1".repeat(150));
    assert_eq!(server.feed_observed(), []);
    let second = server.response_to(&block_of(1, 2));
    assert_eq!(second.message.option(ETAG), first.message.option(ETAG));
    assert_eq!(server.feed_observed(), []);
    server.response_to(&block_of(2, 3));
    assert_eq!(server.feed_observed(), [ObserveEvent::Delivered(id)]);
}

#[test]
fn a_device_that_stops_fetching_is_reported_after_a_minute_and_not_as_delivered() {
    let mut server = Server::with_limits(proven());
    let (id, _) = server.feed(1, "short");
    server.feed_observed();
    let push = server.notify(id, &"2".repeat(150));
    server.acknowledge(1, push.message_id);
    server.advance(50 * SECOND);
    server.response_to(&block_of(1, 2));
    server.advance(59 * SECOND);
    assert_eq!(server.feed_observed(), [], "it has a minute for each block");
    server.advance(SECOND);
    assert_eq!(server.feed_observed(), [ObserveEvent::Unfetched(id)]);
}

#[test]
fn a_device_that_asks_for_the_resource_anew_has_not_got_the_push() {
    for acknowledges in [true, false] {
        let mut server = Server::with_limits(proven());
        let (id, _) = server.feed(1, "short");
        server.feed_observed();
        let push = server.notify(id, &"2".repeat(150));
        if acknowledges {
            server.acknowledge(1, push.message_id);
        }
        server.receive(1, &confirmable(9, code::GET));
        assert_eq!(server.feed_observed(), [ObserveEvent::Unfetched(id)]);
    }
}

#[test]
fn one_that_registers_again_with_its_token_replaces_its_feed() {
    let mut server = Server::with_limits(proven());
    let (id, _) = server.feed(1, &"1".repeat(150));
    let mut again = observing(2, 0);
    again.token = token(1);
    server.receive(1, &again);
    assert_eq!(server.feed_observed(), []);
    let incoming = server.incoming().id;
    assert_eq!(server.endpoint.renews(incoming), Some(id));
    let next = server
        .endpoint
        .respond_feeding(server.now, incoming, content("short"));
    let expected = [
        ObserveEvent::Ended(id, Ended::Replaced),
        ObserveEvent::Delivered(next.expect("it begins")),
    ];
    assert_eq!(server.feed_observed(), expected);
}

#[test]
fn blocks_of_another_body_are_not_those_of_the_push() {
    let mut server = Server::with_limits(proven());
    let (id, _) = server.feed(1, "short");
    server.feed_observed();
    let push = server.notify(id, &"2".repeat(150));
    server.acknowledge(1, push.message_id);
    // The body of the push has made room for others; the request is executed again.
    server.advance(59 * SECOND);
    server.endpoint.block2.bodies = Block2Cache::new(&proven()).bodies;
    server.receive(1, &block_of(1, 2));
    let incoming = server.incoming().id;
    server.respond(incoming, content(&"3".repeat(150)));
    server.sent();
    server.response_to(&block_of(2, 3));
    assert_eq!(server.feed_observed(), [], "the blocks have another ETag");
    server.advance(SECOND);
    assert_eq!(server.feed_observed(), [ObserveEvent::Unfetched(id)]);
}

#[test]
fn a_second_feed_of_one_resource_replaces_the_first_since_their_blocks_have_one_key() {
    let mut server = Server::with_limits(proven());
    let (first, _) = server.feed(1, "short");
    server.feed_observed();
    let (second, _) = server.feed(2, "short");
    let expected = [
        ObserveEvent::Ended(first, Ended::Replaced),
        ObserveEvent::Delivered(second),
    ];
    assert_eq!(server.feed_observed(), expected);
    assert_eq!(server.endpoint.observations(), 1);
}

#[test]
fn a_feed_whose_first_response_does_not_fit_does_not_begin() {
    let mut server = Server::with_limits(Limits {
        response_body: 100,
        ..proven()
    });
    let (id, first) = server.feed(1, &"1".repeat(150));
    assert_eq!(first.message.code, code::INTERNAL_SERVER_ERROR);
    let ended = ObserveEvent::Ended(id, Ended::Finished);
    assert_eq!(server.feed_observed(), [ended]);
}

#[test]
fn a_device_that_never_acknowledges_a_push_is_dropped() {
    let mut server = Server::with_limits(proven());
    let (id, _) = server.feed(1, "short");
    server.feed_observed();
    server.notify(id, "push");
    server.advance(100 * SECOND);
    let ended = ObserveEvent::Ended(id, Ended::Unacknowledged);
    assert_eq!(server.feed_observed(), [ended]);
}
