//! Numbers of notifications, and how long one whose rest is not fetched holds the next one.

use super::observe::{SECOND, block_of, observing, proven, sequence};
use super::*;
use crate::ObserveEvent;
use crate::option::OBSERVE;

/// A server whose observer has acknowledged a notification of three blocks.
fn announced() -> (Server, ObserveEvent) {
    let mut server = Server::with_limits(proven());
    let (id, _) = server.observe(1, 1);
    let id = id.expect("it begins");
    let first = server.notify(id, &"1".repeat(150));
    server.acknowledge(1, first.message_id);
    assert_eq!(server.observed(), None, "two blocks are missing");
    (server, ObserveEvent::Delivered(id))
}

#[test]
fn a_device_that_does_not_fetch_the_rest_gets_the_next_notification_after_ten_seconds() {
    let (mut server, delivered) = announced();
    server.advance(9 * SECOND);
    assert_eq!(server.observed(), None);
    server.advance(SECOND);
    assert_eq!(server.observed(), Some(delivered));
}

#[test]
fn a_device_that_fetches_slowly_has_ten_seconds_for_each_block() {
    let (mut server, delivered) = announced();
    server.advance(9 * SECOND);
    server.response_to(&block_of(1, 2));
    server.advance(9 * SECOND);
    assert_eq!(server.observed(), None);
    server.response_to(&block_of(2, 3));
    assert_eq!(server.observed(), Some(delivered));
}

#[test]
fn a_plain_get_ends_the_wait_for_the_rest() {
    let (mut server, delivered) = announced();
    server.receive(1, &confirmable(9, code::PUT));
    assert_eq!(server.observed(), None, "another method");
    server.receive(1, &confirmable(10, code::GET));
    assert_eq!(server.observed(), Some(delivered));
}

#[test]
fn each_observation_counts_for_itself_so_that_its_numbers_are_short() {
    let mut server = Server::new();
    for peer in 1..=300 {
        let (_, first) = server.observe(peer, 1);
        assert_eq!(first.message.uint_option(OBSERVE), Some(1));
    }
}

#[test]
fn an_observation_that_replaces_another_goes_on_with_its_numbers() {
    let mut server = Server::new();
    let (id, _) = server.observe(1, 7);
    let last = server.notify(id.expect("an observation"), "a message");
    let mut again = observing(8, 0);
    again.token = token(7);
    server.receive(1, &again);
    let exchange = server.incoming().id;
    let first = Message::new(code::CONTENT);
    server
        .endpoint
        .respond_observing(server.now, exchange, first, None);
    let sent = server.sent();
    let response = sent.last().expect("a response");
    assert!(sequence(response) > sequence(&last));
}
