//! Tests of the outbox. Seconds are those of its clock; Unix time is `UNIX` more.

mod any_sequence;
mod bounds;
mod leaving;
mod set_going;
mod times;
mod turns;
mod uncertain;

use std::time::Duration;

use contract::DeliveryId;
use share::Owner;

use crate::*;

const UNIX: u64 = 1_800_000_000;
const MINUTE: u64 = 60;

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn unix(seconds: u64) -> Option<u64> {
    Some(UNIX + seconds)
}

fn outbox() -> Outbox {
    Outbox::new(OutboxLimits::default(), 7)
}

/// Of one device, in a lane of the first homeserver.
fn message(number: u8, lane: u64) -> Accepted {
    Accepted {
        id: DeliveryId::from_bytes([number; 16]),
        message: [number; 16],
        name: number.into(),
        origin: Origin {
            owner: Owner::new(1, None),
            server: 1,
            account: 1,
            lane,
        },
        bytes: 400,
        at: unix(0),
        is_proven: true,
        revived_at: None,
        attempted: false,
    }
}

/// Accepts and stores a delivery.
fn store(outbox: &mut Outbox, seconds: u64, accepted: &Accepted) -> RecordNumber {
    let number = outbox.accept(at(seconds), accepted, None).unwrap();
    outbox.stored(number);
    number
}

fn next(outbox: &mut Outbox, seconds: u64) -> Option<RecordNumber> {
    outbox.handle_timeout(at(seconds));
    let attempt = outbox.next_attempt(at(seconds), unix(seconds));
    attempt.map(|attempt| attempt.number)
}

fn sent(outbox: &mut Outbox, seconds: u64, number: RecordNumber) {
    assert!(outbox.ended(at(seconds), unix(seconds), number, State::Sent, 100));
}

fn retry(outbox: &mut Outbox, seconds: u64, number: RecordNumber, why: Retry) {
    outbox.retry(at(seconds), number, why);
}

fn restore(outbox: &mut Outbox, number: RecordNumber, accepted: &Accepted) {
    outbox.restore((at(0), unix(0)), number, accepted, (State::Waiting, None));
}
