//! Whose turn it is.

use super::*;

#[test]
fn a_lane_has_one_delivery_in_flight_and_keeps_its_order() {
    let mut outbox = outbox();
    let first = store(&mut outbox, 0, &message(1, 1));
    let second = store(&mut outbox, 0, &message(2, 1));
    assert_eq!(next(&mut outbox, 0), Some(first));
    assert_eq!(next(&mut outbox, 0), None);
    assert_eq!(outbox.waiting(second), Some(Waiting::Lane));
    sent(&mut outbox, 1, first);
    assert_eq!(next(&mut outbox, 1), Some(second));
}

#[test]
fn a_delivery_has_no_turn_before_it_is_stored() {
    let mut outbox = outbox();
    let number = outbox.accept(at(0), &message(1, 1), None).unwrap();
    assert_eq!(next(&mut outbox, 0), None);
    outbox.stored(number);
    assert_eq!(next(&mut outbox, 0), Some(number));
}

#[test]
fn one_that_is_stored_late_does_not_overtake_the_one_before() {
    let mut outbox = outbox();
    let first = outbox.accept(at(0), &message(1, 1), None).unwrap();
    let second = outbox.accept(at(0), &message(2, 1), None).unwrap();
    outbox.stored(second);
    assert_eq!(next(&mut outbox, 0), None);
    outbox.stored(first);
    assert_eq!(next(&mut outbox, 0), Some(first));
    sent(&mut outbox, 0, first);
    assert_eq!(next(&mut outbox, 0), Some(second));
}

#[test]
fn a_later_one_of_the_lane_waits_behind_those_that_wait() {
    let mut outbox = outbox();
    let origin = message(1, 1).origin;
    assert_eq!(outbox.route(&origin), Route::Direct);
    let number = store(&mut outbox, 0, &message(1, 1));
    assert_eq!(outbox.route(&origin), Route::Store);
    assert_eq!(outbox.route(&message(2, 2).origin), Route::Direct);
    assert_eq!(next(&mut outbox, 0), Some(number));
    sent(&mut outbox, 0, number);
    assert_eq!(outbox.route(&origin), Route::Direct);
}

#[test]
fn while_a_result_is_recorded_its_lane_waits_and_others_have_its_place_at_the_homeserver() {
    let mut outbox = outbox();
    let first = store(&mut outbox, 0, &message(1, 1));
    let second = store(&mut outbox, 0, &message(2, 1));
    for lane in 2..=50 {
        store(&mut outbox, 0, &message(100 + lane, lane.into()));
    }
    assert_eq!(next(&mut outbox, 0), Some(first));
    outbox.record(at(1), first);
    assert!(!outbox.drop(first), "it is not over");
    assert_eq!(outbox.waiting(second), Some(Waiting::Lane));
    let mut recording = vec![first];
    while let Some(number) = next(&mut outbox, 1) {
        assert_ne!(number, second);
        outbox.record(at(1), number);
        recording.push(number);
    }
    assert_eq!(
        recording.len(),
        32,
        "a disk that takes nothing holds that many"
    );
    for number in recording {
        sent(&mut outbox, 2, number);
    }
    let rest: Vec<_> = std::iter::from_fn(|| next(&mut outbox, 2)).collect();
    assert_eq!(rest.len(), 16);
    rest.into_iter()
        .for_each(|number| sent(&mut outbox, 3, number));
    let rest: Vec<_> = std::iter::from_fn(|| next(&mut outbox, 3)).collect();
    assert!(rest.contains(&second));
}

#[test]
fn a_homeserver_that_is_down_is_asked_by_one_lane_and_returns_step_by_step() {
    let mut outbox = outbox();
    for lane in 1..=40 {
        store(&mut outbox, 0, &message(lane, lane.into()));
    }
    let first = next(&mut outbox, 0).unwrap();
    assert_eq!(next(&mut outbox, 0), None, "one at a time after the start");
    retry(&mut outbox, 0, first, Retry::Unreachable);
    assert_eq!(next(&mut outbox, 0), None);
    assert_eq!(outbox.waiting(first), Some(Waiting::Homeserver));
    assert_eq!(outbox.route(&message(99, 99).origin), Route::Store);
    assert_eq!(next(&mut outbox, 2), Some(first), "the oldest tries again");
    let mut in_flight = vec![first];
    let mut steps = Vec::new();
    for _ in 0..8 {
        for number in in_flight.drain(..) {
            sent(&mut outbox, 3, number);
        }
        in_flight.extend(std::iter::from_fn(|| next(&mut outbox, 3)));
        steps.push(in_flight.len());
    }
    assert_eq!(
        steps[..3],
        [2, 8, 16],
        "each success doubles the lanes, up to 16"
    );
    assert_eq!(outbox.route(&message(99, 99).origin), Route::Direct);
}

