//! Notifications of an endpoint with protection: bound to the request that registered (RFC 8613 §7.1).

use super::super::observe::{SECOND, content, observing, proven};
use super::super::*;
use super::double::{Protected, acknowledgement, unwrap, wrapped};
use crate::option::OBSERVE;
use crate::{Ended, ObservationId, ObserveEvent, Reply};

/// Registers an observation with request 7.
fn observation(server: &mut Protected) -> ObservationId {
    server.receive(&wrapped(observing(7, 0)));
    let (id, _) = server.incoming();
    let begun = server
        .endpoint
        .respond_observing(server.now, id, content("first"), None);
    let (_, number, first) = server.sent_one();
    assert_eq!((number, &first.payload[..]), (7, &b"first"[..]));
    assert!(first.option(OBSERVE).is_some());
    begun.expect("an observation")
}

#[test]
fn each_notification_is_protected_once_for_the_request_that_registered() {
    let mut server = Protected::new(proven());
    let id = observation(&mut server);
    assert!(server.endpoint.notify(server.now, id, content("second")));
    let first = server.sent();
    server.advance(3 * SECOND);
    assert_eq!(server.sent(), first, "a retransmission");
    assert_eq!(server.wrapped(), 2);
    let notification = decode(&first[0]).expect("own messages are valid");
    let (number, inner) = unwrap(&notification.message).expect("a wrapped message");
    assert_eq!((number, &inner.payload[..]), (7, &b"second"[..]));
    assert!(inner.option(OBSERVE).is_some());

    // The next one waits for the acknowledgement (NSTART), and is protected once as well.
    assert!(server.endpoint.notify(server.now, id, content("third")));
    assert_eq!(server.sent(), [] as [Vec<u8>; 0]);
    server.receive(&acknowledgement(notification.message_id));
    let (_, _, inner) = server.sent_one();
    assert_eq!((&inner.payload[..], server.wrapped()), (&b"third"[..], 3));
}

#[test]
fn the_endpoint_says_which_message_is_a_notification() {
    let mut server = Protected::new(proven());
    let id = observation(&mut server);
    server.endpoint.notify(server.now, id, content("second"));
    let replies = &server.endpoint.protection().replies;
    assert_eq!(replies[..], [Reply::Response, Reply::Notification]);
}

#[test]
fn an_observation_ends_when_a_notification_cannot_be_protected() {
    let mut server = Protected::new(proven());
    let id = observation(&mut server);
    server.endpoint.protection_mut().is_exhausted = true;
    assert!(!server.endpoint.notify(server.now, id, content("second")));
    let event = server.endpoint.poll_observe_event();
    assert_eq!(event, Some(ObserveEvent::Ended(id, Ended::Unprotectable)));
    assert_eq!(server.sent(), [] as [Vec<u8>; 0]);
    assert_eq!(server.endpoint.observations(), 0);
}

#[test]
fn an_observation_does_not_begin_when_its_response_cannot_be_protected() {
    let mut server = Protected::new(proven());
    server.receive(&wrapped(observing(7, 0)));
    let (id, _) = server.incoming();
    server.endpoint.protection_mut().is_exhausted = true;
    let now = server.now;
    server
        .endpoint
        .respond_observing(now, id, content("first"), None);
    let sent = decode(&server.sent()[0]).expect("own messages are valid");
    assert_eq!(sent.message, Message::new(code::SERVICE_UNAVAILABLE));
    assert_eq!(server.endpoint.observations(), 0);
}

#[test]
fn a_protected_registration_needs_no_ping_and_its_first_acknowledgement_proves_the_address() {
    let mut server = Protected::new(Limits::default());
    let id = observation(&mut server);
    assert!(server.endpoint.notify(server.now, id, content("second")));
    let (notification, _, _) = server.sent_one();
    assert_eq!(notification.message_type, MessageType::Confirmable);
    assert!(!server.endpoint.is_proven(server.now, &1));
    server.receive(&acknowledgement(notification.message_id));
    assert!(server.endpoint.is_proven(server.now, &1));
}

#[test]
fn an_address_that_acknowledges_nothing_gets_no_more_than_three_times_what_it_sent() {
    let mut server = Protected::new(Limits::default());
    let mut registration = wrapped(observing(7, 0));
    registration.message.payload = vec![b'x'; 100];
    let received = encode(&registration).len();
    server.receive(&registration);
    let (exchange, _) = server.incoming();
    let now = server.now;
    let begun = server
        .endpoint
        .respond_observing(now, exchange, content("first"), None);
    let id = begun.expect("an observation");
    server
        .endpoint
        .notify(now, id, content(&"x".repeat(received)));
    let mut bytes = 0;
    for _ in 0..100 {
        bytes += server.sent().iter().map(Vec::len).sum::<usize>();
        server.advance(SECOND);
    }
    assert!(
        bytes > received && bytes <= 3 * received,
        "{bytes} for {received}"
    );
    assert_eq!(server.endpoint.observations(), 0);
}

#[test]
fn a_duplicate_of_a_registration_is_not_unprotected_again_when_its_observation_has_ended() {
    let mut server = Protected::new(proven());
    let id = observation(&mut server);
    assert!(server.endpoint.notify(server.now, id, content("second")));
    let notification = decode(&server.sent()[0]).expect("own messages are valid");
    let reset = Datagram::empty(MessageType::Reset, notification.message_id);
    server.receive(&reset);
    assert_eq!(server.endpoint.observations(), 0);
    // It would count as a replay (RFC 8613 §7.4).
    server.receive(&wrapped(observing(7, 0)));
    assert_eq!(server.unwrapped(), [7]);
}

#[test]
fn notifications_after_a_renewal_are_bound_to_the_request_that_renewed() {
    let mut server = Protected::new(proven());
    let id = observation(&mut server);
    let mut renewal = observing(8, 0);
    renewal.token = token(7);
    server.receive(&wrapped(renewal));
    let (exchange, _) = server.incoming();
    let renewed = server.endpoint.renews(exchange);
    assert_eq!(renewed, Some(id));
    let now = server.now;
    server
        .endpoint
        .respond_observing(now, exchange, content("again"), renewed);
    server.sent_one();
    assert!(server.endpoint.notify(now, id, content("second")));
    assert_eq!(server.sent_one().1, 8);
}
