//! Observations (RFC 8613 §4.1.3.5).

use coap::code;
use coap::option::{MAX_AGE, OBSERVE, OSCORE};

use super::super::sender_numbers::BLOCK;
use super::pair::{Pair, content, get};
use super::*;

fn notification(sequence: u32, text: &str) -> Message {
    content(text).with_uint_option(OBSERVE, sequence)
}

fn observing(pair: &mut Pair) -> (SentRequest, Verified) {
    let plain = get().with_option(OBSERVE, []);
    let (sent, mut message) = pair.request(plain.clone());
    assert_eq!(message.code, code::FETCH);
    assert_eq!(message.option(OBSERVE), Some(&[][..]));
    let verified = pair.take(&mut message).unwrap();
    assert_eq!(message, plain);
    (sent, verified)
}

#[test]
fn each_notification_after_the_first_has_its_own_partial_iv() {
    let mut pair = Pair::new();
    let (mut sent, verified) = observing(&mut pair);
    let mut option_values = Vec::new();
    for (sequence, expected) in [(7, 0), (8, 1), (9, 2)] {
        let plain = notification(sequence, "12:00");
        let mut message = match sequence {
            7 => pair.respond(&verified, plain),
            _ => pair.notify(&verified, plain),
        };
        assert_eq!(message.code, code::CONTENT);
        assert_eq!(
            message.uint_option(OBSERVE),
            Some(sequence),
            "outside, for proxies"
        );
        option_values.push(message.option(OSCORE).map(<[u8]>::to_vec));
        pair.device
            .unprotect_response(&mut sent, &mut message)
            .unwrap();
        assert_eq!(message, notification(expected, "12:00"));
    }
    let expected = [vec![], vec![1, 0], vec![1, 1]].map(Some);
    assert_eq!(option_values, expected);
}

#[test]
fn notifications_that_come_late_or_twice_are_refused() {
    let mut pair = Pair::new();
    let (mut sent, verified) = observing(&mut pair);
    let notifications: Vec<_> = (0..4)
        .map(|sequence| match sequence {
            0 => pair.respond(&verified, notification(0, "12:00")),
            _ => pair.notify(&verified, notification(sequence, "12:00")),
        })
        .collect();
    let device = &pair.device;
    let mut verify =
        |index: usize| device.unprotect_response(&mut sent, &mut notifications[index].clone());
    assert_eq!(verify(2), Ok(()));
    assert_eq!(verify(2), Err(ResponseError::Replay));
    assert_eq!(verify(1), Err(ResponseError::Replay));
    assert_eq!(verify(0), Ok(()), "the oldest one, without Partial IV");
    assert_eq!(verify(0), Err(ResponseError::Replay));
    assert_eq!(verify(3), Ok(()));
}

#[test]
fn the_last_notification_may_be_an_error() {
    let mut pair = Pair::new();
    let (mut sent, verified) = observing(&mut pair);
    pair.respond(&verified, notification(1, "12:00"));
    let error = Message::new(code::NOT_FOUND).with_uint_option(MAX_AGE, 0);
    let mut message = pair.respond(&verified, error.clone());
    assert_eq!(
        (message.code, message.option(OBSERVE)),
        (code::CHANGED, None)
    );
    pair.device
        .unprotect_response(&mut sent, &mut message)
        .unwrap();
    assert_eq!(message, error);
}

#[test]
fn a_notification_to_a_request_without_observe_is_refused() {
    let mut pair = Pair::new();
    let (mut sent, mut message) = pair.request(get());
    let verified = pair.take(&mut message).unwrap();
    let mut message = pair.respond(&verified, notification(1, "12:00"));
    let refused = pair.device.unprotect_response(&mut sent, &mut message);
    assert_eq!(refused, Err(ResponseError::NoResponse));
}

#[test]
fn the_observe_option_outside_makes_no_observation() {
    let mut pair = Pair::new();
    let (_, mut message) = pair.request(get());
    message.set_option(OBSERVE, []);
    pair.take(&mut message).unwrap();
    assert_eq!(message, get());
    // And without it there is one: the Observe option inside counts.
    let (_, mut message) = pair.request(get().with_option(OBSERVE, []));
    message.remove_option(OBSERVE);
    pair.take(&mut message).unwrap();
    assert_eq!(message.option(OBSERVE), Some(&[][..]));
}

#[test]
fn without_a_stored_number_no_notification_leaves() {
    let mut pair = Pair::new();
    let (_, verified) = observing(&mut pair);
    pair.respond(&verified, notification(0, "12:00"));
    // The store has stopped.
    let mut notified = 0;
    let reason = loop {
        let mut message = notification(1, "12:00");
        match pair
            .gateway
            .protect(pair.now, &verified, Reply::Response, &mut message)
        {
            Ok(()) => notified += 1,
            Err(reason) => {
                assert_eq!(message, notification(1, "12:00"));
                break reason;
            }
        }
    };
    assert_eq!(reason, CannotProtect::NoNumber(NoNumber::NotStored));
    assert_eq!(notified, BLOCK);
    pair.store();
    pair.respond(&verified, notification(1, "12:00"));
}

#[test]
fn a_notification_that_leaves_before_the_response_is_the_newer_one() {
    let mut pair = Pair::new();
    let (mut sent, verified) = observing(&mut pair);
    let mut newer = pair.notify(&verified, notification(2, "12:01"));
    let mut older = pair.respond(&verified, notification(1, "12:00"));
    assert_eq!(older.option(OSCORE), Some(&[][..]));
    let mut number = |message: &mut Message| {
        pair.device.unprotect_response(&mut sent, message).unwrap();
        message.uint_option(OBSERVE)
    };
    assert_eq!((number(&mut newer), number(&mut older)), (Some(1), Some(0)));
}