#[test]
fn pauses_toward_a_homeserver_grow_to_a_minute() {
    let mut outbox = outbox();
    let number = store(&mut outbox, 0, &message(1, 1));
    let mut seconds = 0;
    let mut attempts = Vec::new();
    while seconds < 24 * 60 * MINUTE {
        if next(&mut outbox, seconds) == Some(number) {
            attempts.push(seconds);
            retry(&mut outbox, seconds, number, Retry::Unreachable);
        }
        seconds += 1;
    }
    assert!((900..1500).contains(&attempts.len()), "{}", attempts.len());
    let longest = attempts.windows(2).map(|pair| pair[1] - pair[0]).max();
    assert!(longest <= Some(92), "{longest:?}");
}

#[test]
fn a_5xx_of_one_room_leaves_the_others_alone() {
    let mut outbox = outbox();
    let broken = store(&mut outbox, 0, &message(1, 1));
    let works = store(&mut outbox, 0, &message(2, 2));
    assert_eq!(next(&mut outbox, 0), Some(broken));
    retry(&mut outbox, 0, broken, Retry::Server);
    assert_eq!(outbox.waiting(broken), Some(Waiting::Pause));
    assert_eq!(next(&mut outbox, 0), Some(works));
    sent(&mut outbox, 0, works);
    assert_eq!(next(&mut outbox, 2), Some(broken));
}

#[test]
fn a_timeout_while_others_succeed_is_that_of_its_lane() {
    let mut outbox = outbox();
    let numbers: Vec<_> = (1..=4)
        .map(|lane| store(&mut outbox, 0, &message(lane, lane.into())))
        .collect();
    assert_eq!(next(&mut outbox, 0), Some(numbers[0]));
    sent(&mut outbox, 0, numbers[0]);
    assert_eq!(next(&mut outbox, 1), Some(numbers[1]));
    assert_eq!(next(&mut outbox, 1), Some(numbers[2]));
    sent(&mut outbox, 2, numbers[2]);
    retry(&mut outbox, 11, numbers[1], Retry::TimedOut);
    assert_eq!(outbox.waiting(numbers[1]), Some(Waiting::Pause));
    assert_eq!(next(&mut outbox, 11), Some(numbers[3]));
    retry(&mut outbox, 21, numbers[3], Retry::TimedOut);
    assert_eq!(outbox.waiting(numbers[3]), Some(Waiting::Homeserver));
}

#[test]
fn a_room_that_never_responds_leaves_turns_to_the_others() {
    let mut outbox = outbox();
    let silent = store(&mut outbox, 0, &message(1, 1));
    let works = store(&mut outbox, 0, &message(2, 2));
    assert_eq!(next(&mut outbox, 0), Some(silent));
    retry(&mut outbox, 30, silent, Retry::TimedOut);
    assert_eq!(next(&mut outbox, 30), None);
    assert_eq!(next(&mut outbox, 32), Some(works));
    sent(&mut outbox, 32, works);
    assert_eq!(outbox.route(&message(3, 3).origin), Route::Direct);
}

#[test]
fn a_timeout_of_a_room_while_messages_to_others_are_sent_at_once_is_that_of_its_room() {
    let mut outbox = outbox();
    let slow = store(&mut outbox, 0, &message(1, 1));
    assert_eq!(next(&mut outbox, 0), Some(slow));
    outbox.responded(at(5), 1);
    retry(&mut outbox, 30, slow, Retry::TimedOut);
    assert_eq!(outbox.waiting(slow), Some(Waiting::Pause));
    assert_eq!(outbox.route(&message(2, 2).origin), Route::Direct);
}

