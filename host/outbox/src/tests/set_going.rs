//! Pauses that an operator ends.

use super::*;

#[test]
fn another_token_sets_the_lanes_of_its_account_going_and_no_others() {
    let mut outbox = outbox();
    let mut of_another = message(9, 9);
    of_another.origin.account = 9;
    let numbers =
        [message(1, 1), message(2, 2), of_another].map(|message| store(&mut outbox, 0, &message));
    while let Some(number) = next(&mut outbox, 0) {
        let why = match number == numbers[2] {
            true => Retry::Limited(at(60)),
            false => Retry::Token,
        };
        retry(&mut outbox, 0, number, why);
    }
    assert!(outbox.needs_token(1) && !outbox.needs_token(9));
    assert!(outbox.has_account(9) && !outbox.has_account(7));
    outbox.token_renewed(9);
    assert_eq!(next(&mut outbox, 0), None, "it waits for a time");
    outbox.token_renewed(1);
    assert_eq!(next(&mut outbox, 0), Some(numbers[0]));
}

#[test]
fn an_operator_ends_the_pauses_that_one_record_waits_for() {
    for why in [
        Retry::Server,
        Retry::Limited(at(60)),
        Retry::Token,
        Retry::Unreachable,
    ] {
        let mut outbox = outbox();
        let mut of_other_server = message(9, 9);
        of_other_server.origin.server = 9;
        of_other_server.origin.account = 9;
        let other = store(&mut outbox, 0, &of_other_server);
        let first = store(&mut outbox, 0, &message(1, 1));
        let second = store(&mut outbox, 0, &message(2, 2));
        for _ in 0..2 {
            let number = next(&mut outbox, 0).unwrap();
            let why = if number == other { Retry::Server } else { why };
            retry(&mut outbox, 0, number, why);
        }
        while let Some(number) = next(&mut outbox, 0) {
            retry(&mut outbox, 0, number, why);
        }
        outbox.set_going_for(first);
        assert_eq!(next(&mut outbox, 0), Some(first), "{why:?}");
        sent(&mut outbox, 0, first);
        assert_eq!(outbox.waiting(other), Some(Waiting::Pause), "{why:?}");
        outbox.set_going_for(second);
        assert_eq!(next(&mut outbox, 0), Some(second), "{why:?}");
        sent(&mut outbox, 0, second);
        assert_eq!(next(&mut outbox, 0), None, "{why:?}");
        assert_eq!(next(&mut outbox, 2), Some(other));
        sent(&mut outbox, 2, other);
        assert_eq!(outbox.next_timeout(), None, "{why:?}");
    }
}

#[test]
fn the_lane_that_an_operator_sets_going_is_the_next_at_a_homeserver_that_is_down() {
    let mut outbox = outbox();
    let numbers: Vec<_> = (1..=3)
        .map(|lane| store(&mut outbox, 0, &message(lane, lane.into())))
        .collect();
    assert_eq!(next(&mut outbox, 0), Some(numbers[0]));
    retry(&mut outbox, 0, numbers[0], Retry::Unreachable);
    outbox.set_going_for(numbers[2]);
    assert_eq!(next(&mut outbox, 0), Some(numbers[2]));
    assert_eq!(next(&mut outbox, 0), None, "one at a time while it is down");
    // What is in flight, has ended or never was has no pause.
    outbox.set_going_for(numbers[2]);
    outbox.set_going_for(99);
    sent(&mut outbox, 0, numbers[2]);
    outbox.set_going_for(numbers[2]);
    assert_eq!(next(&mut outbox, 0), Some(numbers[0]));
}
