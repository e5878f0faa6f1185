//! Observations that end (RFC 7641 §3.6, §4.1, §4.2, §4.5).

use super::observe::{SECOND, content, observing, proven, sequence};
use super::*;
use crate::option::{LOCATION_PATH, OBSERVE};
use crate::{Ended, ObserveEvent};

#[test]
fn the_same_token_observes_once_and_another_one_besides() {
    let mut server = Server::new();
    let (first, _) = server.observe(1, 10);
    let mut again = observing(11, 0);
    again.token = token(10);
    server.receive(1, &again);
    let incoming = server.incoming();
    let second = server
        .endpoint
        .respond_observing(server.now, incoming.id, content("again"), None);
    server.sent_one();
    let replaced = ObserveEvent::Ended(first.expect("an observation"), Ended::Replaced);
    assert_eq!(server.observed(), Some(replaced));
    assert!(second.is_some());
    assert!(server.observe(2, 12).0.is_some());
    assert_eq!(server.endpoint.observations(), 2);
}

#[test]
fn a_request_that_fails_observes_nothing_and_ends_its_tokens_observation() {
    let mut server = Server::new();
    let (first, _) = server.observe(1, 10);
    let mut again = observing(11, 0);
    again.token = token(10);
    server.receive(1, &again);
    let id = server.incoming().id;
    let failed = Message::new(code::NOT_FOUND);
    let begun = server
        .endpoint
        .respond_observing(server.now, id, failed, None);
    assert_eq!(begun, None);
    assert_eq!(server.sent_one().message.option(OBSERVE), None);
    let replaced = ObserveEvent::Ended(first.expect("an observation"), Ended::Replaced);
    assert_eq!(server.observed(), Some(replaced));
}

#[test]
fn observe_1_ends_the_observation_and_a_plain_get_does_not() {
    let mut server = Server::new();
    let (id, _) = server.observe(1, 10);
    let mut get = confirmable(11, code::GET);
    get.token = token(10);
    server.exchange(&get, content("plain"));
    assert_eq!(server.observed(), None);
    let mut stop = observing(12, 1);
    stop.token = token(10);
    let response = server.exchange(&stop, content("last"));
    assert_eq!(response.message.option(OBSERVE), None);
    let id = id.expect("an observation");
    assert_eq!(
        server.observed(),
        Some(ObserveEvent::Ended(id, Ended::Deregistered))
    );
    assert!(!server.endpoint.notify(server.now, id, content("late")));
}

#[test]
fn a_rejected_notification_ends_the_observation() {
    for non_confirmable in [false, true] {
        let mut server = Server::with_limits(Limits {
            non_confirmable_notifications: non_confirmable,
            ..proven()
        });
        let id = server.observe(1, 10).0.expect("an observation");
        let mut notification = server.notify(id, "a");
        if non_confirmable {
            // The first is confirmable in any case.
            server.acknowledge(1, notification.message_id);
            server.advance(3 * SECOND);
            notification = server.notify(id, "b");
            assert_eq!(notification.message_type, MessageType::NonConfirmable);
            while server.observed().is_some() {}
        }
        let reset = Datagram::empty(MessageType::Reset, notification.message_id);
        server.receive(1, &reset);
        assert_eq!(
            server.observed(),
            Some(ObserveEvent::Ended(id, Ended::Reset))
        );
        assert_eq!(server.endpoint.observations(), 0);
    }
}

#[test]
fn an_observation_of_a_silent_device_ends_only_by_its_own_notification() {
    let mut server = Server::new();
    let one = server.observe(1, 10).0.expect("an observation");
    let two = server.observe(1, 11).0.expect("another");
    server.notify(one, "a");
    assert!(server.endpoint.notify(server.now, two, content("b")));
    assert_eq!(server.sent(), [], "one message at a time toward a peer");
    let ended = |id| Some(ObserveEvent::Ended(id, Ended::Unacknowledged));
    server.advance(93 * SECOND);
    assert_eq!([server.observed(), server.observed()], [ended(one), None]);
    server.advance(93 * SECOND);
    assert_eq!(server.observed(), ended(two));
    server.sent();
    server.advance(300 * SECOND);
    assert_eq!(server.endpoint.state_left(), 0);
}

