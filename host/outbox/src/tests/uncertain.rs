//! Attempts whose effect is unknown, and the searches that precede later ones.

use super::*;

/// What has to be searched for before the next attempt.
fn search(outbox: &mut Outbox, seconds: u64, clock: Option<u64>) -> Option<Search> {
    outbox.handle_timeout(at(seconds));
    let attempt = outbox.next_attempt(at(seconds), clock).unwrap();
    attempt.search.filter(|search| search.is_forgotten)
}

fn forgotten(since: Option<u64>) -> Search {
    Search {
        since,
        is_forgotten: true,
    }
}

#[test]
fn an_unknown_outcome_older_than_homeservers_remember_is_searched_for() {
    let mut outbox = outbox();
    let number = store(&mut outbox, 0, &message(1, 1));
    assert_eq!(search(&mut outbox, 0, unix(0)), None);
    retry(&mut outbox, 10, number, Retry::Server);
    assert_eq!(search(&mut outbox, 12, unix(12)), None);
    retry(&mut outbox, 20, number, Retry::Unreachable);
    let later = 31 * MINUTE;
    let since = unix(10);
    assert_eq!(
        search(&mut outbox, later, unix(later)),
        Some(forgotten(since))
    );
}

#[test]
fn one_that_never_reached_the_homeserver_is_not_searched_for() {
    let mut outbox = outbox();
    let number = store(&mut outbox, 0, &message(1, 1));
    assert_eq!(next(&mut outbox, 0), Some(number));
    retry(&mut outbox, 0, number, Retry::Unreachable);
    assert_eq!(search(&mut outbox, 60 * MINUTE, unix(60 * MINUTE)), None);
}

#[test]
fn one_that_was_attempted_before_it_was_stored_is_searched_for_wherever_it_was() {
    let mut outbox = outbox();
    restore(&mut outbox, 1, &message(1, 1));
    restore(&mut outbox, 2, &attempted(message(2, 1)));
    assert_eq!(next(&mut outbox, 0), Some(1));
    sent(&mut outbox, 0, 1);
    assert!(search(&mut outbox, 0, unix(3600)).is_some());
}

#[test]
fn one_that_failed_before_a_restart_is_searched_for_when_it_is_revived() {
    let mut outbox = outbox();
    outbox.restore(
        (at(0), unix(0)),
        1,
        &message(1, 1),
        (State::Failed, unix(9)),
    );
    restore(&mut outbox, 2, &message(2, 1));
    let revived = outbox.revive(at(1), 1, 400).unwrap();
    outbox.stored(revived);
    assert_eq!(next(&mut outbox, 1), Some(2));
    sent(&mut outbox, 1, 2);
    let since = unix(0);
    assert_eq!(search(&mut outbox, 2, unix(3600)), Some(forgotten(since)));
}

fn attempted(accepted: Accepted) -> Accepted {
    Accepted {
        attempted: true,
        ..accepted
    }
}

/// Two messages of a lane that waited when the gateway was started.
fn restored() -> Outbox {
    let mut outbox = outbox();
    restore(&mut outbox, 1, &message(1, 1));
    restore(&mut outbox, 2, &message(2, 1));
    outbox
}

#[test]
fn after_a_restart_the_oldest_of_a_lane_can_have_been_attempted() {
    // Whatever the clock says: it may have stood still.
    for clock in [unix(1), unix(3600), None] {
        let mut outbox = restored();
        let found = search(&mut outbox, 0, clock);
        assert_eq!(found, Some(forgotten(unix(0))), "{clock:?}");
    }
}

#[test]
fn the_next_one_can_have_been_attempted_too_unless_a_search_has_not_found_the_oldest() {
    let clock = unix(3600);
    let mut outbox = restored();
    assert!(search(&mut outbox, 0, clock).is_some());
    sent(&mut outbox, 0, 1);
    assert_eq!(search(&mut outbox, 0, clock), Some(forgotten(unix(0))));
    let mut outbox = restored();
    assert!(search(&mut outbox, 0, clock).is_some());
    outbox.not_sent(1);
    sent(&mut outbox, 0, 1);
    assert_eq!(search(&mut outbox, 0, clock), None);
    // Nor one that came after the start.
    let mut outbox = super::outbox();
    restore(&mut outbox, 1, &message(1, 1));
    store(&mut outbox, 0, &message(2, 1));
    assert!(search(&mut outbox, 0, clock).is_some());
    sent(&mut outbox, 0, 1);
    assert_eq!(search(&mut outbox, 0, clock), None);
}

#[test]
fn an_attempt_with_another_token_is_another_message_for_the_homeserver() {
    let mut outbox = outbox();
    let (first, second) = (message(1, 1), message(2, 2));
    let first = store(&mut outbox, 0, &first);
    store(&mut outbox, 0, &second);
    assert_eq!(search(&mut outbox, 0, unix(0)), None);
    retry(&mut outbox, 0, first, Retry::Server);
    outbox.tokens_changed();
    let attempted: Vec<_> = [0, 2]
        .map(|second| search(&mut outbox, second, unix(second)))
        .into();
    assert_eq!(attempted, [None, Some(forgotten(unix(0)))]);
}

#[test]
fn one_that_was_not_found_is_searched_for_again_only_after_another_attempt() {
    let mut outbox = restored();
    let (hour, later) = (60 * MINUTE, 2 * 60 * MINUTE);
    assert!(search(&mut outbox, 0, unix(hour)).is_some());
    outbox.not_sent(1);
    retry(&mut outbox, 0, 1, Retry::Unreachable);
    assert_eq!(search(&mut outbox, 100, unix(later)), None);
    retry(&mut outbox, 100, 1, Retry::TimedOut);
    assert!(search(&mut outbox, later, unix(2 * later)).is_some());
}

#[test]
fn a_repetition_of_one_that_was_attempted_before_is_searched_for_when_it_has_waited() {
    let later = 21 * MINUTE;
    let mut outbox = outbox();
    let first = store(&mut outbox, 0, &attempted(message(1, 1)));
    let second = store(&mut outbox, 0, &message(2, 2));
    outbox.attempted_again(at(0), second);
    assert_eq!(search(&mut outbox, 0, unix(0)), None);
    retry(&mut outbox, 0, first, Retry::Unreachable);
    for number in [first, second] {
        let found = search(&mut outbox, later, unix(later));
        assert_eq!(found, Some(forgotten(unix(0))));
        sent(&mut outbox, later, number);
    }
}

#[test]
fn an_attempt_that_the_homeserver_remembers_is_said_too() {
    let mut outbox = outbox();
    let number = store(&mut outbox, 0, &message(1, 1));
    let attempt = outbox.next_attempt(at(0), unix(0)).unwrap();
    assert_eq!(attempt.search, None);
    retry(&mut outbox, 0, number, Retry::TimedOut);
    outbox.handle_timeout(at(60));
    let search = outbox.next_attempt(at(60), unix(60)).unwrap().search;
    assert_eq!(search.map(|search| search.is_forgotten), Some(false));
}
