//! Records that leave.

use super::*;

#[test]
fn one_that_is_about_to_leave_has_no_turn_and_those_behind_it_have_none_either() {
    let mut outbox = outbox();
    let first = store(&mut outbox, 0, &message(1, 1));
    let second = store(&mut outbox, 0, &message(2, 1));
    assert!(outbox.begin_leaving(first));
    assert!(!outbox.begin_leaving(first), "once");
    assert_eq!(next(&mut outbox, 0), None);
    assert!(outbox.drop(first));
    assert_eq!(next(&mut outbox, 0), Some(second));
    assert!(!outbox.begin_leaving(second), "it is in flight");
}

#[test]
fn one_that_does_not_leave_after_all_has_its_turn() {
    let mut outbox = outbox();
    let first = store(&mut outbox, 0, &message(1, 1));
    let second = store(&mut outbox, 0, &message(2, 1));
    for number in [first, second] {
        assert!(outbox.begin_leaving(number));
    }
    assert_eq!(next(&mut outbox, 0), None);
    outbox.stay(second);
    assert_eq!(next(&mut outbox, 0), None);
    outbox.stay(first);
    assert_eq!(next(&mut outbox, 0), Some(first));
    sent(&mut outbox, 0, first);
    assert_eq!(next(&mut outbox, 0), Some(second));
}

#[test]
fn one_that_is_not_stored_or_has_ended_does_not_leave() {
    let mut outbox = outbox();
    let number = outbox.accept(at(0), &message(1, 1), None).unwrap();
    assert!(!outbox.begin_leaving(number));
    outbox.stored(number);
    assert_eq!(next(&mut outbox, 0), Some(number));
    sent(&mut outbox, 0, number);
    assert!(!outbox.begin_leaving(number));
    assert!(!outbox.begin_leaving(99));
}

#[test]
fn one_that_leaves_in_flight_says_nothing_of_its_homeserver() {
    let mut outbox = outbox();
    let down = store(&mut outbox, 0, &message(1, 1));
    assert_eq!(next(&mut outbox, 0), Some(down));
    let number = outbox.accept(at(0), &message(2, 2), Some(at(0))).unwrap();
    retry(&mut outbox, 0, down, Retry::Unreachable);
    outbox.withdraw(number);
    assert_eq!(outbox.waiting(down), Some(Waiting::Homeserver));
    assert_eq!(outbox.totals(at(0)).in_flight, 0);
}
