//! Bounds and shares.

use share::Refused;

use super::*;

fn from(host: u64, number: u8) -> Accepted {
    let mut accepted = message(number, host);
    accepted.origin.owner = Owner::new(host, None);
    accepted
}

fn small() -> Outbox {
    let limits = OutboxLimits {
        messages: 16,
        bytes: 16 * 400,
        ..OutboxLimits::default()
    };
    Outbox::new(limits, 7)
}

#[test]
fn a_host_has_an_eighth_and_leaves_room_for_others() {
    let mut outbox = small();
    for number in 0..2 {
        outbox.accept(at(0), &from(1, number), None).unwrap();
    }
    let refused = outbox.accept(at(0), &from(1, 2), None);
    assert_eq!(refused, Err(Refused::Host));
    assert!(outbox.accept(at(0), &from(2, 3), None).is_ok());
}

#[test]
fn nothing_that_waits_leaves_for_what_comes() {
    let mut outbox = small();
    let held: Vec<_> = (0..16)
        .map(|number| outbox.accept(at(0), &from((number / 2).into(), number), None))
        .collect();
    assert!(held.iter().all(Result::is_ok));
    let refused = outbox.accept(at(0), &from(99, 99), None);
    assert_eq!(refused, Err(Refused::InAll));
    for number in held.into_iter().flatten() {
        assert!(outbox.get(number).is_some());
        assert_eq!(outbox.surplus(number), None);
    }
}

#[test]
fn forged_addresses_fill_a_half_and_leave_the_other_to_those_that_are_proven() {
    let mut outbox = small();
    let unproven = |host: u64| Accepted {
        is_proven: false,
        ..from(host, host as u8)
    };
    let taken = (0..100).filter(|host| outbox.accept(at(0), &unproven(*host), None).is_ok());
    assert_eq!(taken.count(), 8);
    for number in 100..108 {
        let proven = from((number / 2).into(), number);
        assert!(outbox.accept(at(0), &proven, None).is_ok(), "{number}");
    }
}

#[test]
fn a_record_that_leaves_makes_room() {
    let mut outbox = small();
    let numbers: Vec<_> = (0..2)
        .map(|number| store(&mut outbox, 0, &from(1, number)))
        .collect();
    assert_eq!(next(&mut outbox, 0), Some(numbers[0]));
    sent(&mut outbox, 0, numbers[0]);
    assert!(outbox.room(Owner::new(1, None), 400).is_ok());
    assert!(outbox.drop(numbers[1]));
    assert_eq!(outbox.totals(at(0)).waiting, (0, 0));
}

#[test]
fn failed_records_take_an_eighth_and_the_oldest_of_the_heaviest_leaves_first() {
    let limits = OutboxLimits {
        messages: 128,
        ..OutboxLimits::default()
    };
    let mut outbox = Outbox::new(limits, 7);
    let mut failed = |host: u64, number: u8| {
        let record = store(&mut outbox, 0, &from(host, number));
        assert_eq!(next(&mut outbox, 0), Some(record));
        assert!(outbox.ended(at(0), None, record, State::Failed, 400));
        let surplus = outbox.surplus(record);
        if let Some(surplus) = surplus {
            assert!(outbox.drop(surplus));
        }
        (record, surplus)
    };
    let honest = failed(2, 100);
    let of_host: Vec<_> = (0..4).map(|number| failed(1, number)).collect();
    assert_eq!(honest.1, None);
    let left: Vec<_> = of_host.iter().map(|(_, surplus)| *surplus).collect();
    assert_eq!(left, [None, None, Some(of_host[0].0), Some(of_host[1].0)]);
    assert!(outbox.get(honest.0).is_some());
    assert_eq!(outbox.totals(at(0)).failed, (3, 1200));
}

#[test]
fn one_in_flight_is_not_dropped() {
    let mut outbox = outbox();
    let number = store(&mut outbox, 0, &message(1, 1));
    assert_eq!(next(&mut outbox, 0), Some(number));
    assert!(!outbox.drop(number));
    retry(&mut outbox, 0, number, Retry::Server);
    assert!(outbox.drop(number));
    assert_eq!(next(&mut outbox, 100), None);
    assert_eq!(outbox.next_timeout(), None, "no timer is left");
}

#[test]
fn a_record_that_cannot_be_stored_leaves_also_while_its_attempt_is_in_flight() {
    let mut outbox = outbox();
    let number = outbox.accept(at(2), &message(1, 1), Some(at(0))).unwrap();
    outbox.withdraw(number);
    assert_eq!(outbox.route(&message(1, 1).origin), Route::Direct);
    assert!(!outbox.ended(at(3), None, number, State::Sent, 0));
}