#[test]
fn a_429_pauses_the_account_and_not_the_others() {
    let mut outbox = outbox();
    let limited = store(&mut outbox, 0, &message(1, 1));
    let same = store(&mut outbox, 0, &message(2, 2));
    let mut other = message(3, 3);
    other.origin.account = 2;
    let other = store(&mut outbox, 0, &other);
    assert_eq!(next(&mut outbox, 0), Some(limited));
    retry(&mut outbox, 0, limited, Retry::Limited(at(30)));
    assert_eq!(next(&mut outbox, 0), Some(other));
    sent(&mut outbox, 0, other);
    assert_eq!(next(&mut outbox, 29), None);
    assert_eq!(outbox.waiting(same), Some(Waiting::Limited));
    assert_eq!(outbox.route(&message(9, 9).origin), Route::Store);
    assert_eq!(next(&mut outbox, 46), Some(limited));
}

#[test]
fn an_account_without_a_valid_token_waits_until_it_is_set_going() {
    let mut outbox = outbox();
    let first = store(&mut outbox, 0, &message(1, 1));
    let second = store(&mut outbox, 0, &message(2, 2));
    assert_eq!(next(&mut outbox, 0), Some(first));
    retry(&mut outbox, 0, first, Retry::Token);
    assert_eq!(next(&mut outbox, 24 * 60 * MINUTE), None);
    assert_eq!(outbox.waiting(second), Some(Waiting::Token));
    outbox.set_going();
    let mut both = [next(&mut outbox, 1), next(&mut outbox, 1)];
    both.sort();
    assert_eq!(both, [Some(first), Some(second)]);
}

#[test]
fn an_attempt_that_began_before_it_was_stored_is_the_one_of_its_lane() {
    let mut outbox = outbox();
    let first = outbox.accept(at(2), &message(1, 1), Some(at(0))).unwrap();
    let second = store(&mut outbox, 2, &message(2, 1));
    outbox.stored(first);
    assert_eq!(next(&mut outbox, 2), None);
    sent(&mut outbox, 3, first);
    assert_eq!(next(&mut outbox, 3), Some(second));
}

#[test]
fn a_second_attempt_that_began_before_ends_its_record_wherever_it_is() {
    let mut outbox = outbox();
    let first = outbox.accept(at(2), &message(1, 1), Some(at(0))).unwrap();
    let second = outbox.accept(at(2), &message(2, 1), Some(at(1))).unwrap();
    outbox.stored(first);
    outbox.stored(second);
    sent(&mut outbox, 3, second);
    assert_eq!(outbox.waiting(first), Some(Waiting::InFlight));
    retry(&mut outbox, 4, first, Retry::Server);
    assert_eq!(next(&mut outbox, 6), Some(first));
    sent(&mut outbox, 6, first);
    assert_eq!(outbox.totals(at(6)).waiting, (0, 0));
}

#[test]
fn an_attempt_that_began_before_its_turn_is_not_made_twice() {
    let mut outbox = outbox();
    let first = outbox.accept(at(2), &message(1, 1), Some(at(0))).unwrap();
    let second = outbox.accept(at(2), &message(2, 1), Some(at(1))).unwrap();
    let third = store(&mut outbox, 2, &message(3, 1));
    outbox.stored(first);
    outbox.stored(second);
    assert!(!outbox.drop(second), "it is in flight");
    sent(&mut outbox, 3, first);
    assert_eq!(next(&mut outbox, 3), None, "its attempt is in flight");
    assert_eq!(outbox.waiting(second), Some(Waiting::InFlight));
    retry(&mut outbox, 4, second, Retry::Server);
    assert_eq!(next(&mut outbox, 6), Some(second));
    sent(&mut outbox, 6, second);
    assert_eq!(next(&mut outbox, 6), Some(third));
    sent(&mut outbox, 6, third);
    assert_eq!(outbox.totals(at(6)).in_flight, 0);
}

#[test]
fn a_failed_one_that_is_revived_is_the_youngest_of_its_lane() {
    let mut outbox = outbox();
    let first = store(&mut outbox, 0, &message(1, 1));
    let second = store(&mut outbox, 0, &message(2, 1));
    assert_eq!(next(&mut outbox, 0), Some(first));
    assert!(outbox.ended(at(0), None, first, State::Failed, 400));
    let revived = outbox.revive(at(1), first, 400).unwrap();
    assert!(revived > second && outbox.get(first).is_none());
    outbox.stored(revived);
    assert_eq!(next(&mut outbox, 1), Some(second));
    sent(&mut outbox, 1, second);
    assert_eq!(next(&mut outbox, 1), Some(revived));
    assert_eq!(
        outbox.revive(at(1), revived, 400),
        None,
        "it has not failed"
    );
}
