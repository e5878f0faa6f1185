//! Own confirmable messages: retransmission and NSTART (RFC 7252 §4.2, §4.7).

use std::time::{Duration, Instant};

use super::*;
use crate::outbound::{Due, Outcome, Purpose};
use crate::peer::test_peer;
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
        assert_eq!(reliability.poll_due(due - Duration::from_millis(1)), None);
        pauses.push((due - now).as_secs_f64());
        now = due;
        match reliability.poll_due(now) {
            Some(Due::Retransmit(peer, bytes, Purpose::Response)) if peer == test_peer(1) => {
                assert_eq!(bytes, sent)
            }
            other => {
                assert_eq!(
                    other,
                    Some(Due::GivenUp(test_peer(1), vec![Purpose::Response]))
                );
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
    assert_eq!(
        (
            reliability.responses_of_peer(&test_peer(1)),
            reliability.outstanding()
        ),
        (2, 3)
    );

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
    assert_eq!(
        (
            reliability.responses_of_peer(&test_peer(1)),
            reliability.outstanding()
        ),
        (0, 1)
    );
}

#[test]
fn a_silent_peer_loses_its_waiting_messages_too() {
    let (mut reliability, start) = reliability();
    for _ in 0..3 {
        reliability.send(start, &test_peer(1), response(b"a"), Purpose::Response);
    }
    let end = start + Duration::from_secs(1_000);
    let mut last = None;
    while let Some(due) = reliability.poll_due(end) {
        last = Some(due);
        if reliability.next_timeout().is_some_and(|next| next > end) {
            break;
        }
    }
    assert!(
        matches!(last, Some(Due::Retransmit(..))),
        "a late call sends once, not all at once"
    );
    for step in 1..=5 {
        last = reliability
            .poll_due(end + Duration::from_secs(100 * step))
            .or(last);
    }
    assert_eq!(
        last,
        Some(Due::GivenUp(test_peer(1), vec![Purpose::Response; 3]))
    );
    assert_eq!(
        (reliability.outstanding(), reliability.next_timeout()),
        (0, None)
    );
}
