//! The message layer of a client: CON and NON, piggybacked and separate responses, loss, resets.

use proptest::prelude::*;

use super::*;
use crate::code::EMPTY;
use crate::option::{ETAG, IF_MATCH};
use crate::{MAX_OPTIONS, OptionExcess};

#[test]
fn a_piggybacked_response_ends_the_exchange_in_one_round_trip() {
    let run = run(get(), SETTINGS, &[], |request| {
        soon(piggybacked(request, content("1")))
    });
    assert_eq!(run.outcome, Ok(content("1")));
    assert_eq!((run.sent.len(), run.took), (1, 2 * LATENCY));
}

#[test]
fn lost_messages_are_sent_again_after_growing_waits() {
    let run = run(get(), SETTINGS, &[0, 1, 2, 3], |request| {
        soon(piggybacked(request, content("1")))
    });
    assert_eq!(run.outcome, Ok(content("1")));
    assert_eq!(run.retransmissions, 4);
    let first = run.sent[1].0;
    assert!((Duration::from_secs(2)..=Duration::from_secs(3)).contains(&first));
    for (position, factor) in [(2, 3), (3, 7), (4, 15)] {
        assert_eq!(run.sent[position].0, first * factor);
        assert_eq!(
            run.sent[position].1, run.sent[0].1,
            "a retransmission is the same message"
        );
    }
}

#[test]
fn a_silent_server_is_given_up_after_four_retransmissions_or_at_the_deadline() {
    let silent = |_: &Datagram| Vec::new();
    let exhausted = run(get(), SETTINGS, &[], silent);
    assert_eq!(
        exhausted.outcome,
        Err(ExchangeError::Silent { retransmissions: 4 })
    );
    assert_eq!(exhausted.sent.len(), 5);
    let short = Settings {
        timeout: Duration::from_secs(5),
        ..SETTINGS
    };
    let hurried = run(get(), short, &[], silent);
    assert_eq!(
        hurried.outcome,
        Err(ExchangeError::Silent { retransmissions: 1 })
    );
    assert_eq!(hurried.took, Duration::from_secs(5));
    let non = Settings {
        confirmable: false,
        ..SETTINGS
    };
    let unconfirmed = run(get(), non, &[], silent);
    assert_eq!(
        unconfirmed.outcome,
        Err(ExchangeError::Silent { retransmissions: 0 })
    );
    assert_eq!(unconfirmed.sent.len(), 1);
}

#[test]
fn a_separate_response_is_acknowledged_and_the_request_not_sent_again() {
    let run = run(get(), SETTINGS, &[], |request| match request.message_type {
        MessageType::Confirmable => vec![
            (
                Duration::ZERO,
                empty(MessageType::Acknowledgement, request.message_id),
            ),
            (
                Duration::from_secs(9),
                separate(MessageType::Confirmable, 77, request.token, content("late")),
            ),
        ],
        _ => Vec::new(),
    });
    assert_eq!(run.outcome, Ok(content("late")));
    assert_eq!(run.sent.len(), 2);
    assert_eq!(
        run.sent[1].1,
        Datagram::empty(MessageType::Acknowledgement, 77)
    );
}

#[test]
fn a_separate_response_counts_without_the_acknowledgement_before_it() {
    let run = run(get(), SETTINGS, &[], |request| match request.message_type {
        MessageType::Confirmable => soon(separate(
            MessageType::NonConfirmable,
            5,
            request.token,
            content("1"),
        )),
        _ => Vec::new(),
    });
    assert_eq!(run.outcome, Ok(content("1")));
    assert_eq!(run.sent.len(), 1, "a NON is not acknowledged");
}

#[test]
fn an_acknowledged_request_without_response_ends_at_the_deadline() {
    let run = run(get(), SETTINGS, &[], |request| {
        soon(empty(MessageType::Acknowledgement, request.message_id))
    });
    assert_eq!(run.outcome, Err(ExchangeError::NoResponse));
    assert_eq!((run.sent.len(), run.took), (1, SETTINGS.timeout));
}

#[test]
fn a_reset_of_the_request_ends_the_exchange_and_one_of_another_message_does_not() {
    let reset = run(get(), SETTINGS, &[], |request| {
        soon(empty(MessageType::Reset, request.message_id))
    });
    assert_eq!(reset.outcome, Err(ExchangeError::Reset));
    let other = run(get(), SETTINGS, &[], |request| {
        soon(empty(MessageType::Reset, request.message_id ^ 1))
    });
    assert_eq!(
        other.outcome,
        Err(ExchangeError::Silent { retransmissions: 4 })
    );
}

