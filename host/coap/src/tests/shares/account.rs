//! The account of all bytes.

use super::*;
use crate::code::*;
use crate::option::{ETAG, MAX_AGE};
use crate::tests::{confirmable, non_confirmable};
use crate::{HeldInAll, MessageType};

/// 32 KiB for one host.
fn small() -> Server {
    Server::with_limits(Limits {
        held_bytes: 256 * 1024,
        ..limits()
    })
}

/// A request with many short options: a few bytes on the wire, many in memory.
fn with_options(mut datagram: Datagram, options: usize) -> Datagram {
    for _ in 0..options {
        datagram.message.push_option(ETAG, [1]);
    }
    datagram
}

#[test]
fn options_count_as_they_are_held_and_a_host_above_its_share_gets_5_03() {
    let mut server = small();
    let mut refused = None;
    let mut admitted = 0;
    for port in 0..100 {
        let request = with_options(confirmable(1, GET), 60);
        let sent = server.exchange(peer(FLOODING, port), &request);
        match sent.into_iter().next() {
            Some(datagram) => refused = Some(datagram.message),
            None => admitted += 1,
        }
    }
    let refused = refused.expect("a refusal");
    assert_eq!(
        (refused.code, refused.uint_option(MAX_AGE)),
        (SERVICE_UNAVAILABLE, Some(5))
    );
    assert!((5..16).contains(&admitted), "{admitted}");
    assert_eq!(server.endpoint.counters().bytes_above_share, 100 - admitted);
    let held = server.endpoint.held_in_all();
    assert!(held.bytes <= 32 * 1024, "{held:?}");
    assert_eq!(held.exchanges as u64, admitted);
    let request = with_options(confirmable(1, GET), 60);
    assert_eq!(server.exchange(peer(HONEST, 1), &request), []);
    server.respond_to_all(&Message::new(CONTENT));
    server.sent_to(peer(HONEST, 1));
    assert_eq!(server.endpoint.held_in_all(), HeldInAll::default());
    assert_eq!(server.endpoint.largest_holders(), []);
    let again = with_options(confirmable(2, GET), 60);
    assert_eq!(server.exchange(peer(FLOODING, 1), &again), []);
}

#[test]
fn a_non_confirmable_request_above_the_share_gets_no_response() {
    let mut server = small();
    let large = |mut datagram: Datagram| {
        datagram.message.payload = vec![0; 20_000];
        datagram
    };
    assert_eq!(
        server.exchange(peer(FLOODING, 1), &large(confirmable(1, POST))),
        []
    );
    let refused = server.exchange(peer(FLOODING, 2), &large(confirmable(1, POST)));
    assert_eq!(refused[0].message.code, SERVICE_UNAVAILABLE);
    assert_eq!(
        server.exchange(peer(FLOODING, 3), &large(non_confirmable(1, POST))),
        []
    );
    assert_eq!(server.endpoint.counters().bytes_above_share, 2);
    assert_eq!(server.endpoint.held_in_all().exchanges, 1);
}

#[test]
fn retained_responses_of_a_host_make_room_for_its_requests() {
    let mut server = small();
    for port in 0..200 {
        server.exchange(peer(FLOODING, port), &confirmable(1, PUT));
        server.respond_to_all(&Message::new(CHANGED));
        server.sent_to(peer(FLOODING, port));
    }
    assert_eq!(server.endpoint.counters().overloaded, 0);
    assert_eq!(server.endpoint.counters().bytes_above_share, 0);
    assert!(server.endpoint.counters().retained_responses_evicted > 100);
}

#[test]
fn a_request_that_is_refused_is_not_processed_when_its_duplicate_comes() {
    let mut server = small();
    let mut large = confirmable(1, POST);
    large.message.payload = vec![0; 20_000];
    server.exchange(peer(FLOODING, 1), &large);
    let refused = server.exchange(peer(FLOODING, 2), &large);
    assert_eq!(refused[0].message.code, SERVICE_UNAVAILABLE);
    server.respond_to_all(&Message::new(CHANGED));
    server.sent_to(peer(FLOODING, 1));
    // The device may have sent it again as another message by now.
    assert_eq!(server.exchange(peer(FLOODING, 2), &large), refused);
    assert!(server.incoming().is_none());
}

#[test]
fn messages_that_wait_for_an_acknowledgement_count_until_it_comes() {
    let mut server = Server::new();
    let device = peer(HONEST, 1);
    server.exchange(device, &confirmable(1, GET));
    server.advance(Duration::from_secs(1));
    let before = server.endpoint.held_in_all();
    server.respond_to_all(&Message::new(CONTENT).with_payload(vec![1; 1_000]));
    let separate = server.sent_to(device).pop().expect("a response");
    let waiting = server.endpoint.held_in_all();
    assert!(waiting.bytes > before.bytes && waiting.exchanges == 1);
    let acknowledgement = Datagram::empty(MessageType::Acknowledgement, separate.message_id);
    server.exchange(device, &acknowledgement);
    let retained = server.endpoint.held_in_all();
    assert!(retained.bytes < waiting.bytes && retained.exchanges == 0);
    server.advance(Duration::from_secs(247));
    assert_eq!(server.endpoint.held_in_all(), HeldInAll::default());
}

#[test]
fn the_list_of_holders_has_the_ten_largest() {
    let mut server = Server::new();
    for host in 1..=20_u16 {
        let mut request = confirmable(1, GET);
        request.message.payload = vec![0; usize::from(host) * 100];
        server.receive_bytes(peer(&format!("192.0.2.{host}"), 1), &encode(&request));
    }
    let largest = server.endpoint.largest_holders();
    let hosts: Vec<_> = largest
        .iter()
        .map(|holder| holder.peer.to_string())
        .collect();
    let expected: Vec<_> = (11..=20)
        .rev()
        .map(|host| format!("192.0.2.{host}:1"))
        .collect();
    assert_eq!(hosts, expected);
    assert!(
        largest
            .iter()
            .all(|holder| holder.exchanges == 1 && holder.bytes > 1_000)
    );
}
