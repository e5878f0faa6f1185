//! Honest ACKs and RSTs that name no message: they must not be taken for guesses at message IDs to anybody's harm.

use super::guessing::{is_proven, pinged, reset, server, wrong};
use super::observe::SECOND;
use super::*;
use crate::code::*;
use crate::{Ended, ObserveEvent};

#[test]
fn an_acknowledgement_that_comes_many_times_harms_nobody() {
    let mut server = server();
    let id = server.register(1, 1).expect("an observation");
    let ping = server.sent().remove(1).message_id;
    server.receive(1, &reset(ping));
    for number in 0..10 {
        let notification = server.notify(id, &number.to_string());
        for _ in 0..5 {
            server.acknowledge(1, notification.message_id);
            server.receive(1, &reset(ping));
        }
        assert_eq!(server.observed(), Some(ObserveEvent::Delivered(id)));
    }
    assert_eq!(server.endpoint.counters().proofs_blocked, 0);
}

#[test]
fn wrong_ids_while_nothing_waits_are_no_guesses() {
    let mut server = server();
    for id in 0..900 {
        server.receive(1, &reset(id));
        server.acknowledge(1, id);
    }
    let ping = pinged(&mut server, 1);
    server.receive(1, &reset(ping));
    assert!(is_proven(&server, 1));
}

#[test]
fn a_device_that_rejects_non_confirmable_responses_can_be_pinged() {
    let mut server = server();
    let responses: Vec<u16> = (10..14)
        .map(|id| {
            server
                .exchange(&non_confirmable(id, GET), changed())
                .message_id
        })
        .collect();
    let ping = pinged(&mut server, 1);
    responses
        .iter()
        .for_each(|id| server.receive(1, &reset(*id)));
    server.receive(1, &reset(ping));
    assert!(is_proven(&server, 1));
}

/// An observer whose last proof is older than an hour.
fn quiet_observer(limits: Limits) -> (Server, crate::ObservationId) {
    let mut server = Server::with_limits(Limits {
        datagrams_per_second_per_peer: 0,
        ..limits
    });
    let id = server.register(1, 1).expect("an observation");
    let ping = server.sent().remove(1).message_id;
    server.receive(1, &reset(ping));
    let notification = server.notify(id, "first");
    server.acknowledge(1, notification.message_id);
    assert_eq!(server.observed(), Some(ObserveEvent::Delivered(id)));
    server.advance(3_601 * SECOND);
    assert!(!is_proven(&server, 1));
    (server, id)
}

#[test]
fn forged_ids_do_not_end_the_observation_of_a_device_that_was_quiet_for_an_hour() {
    let (mut server, id) = quiet_observer(Limits::default());
    let notification = server.notify(id, "second");
    for guess in wrong(notification.message_id).take(900) {
        server.receive(1, &reset(guess));
        server.acknowledge(1, guess);
    }
    assert_eq!(server.observed(), None);
    server.acknowledge(1, notification.message_id);
    assert_eq!(server.observed(), Some(ObserveEvent::Delivered(id)));
    let next = server.notify(id, "third");
    server.advance(61 * SECOND);
    server.acknowledge(1, next.message_id);
    assert!(is_proven(&server, 1));
}

#[test]
fn the_rejection_of_a_non_confirmable_notification_is_no_guess_and_proves_nothing() {
    let (mut server, id) = quiet_observer(Limits {
        non_confirmable_notifications: true,
        ..Limits::default()
    });
    let notification = server.notify(id, "second");
    assert_eq!(notification.message_type, MessageType::NonConfirmable);
    server.observed();
    server.receive(1, &reset(notification.message_id));
    assert_eq!(
        server.observed(),
        Some(ObserveEvent::Ended(id, Ended::Reset))
    );
    assert!(!is_proven(&server, 1));
    // A duplicate of it names nothing any more.
    let ping = pinged(&mut server, 1);
    (0..2).for_each(|_| server.receive(1, &reset(notification.message_id)));
    server.receive(1, &reset(ping));
    assert!(is_proven(&server, 1));
}
