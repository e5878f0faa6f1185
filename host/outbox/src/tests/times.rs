//! Duplicates, expiry and restarts.

use super::*;

const LIFETIME: Duration = Duration::from_secs(247);

fn find(outbox: &Outbox, seconds: u64, message: u8, id: u8) -> Option<RecordNumber> {
    let of = (&[message; 16], LIFETIME);
    let found = outbox.find(
        at(seconds),
        unix(seconds),
        of,
        DeliveryId::from_bytes([id; 16]),
    );
    found.map(|(number, _)| number)
}

#[test]
fn the_same_datagram_is_the_same_message_for_its_lifetime_and_the_same_delivery_for_ever() {
    let mut outbox = outbox();
    let number = store(&mut outbox, 0, &message(1, 1));
    assert_eq!(find(&outbox, 247, 1, 9), Some(number));
    assert_eq!(find(&outbox, 248, 1, 9), None);
    assert_eq!(find(&outbox, 10_000, 9, 1), Some(number));
    assert_eq!(next(&mut outbox, 0), Some(number));
    sent(&mut outbox, 0, number);
    assert_eq!(find(&outbox, 10_000, 9, 1), Some(number));
}

#[test]
fn after_a_restart_the_datagram_is_recognised_by_the_clock_or_else_from_the_start() {
    for (accepted_at, seconds, is_found) in [
        (unix(0), 200, true),
        (Some(UNIX - 1000), 1, false),
        (None, 200, true),
        (None, 300, false),
        // The clock was set back.
        (Some(UNIX + 9000), 200, true),
    ] {
        let mut outbox = outbox();
        let at = accepted_at;
        restore(
            &mut outbox,
            5,
            &Accepted {
                at,
                ..message(1, 1)
            },
        );
        let found = find(&outbox, seconds, 1, 9).is_some();
        assert_eq!(found, is_found, "{accepted_at:?} {seconds}");
    }
}

#[test]
fn a_transaction_id_with_another_content_is_noticed() {
    let mut outbox = outbox();
    store(&mut outbox, 0, &message(1, 1));
    assert!(outbox.reuses_transaction(1, DeliveryId::from_bytes([2; 16])));
    assert!(!outbox.reuses_transaction(1, DeliveryId::from_bytes([1; 16])));
    assert!(!outbox.reuses_transaction(2, DeliveryId::from_bytes([2; 16])));
}

#[test]
fn records_keep_their_order_and_numbers_over_a_restart() {
    let mut outbox = outbox();
    restore(&mut outbox, 5, &message(1, 1));
    restore(&mut outbox, 9, &message(2, 1));
    let third = store(&mut outbox, 0, &message(3, 1));
    assert_eq!(third, 10);
    for number in [5, 9, 10] {
        assert_eq!(next(&mut outbox, 1), Some(number));
        sent(&mut outbox, 1, number);
    }
}

#[test]
fn a_record_expires_but_not_in_flight() {
    let week = 7 * 24 * 60 * MINUTE;
    let mut outbox = outbox();
    let first = store(&mut outbox, 0, &message(1, 1));
    let second = store(&mut outbox, 0, &message(2, 2));
    assert_eq!(outbox.expired(at(week)), []);
    assert_eq!(outbox.expired(at(week + 1)), [first, second]);
    assert_eq!(next(&mut outbox, 0), Some(first));
    assert_eq!(outbox.expired(at(week + 1)), [second]);
    let day = 24 * 60 * MINUTE;
    sent(&mut outbox, 0, first);
    assert_eq!(outbox.outdated(at(day)), []);
    assert_eq!(outbox.outdated(at(day + 1)), [first]);
}

#[test]
fn a_device_finds_its_own_records_by_their_short_ids() {
    let mut outbox = outbox();
    let number = store(&mut outbox, 0, &message(0xab, 1));
    let short = short_id(DeliveryId::from_bytes([0xab; 16]));
    let of = |device, prefix: &str| outbox.of_device(device, prefix).map(|(number, _)| number);
    assert_eq!(of(1, &short), Some(number));
    assert_eq!(of(2, &short), None);
    assert_eq!(of(1, "abab"), None, "too short to name one");
    assert_eq!(of(1, "cdcdcdcdcdcd"), None);
}