#[test]
fn responses_with_another_token_are_not_taken_and_foreign_confirmables_are_reset() {
    let stranger = Token::new(b"other").expect("short");
    let run = run(get(), SETTINGS, &[], |request| match request.message_type {
        MessageType::Confirmable => vec![
            (Duration::ZERO, empty(MessageType::Confirmable, 8)),
            (
                Duration::ZERO,
                separate(MessageType::Confirmable, 9, stranger, content("wrong")),
            ),
            (
                Duration::ZERO,
                separate(
                    MessageType::Acknowledgement,
                    request.message_id,
                    stranger,
                    content("wrong"),
                ),
            ),
            (Duration::ZERO, b"\x48\x45\x00\x0aab".to_vec()),
            (LATENCY, piggybacked(request, content("right"))),
        ],
        _ => Vec::new(),
    });
    assert_eq!(run.outcome, Ok(content("right")));
    let resets: Vec<Datagram> = run
        .sent
        .into_iter()
        .skip(1)
        .map(|(_, datagram)| datagram)
        .collect();
    assert_eq!(
        resets,
        [8, 9, 10].map(|id| Datagram::empty(MessageType::Reset, id))
    );
}

#[test]
fn a_critical_option_that_is_not_understood_makes_the_response_unusable() {
    let response = content("1").with_option(IF_MATCH, "x");
    let ack = run(get(), SETTINGS, &[], |request| {
        soon(piggybacked(request, response.clone()))
    });
    assert_eq!(ack.outcome, Err(ExchangeError::CriticalOption(IF_MATCH)));
    let con = run(get(), SETTINGS, &[], |request| match request.message_type {
        MessageType::Confirmable => soon(separate(
            MessageType::Confirmable,
            3,
            request.token,
            response.clone(),
        )),
        _ => Vec::new(),
    });
    assert_eq!(con.outcome, Err(ExchangeError::CriticalOption(IF_MATCH)));
    assert_eq!(con.sent[1].1, Datagram::empty(MessageType::Reset, 3));
}

proptest! {
    #[test]
    fn no_bytes_from_the_network_panic_or_stall(
        datagrams in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..20),
        types in prop::collection::vec(
            (
                0..4u8,
                any::<u8>(),
                prop::collection::vec((20..30u16, prop::collection::vec(any::<u8>(), 0..5)), 0..3),
            ),
            0..20,
        ),
    ) {
        let now = Instant::now();
        let mut exchange = ClientExchange::new(put(3_000), SETTINGS, [1; 16], 1, now);
        for bytes in datagrams {
            exchange.handle_datagram(&bytes, now);
        }
        for (kind, code, options) in types {
            let mut pending = None;
            while let Some(bytes) = exchange.poll_transmit() {
                let request = decode(&bytes).ok();
                pending = request.filter(|request| request.message.code != EMPTY).or(pending);
            }
            let Some(request) = pending else { break };
            let mut message = Message::new(code).with_payload("0123456789abcdef");
            for (number, value) in options {
                message.push_option(number, value);
            }
            let message_type = match kind {
                0 => MessageType::Confirmable,
                1 => MessageType::NonConfirmable,
                2 => MessageType::Acknowledgement,
                _ => MessageType::Reset,
            };
            let datagram = Datagram { message_type, message, ..request };
            exchange.handle_datagram(&encode(&datagram), now);
        }
        prop_assert_eq!(exchange.outcome().is_some(), exchange.next_timeout().is_none());
        exchange.handle_timeout(now + SETTINGS.timeout);
        prop_assert!(exchange.outcome().is_some());
    }
}

#[test]
fn a_response_with_more_options_than_a_client_reads_ends_the_exchange_and_is_not_read() {
    let with_options = |count: usize| {
        let mut response = content("1");
        (0..count).for_each(|_| response.push_option(ETAG, "a"));
        response
    };
    let within = run(get(), SETTINGS, &[], |request| {
        soon(piggybacked(request, with_options(MAX_OPTIONS)))
    });
    assert_eq!(within.outcome, Ok(with_options(MAX_OPTIONS)));
    for is_separate in [false, true] {
        let above = run(get(), SETTINGS, &[], |request| {
            let response = with_options(MAX_OPTIONS + 1);
            soon(if is_separate {
                separate(MessageType::Confirmable, 9, request.token, response)
            } else {
                piggybacked(request, response)
            })
        });
        let excess = ExchangeError::ExcessiveOptions(OptionExcess::Number);
        assert_eq!(above.outcome, Err(excess));
        let resets = above
            .sent
            .iter()
            .filter(|(_, sent)| sent.message_type == MessageType::Reset);
        assert_eq!(resets.count(), usize::from(is_separate));
    }
    let of_others = run(get(), SETTINGS, &[], |request| {
        let other = separate(
            MessageType::NonConfirmable,
            9,
            Token::default(),
            with_options(65),
        );
        [soon(other), soon(piggybacked(request, content("1")))].concat()
    });
    assert_eq!(of_others.outcome, Ok(content("1")));
}
