//! Restarts: a lost replay window is recovered by Echo (RFC 8613 Appendix B.1.2), and no number is used again.

use coap::code;
use coap::option::{ECHO, OSCORE};

use super::super::sender_numbers::BLOCK;
use super::pair::{Pair, content, get};
use super::*;

/// Sends a request, and returns the Echo value of the challenge that it gets.
fn challenged(pair: &mut Pair) -> Vec<u8> {
    let (mut sent, mut message) = pair.request(get());
    let refused = pair.take(&mut message).unwrap_err();
    assert_eq!(refused.reason, Refusal::NotFresh);
    let mut response = refused.response;
    assert_eq!(response.code, code::CHANGED, "it is protected");
    pair.device
        .unprotect_response(&mut sent, &mut response)
        .unwrap();
    assert_eq!(response.code, code::UNAUTHORIZED);
    response.option(ECHO).expect("an Echo value").to_vec()
}

#[test]
fn after_a_restart_a_request_is_accepted_only_with_the_echo_value() {
    let mut pair = Pair::new();
    let (_, old) = pair.request(get());
    pair.take(&mut old.clone()).unwrap();
    pair.start();
    pair.store();
    assert_eq!(pair.refusal(&old), Refusal::NotFresh);
    let echo = challenged(&mut pair);
    let (_, before) = pair.request(get());
    let (mut sent, mut message) = pair.request(get().with_option(ECHO, echo));
    let verified = pair.take(&mut message).unwrap();
    let mut response = pair.respond(&verified, content("12:00"));
    pair.device
        .unprotect_response(&mut sent, &mut response)
        .unwrap();
    // Lower numbers count as received.
    assert_eq!(pair.refusal(&old), Refusal::Replay);
    assert_eq!(pair.refusal(&before), Refusal::Replay);
    let (_, mut next) = pair.request(get());
    pair.take(&mut next).unwrap();
}

#[test]
fn a_request_with_an_echo_value_is_a_replay_after_the_next_restart() {
    let mut pair = Pair::new();
    pair.start();
    pair.store();
    let echo = challenged(&mut pair);
    let (_, message) = pair.request(get().with_option(ECHO, echo.clone()));
    pair.take(&mut message.clone()).unwrap();
    assert_eq!(pair.refusal(&message), Refusal::Replay);
    pair.start();
    pair.store();
    assert_eq!(pair.refusal(&message), Refusal::NotFresh);
    assert_ne!(challenged(&mut pair), echo);
}

#[test]
fn nothing_is_accepted_before_the_first_reservation_is_stored() {
    let mut pair = Pair::new();
    let (_, message) = pair.request(get());
    for stored_end in [0, BLOCK] {
        pair.stored_end = stored_end;
        pair.start();
        let refused = pair.take(&mut message.clone()).unwrap_err();
        assert_eq!(refused.reason, Refusal::NotStored);
        assert_eq!(refused.response.code, code::SERVICE_UNAVAILABLE);
    }
    // A new context that has lost its first write is a new context again.
    pair.stored_end = 0;
    pair.start();
    pair.store();
    pair.take(&mut message.clone()).unwrap();
}

#[test]
fn numbers_go_on_at_the_end_of_the_stored_reservation() {
    let mut pair = Pair::new();
    let (_, old) = pair.request(get());
    for expected in [BLOCK, 2 * BLOCK] {
        pair.start();
        pair.store();
        let refused = pair.take(&mut old.clone()).unwrap_err();
        assert_eq!(
            refused.response.option(OSCORE),
            Some(&[1, expected as u8][..])
        );
    }
}

#[test]
fn a_reservation_of_a_context_that_was_replaced_does_not_count() {
    let mut pair = Pair::new();
    pair.start();
    let old = pair.gateway.poll_reservation().unwrap();
    pair.gateway.remove(pair.parameters.recipient_id);
    pair.parameters.master_salt = vec![1];
    pair.gateway
        .add("kitchen".into(), &pair.parameters, 0, None)
        .unwrap();
    pair.gateway.reserved(&old);
    pair.device = Context::new(&mirrored(&pair.parameters), 0).unwrap();
    let (_, message) = pair.request(get());
    assert_eq!(pair.refusal(&message), Refusal::NotStored);
    pair.store();
    pair.take(&mut message.clone()).unwrap();
}

#[test]
fn a_context_without_numbers_left_says_so() {
    let mut pair = Pair::new();
    pair.stored_end = 1 << 40;
    pair.start();
    let (_, message) = pair.request(get());
    assert_eq!(pair.refusal(&message), Refusal::Exhausted);
}