#[test]
fn one_that_had_expired_has_its_time_again_when_it_is_revived() {
    let week = 7 * 24 * 60 * MINUTE;
    let mut outbox = outbox();
    let first = store(&mut outbox, 0, &message(1, 1));
    assert_eq!(outbox.expired(at(week + 1)), [first]);
    assert!(outbox.ended(at(week + 1), unix(week + 1), first, State::Failed, 400));
    let later = week + 2;
    let revived = outbox.revive(at(later), first, 400).unwrap();
    outbox.stored(revived);
    assert_eq!(outbox.expired(at(later + week)), []);
    let over = later + week + 1;
    assert_eq!(outbox.expired(at(over)), [revived]);
    let oldest = outbox.totals(at(over)).oldest;
    assert_eq!(oldest, Some(at(week + 1)));
}

#[test]
fn an_operator_finds_the_records_of_all_devices_whose_ids_begin_alike() {
    let mut outbox = outbox();
    for (number, last) in [(1, 1), (2, 2)] {
        let mut bytes = [0xab; 16];
        bytes[15] = last;
        let mut accepted = message(number, 1);
        accepted.id = DeliveryId::from_bytes(bytes);
        accepted.origin.owner.host = number.into();
        store(&mut outbox, 0, &accepted);
    }
    let count = |prefix: &str| outbox.with_prefix(prefix).map(Iterator::count);
    assert_eq!(count("abababab"), Some(2));
    assert_eq!(count(&format!("{}01", "ab".repeat(15))), Some(1));
    assert_eq!(count("cdcdcdcd"), Some(0));
    assert_eq!(count("ababab"), None);
    assert_eq!(count("not hexadecimal"), None);
}

#[test]
fn a_clock_that_is_set_while_messages_wait_makes_none_of_them_older() {
    let month = 30 * 24 * 60 * MINUTE;
    let mut outbox = outbox();
    let number = store(&mut outbox, 0, &message(1, 1));
    assert_eq!(outbox.expired(at(1)), []);
    let of = (&[1; 16], LIFETIME);
    let id = DeliveryId::from_bytes([9; 16]);
    for clock in [unix(month), None, Some(UNIX - month)] {
        assert!(outbox.find(at(247), clock, of, id).is_some(), "{clock:?}");
        assert!(outbox.find(at(248), clock, of, id).is_none(), "{clock:?}");
    }
    assert_eq!(next(&mut outbox, 0), Some(number));
    sent(&mut outbox, 0, number);
    assert_eq!(outbox.outdated(at(1)), []);
}

#[test]
fn what_waited_before_a_restart_counts_by_the_clock_of_the_start() {
    let week = 7 * 24 * 60 * MINUTE;
    let mut outbox = outbox();
    let (waiting, ended) = ((State::Waiting, None), (State::Failed, unix(0)));
    let clock = unix(week - 1);
    outbox.restore((at(0), clock), 1, &message(1, 1), waiting);
    outbox.restore((at(0), clock), 2, &message(2, 2), ended);
    // The clock was set back, or is not set.
    outbox.restore((at(0), Some(5)), 3, &message(3, 3), waiting);
    outbox.restore((at(0), None), 4, &message(4, 4), waiting);
    assert_eq!(
        (outbox.expired(at(1)), outbox.outdated(at(1))),
        (vec![], vec![])
    );
    assert_eq!(
        (outbox.expired(at(2)), outbox.outdated(at(2))),
        (vec![1], vec![2])
    );
    assert_eq!(outbox.expired(at(week + 1)), [1, 3, 4]);
}

#[test]
fn a_record_that_cannot_be_read_keeps_its_number() {
    let mut outbox = outbox();
    outbox.skip(7);
    restore(&mut outbox, 3, &message(1, 1));
    assert_eq!(store(&mut outbox, 0, &message(2, 2)), 8);
}
