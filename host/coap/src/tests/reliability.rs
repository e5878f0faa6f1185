//! Own confirmable messages: retransmission and NSTART (RFC 7252 §4.2, §4.7).

use std::time::{Duration, Instant};

use super::*;
use crate::outbound::{Due, Outcome, Purpose};
use crate::peer::{Peer, test_peer};
use crate::reliability::Reliability;
use crate::secret::Secret;

fn reliability() -> (Reliability<u8>, Instant) {
    (
        Reliability::new(&Limits::default(), Secret::new([3; 16])),
        Instant::now(),
    )
}

fn response(token: &[u8]) -> Datagram {
    Datagram {
        message_type: MessageType::Confirmable,
        message_id: 0,
        token: Token::new(token).unwrap_or_default(),
        message: Message::new(code::CHANGED),
    }
}

fn poll_due(reliability: &mut Reliability<u8>, now: Instant) -> Option<Due<Peer<u8>>> {
    reliability.poll_due(now, |_| false)
}

fn message_id(bytes: &[u8]) -> u16 {
    decode(bytes).expect("a valid message").message_id
}

#[test]
fn a_message_is_sent_five_times_with_doubling_pauses_and_then_given_up() {
    let (mut reliability, start) = reliability();
    let sent = reliability
        .send(start, &test_peer(1), response(b"a"), Purpose::Response)
        .transmit
        .expect("sent at once");
    let mut now = start;
    let mut pauses = Vec::new();
    loop {
        let due = reliability.next_timeout().expect("a timer");
        assert_eq!(
            poll_due(&mut reliability, due - Duration::from_millis(1)),
            None
        );
        pauses.push((due - now).as_secs_f64());
        now = due;
        match poll_due(&mut reliability, now) {
            Some(Due::Retransmit(peer, bytes, Purpose::Response)) if peer == test_peer(1) => {
                assert_eq!(bytes, sent)
            }
            other => {
                assert_eq!(
                    other,
                    Some(Due::Unacknowledged(test_peer(1), Purpose::Response))
                );
                let (dropped, next) = reliability.give_up(now, &test_peer(1), usize::MAX);
                assert_eq!(dropped, [Purpose::Response]);
                assert_eq!(next, Outcome::default());
                break;
            }
        }
    }
    assert_eq!(pauses.len(), 5);
    assert!((2.0..=3.0).contains(&pauses[0]), "{pauses:?}");
    assert!(
        pauses
            .windows(2)
            .all(|pair| (pair[1] / pair[0] - 2.0).abs() < 1e-6),
        "{pauses:?}"
    );
    assert_eq!(
        (reliability.outstanding(), reliability.next_timeout()),
        (0, None)
    );
}

#[test]
fn one_message_at_a_time_is_under_way_toward_a_peer() {
    let (mut reliability, now) = reliability();
    let first = reliability
        .send(now, &test_peer(1), response(b"a"), Purpose::Response)
        .transmit
        .expect("sent at once");
    assert_eq!(
        reliability.send(now, &test_peer(1), response(b"b"), Purpose::Response),
        Outcome::default()
    );
    assert!(
        reliability
            .send(now, &test_peer(2), response(b"c"), Purpose::Response)
            .transmit
            .is_some()
    );
    assert_eq!(reliability.outstanding(), 3);

    assert_eq!(
        reliability.on_ack_or_reset(now, &test_peer(1), message_id(&first).wrapping_add(1)),
        None
    );
    let second = reliability
        .on_ack_or_reset(now, &test_peer(1), message_id(&first))
        .and_then(|(_, outcome)| outcome.transmit);
    let second = second.expect("the next leaves");
    assert_ne!(message_id(&second), message_id(&first));
    assert_eq!(
        reliability.on_ack_or_reset(now, &test_peer(1), message_id(&second)),
        Some((Purpose::Response, Outcome::default()))
    );
    assert_eq!(reliability.outstanding(), 1);
}

#[test]
fn a_message_that_is_given_up_lets_the_next_one_leave() {
    let (mut reliability, start) = reliability();
    for token in [b"a", b"b"] {
        reliability.send(start, &test_peer(1), response(token), Purpose::Response);
    }
    let (now, unacknowledged) = loop {
        let now = reliability.next_timeout().expect("a timer");
        match poll_due(&mut reliability, now) {
            Some(Due::Retransmit(..)) => {}
            other => break (now, other),
        }
    };
    let expected = Due::Unacknowledged(test_peer(1), Purpose::Response);
    assert_eq!(unacknowledged, Some(expected));
    let (dropped, next) = reliability.give_up(now, &test_peer(1), usize::MAX);
    assert_eq!(dropped, [Purpose::Response]);
    let next = decode(&next.transmit.expect("the next leaves")).expect("a message");
    assert_eq!(next.token, response(b"b").token);
    assert_eq!(reliability.outstanding(), 1);
}

#[test]
fn a_response_to_a_peer_that_ignores_responses_gives_way_to_what_waits_behind_it() {
    for ignores in [false, true] {
        let (mut reliability, start) = reliability();
        reliability.send(start, &test_peer(1), response(b"a"), Purpose::Response);
        let due = reliability.next_timeout().expect("a timer");
        let alone = reliability.poll_due(due, |_| ignores);
        assert!(matches!(alone, Some(Due::Retransmit(..))));
        reliability.send(due, &test_peer(1), response(b"b"), Purpose::Response);
        let due = reliability.next_timeout().expect("a timer");
        let before_another = reliability.poll_due(due, |_| ignores);
        let gives_way = matches!(before_another, Some(Due::Unacknowledged(..)));
        assert_eq!(gives_way, ignores);
    }
}

#[test]
fn the_oldest_response_that_has_not_left_makes_room_for_another_one() {
    let (mut reliability, now) = reliability();
    let most = Limits::default().exchanges_per_peer;
    for _ in 0..most {
        let outcome = reliability.send(now, &test_peer(1), response(b"a"), Purpose::Response);
        assert_eq!(outcome.displaced, None);
    }
    let outcome = reliability.send(now, &test_peer(1), response(b"b"), Purpose::Response);
    assert_eq!(outcome.displaced, Some(Purpose::Response));
    assert_eq!(reliability.outstanding(), most);
}