#[test]
fn an_error_is_the_last_notification_and_takes_the_place_of_those_under_way() {
    let mut server = Server::new();
    let id = server.observe(1, 10).0.expect("an observation");
    let lost = server.notify(id, "lost");
    let gone = Message::new(code::SERVICE_UNAVAILABLE);
    assert!(server.endpoint.notify(server.now, id, gone));
    let last = server.sent_one();
    assert_ne!(last.message_id, lost.message_id);
    assert_eq!(
        (last.message.code, last.message.option(OBSERVE)),
        (code::SERVICE_UNAVAILABLE, None)
    );
    assert_eq!(server.endpoint.observations(), 0);
    server.acknowledge(1, last.message_id);
    server.advance(100 * SECOND);
    assert_eq!((server.sent(), server.observed()), (vec![], None));
}

#[test]
fn a_registration_from_a_spoofed_address_ends_when_the_ping_gets_no_reset() {
    let mut server = Server::with_limits(Limits::default());
    let id = server.register(1, 10).expect("an observation");
    server.advance(100 * SECOND);
    let bytes: usize = server.sent_bytes().iter().map(Vec::len).sum();
    assert!(bytes <= 3 * encode(&observing(10, 0)).len(), "{bytes}");
    assert_eq!(
        server.observed(),
        Some(ObserveEvent::Ended(id, Ended::Unacknowledged))
    );
}

#[test]
fn a_device_that_rejects_the_separate_first_response_observes_no_longer() {
    let mut server = Server::new();
    server.receive(1, &observing(10, 0));
    let incoming = server.incoming();
    server.advance(SECOND);
    server.sent();
    let begun = server
        .endpoint
        .respond_observing(server.now, incoming.id, content("first"), None);
    let response = server.sent_one();
    assert_eq!(response.message_type, MessageType::Confirmable);
    server.receive(1, &Datagram::empty(MessageType::Reset, response.message_id));
    let ended = ObserveEvent::Ended(begun.expect("an observation"), Ended::Reset);
    assert_eq!(server.observed(), Some(ended));
}

#[test]
fn where_there_is_no_room_the_oldest_observation_of_an_unproven_address_makes_it() {
    let mut server = Server::with_limits(Limits {
        observations: 2,
        ..Limits::default()
    });
    let begin = |server: &mut Server, peer, message_id| {
        let begun = server.register(peer, message_id);
        let ping = server
            .sent()
            .pop()
            .expect("a response, and a ping behind it");
        (begun, ping.message_id)
    };
    let (proven, ping) = begin(&mut server, 1, 10);
    server.receive(1, &Datagram::empty(MessageType::Reset, ping));
    let (spoofed, _) = begin(&mut server, 2, 20);
    let (next, _) = begin(&mut server, 3, 30);
    let displaced = ObserveEvent::Ended(spoofed.expect("an observation"), Ended::Displaced);
    assert_eq!(server.observed(), Some(displaced));
    assert!(proven.is_some() && next.is_some());
    let counters = server.endpoint.counters();
    assert_eq!(
        (
            counters.observations_displaced,
            counters.observations_refused
        ),
        (1, 0)
    );
}

#[test]
fn a_device_that_was_out_of_reach_gets_higher_numbers_when_it_registers_again_with_its_token() {
    let unavailable = Message::new(code::SERVICE_UNAVAILABLE);
    for last in [content("a message"), unavailable] {
        let mut server = Server::new();
        let (id, _) = server.observe(1, 10);
        let id = id.expect("an observation");
        let received = server.notify(id, "received");
        server.acknowledge(1, received.message_id);
        assert!(server.endpoint.notify(server.now, id, last));
        server.advance(94 * SECOND);
        server.sent();
        assert_eq!(server.endpoint.observations(), 0);
        // Less than 128 s after the last number that it received (RFC 7641 §3.4).
        let mut again = observing(11, 0);
        again.token = token(10);
        server.receive(1, &again);
        let id = server.incoming().id;
        let begun = server
            .endpoint
            .respond_observing(server.now, id, content("now"), None);
        assert!(begun.is_some());
        assert!(sequence(&server.sent_one()) > sequence(&received));
    }
}

#[test]
fn an_error_in_place_of_a_registrations_response_that_does_not_fit_has_no_observe_option() {
    let mut server = Server::with_limits(Limits::default());
    server.receive(1, &observing(10, 0));
    let id = server.incoming().id;
    let large = content("first").with_option(LOCATION_PATH, [b'a'; 200]);
    let begun = server
        .endpoint
        .respond_observing(server.now, id, large, None);
    assert!(begun.is_some());
    server.advance(SECOND);
    let sent = server.sent();
    let error = sent.iter().find(|sent| code::class(sent.message.code) == 5);
    assert_eq!(error.expect("an error").message.option(OBSERVE), None);
}
