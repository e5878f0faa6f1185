//! Limits to the use of keys.

use super::super::echo::echo;
use super::super::usage::{MOST_FAILED, MOST_SEALED};
use super::pair::{Pair, content, get};
use super::*;

/// A gateway whose context has been used so often.
fn used(sealed: u32, failed: u32) -> Pair {
    let mut pair = Pair::new();
    pair.stored_use = Used { sealed, failed };
    pair.start();
    pair.store();
    // After the start the first request needs the value of a challenge.
    let mut message = pair.request(get()).1;
    let refused = pair.take(&mut message).unwrap_err();
    assert_eq!(refused.reason, Refusal::NotFresh);
    let with_echo = get().with_option(coap::option::ECHO, echo(8));
    let mut message = pair.request(with_echo).1;
    pair.take(&mut message).expect("it is fresh");
    pair
}

/// A request, and its response; how the request was refused.
fn exchange(pair: &mut Pair) -> Result<(), Refusal> {
    let mut message = pair.request(get()).1;
    let verified = pair.take(&mut message).map_err(|refused| refused.reason)?;
    pair.respond(&verified, content("12:00"));
    Ok(())
}

fn forge(pair: &mut Pair) -> Refusal {
    let mut message = pair.request(get()).1;
    message.payload[0] ^= 1;
    pair.refusal(&message)
}

#[test]
fn a_context_that_has_encrypted_a_million_messages_is_refused_but_for_what_is_in_progress() {
    // One was the challenge.
    let mut pair = used(MOST_SEALED - 1_024 - 4, 0);
    let mut message = pair.request(get()).1;
    let in_progress = pair.take(&mut message).expect("it is accepted");
    for _ in 0..3 {
        assert_eq!(exchange(&mut pair), Ok(()));
    }
    assert_eq!(exchange(&mut pair), Err(Refusal::Spent));
    let mut sent = 0;
    while sent < 2_000 {
        let mut message = content("12:00");
        let protected =
            pair.gateway
                .protect(pair.now, &in_progress, Reply::Notification, &mut message);
        pair.store();
        match protected {
            Ok(()) => sent += 1,
            Err(error) => {
                assert_eq!(error, CannotProtect::Spent(Spent));
                break;
            }
        }
    }
    assert_eq!(sent, 1_024, "and no more than the limit");
}

#[test]
fn a_context_for_which_a_million_forged_messages_came_is_refused() {
    let mut pair = used(0, MOST_FAILED - 2);
    assert_eq!(forge(&mut pair), Refusal::NotAuthentic);
    assert_eq!(exchange(&mut pair), Ok(()));
    assert_eq!(forge(&mut pair), Refusal::NotAuthentic);
    assert_eq!(exchange(&mut pair), Err(Refusal::Spent));
    let mut message = pair.request(get()).1;
    let refused = pair.take(&mut message).unwrap_err();
    assert_eq!(refused.response.code, coap::code::UNAUTHORIZED);
    assert_eq!(refused.response.payload, b"Security context not found");
    // The counts outlive a restart.
    pair.start();
    pair.store();
    assert_eq!(exchange(&mut pair), Err(Refusal::Spent));
}

#[test]
fn replays_and_unknown_devices_count_for_nobody() {
    let mut pair = used(0, MOST_FAILED - 1);
    let message = pair.request(get()).1;
    pair.take(&mut message.clone()).expect("it is new");
    for _ in 0..10 {
        assert_eq!(pair.refusal(&message), Refusal::Replay);
    }
    assert_eq!(exchange(&mut pair), Ok(()));
}

#[test]
fn a_restart_forgets_no_use_and_uses_cost_a_write_for_hundreds() {
    let mut pair = Pair::new();
    let mut writes = 0;
    let mut count = |pair: &mut Pair| {
        let before = (pair.stored_end, pair.stored_use);
        pair.store();
        writes += usize::from(before != (pair.stored_end, pair.stored_use));
    };
    for _ in 0..1_000 {
        exchange(&mut pair).expect("accepted");
        count(&mut pair);
    }
    assert!(pair.stored_use.sealed >= 1_000, "{:?}", pair.stored_use);
    let end = pair.stored_end;
    for _ in 0..5_000 {
        forge(&mut pair);
        count(&mut pair);
    }
    assert!(pair.stored_use.failed >= 5_000, "{:?}", pair.stored_use);
    assert!(writes <= 5, "{writes}");
    assert_eq!(pair.stored_end, end, "responses take no sequence numbers");
}
