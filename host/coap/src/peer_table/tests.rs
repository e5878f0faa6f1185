//! Tests of the table of peers.

use super::Admission::{Ignored, Warned, Within};
use super::*;

fn table(rate: u32) -> (PeerTable, Instant) {
    let limits = Limits {
        datagrams_per_second_per_peer: rate,
        unproven_bytes: 136,
        ..Limits::default()
    };
    (PeerTable::new(&limits), Instant::now())
}

#[test]
fn each_peer_has_an_account_of_its_own() {
    let (mut table, start) = table(100);
    let mut within = |hash, count| {
        (0..count)
            .filter(|_| table.receive(start, hash, hash, 20) == Within)
            .count()
    };
    assert_eq!((within(1, 500), within(2, 50)), (100, 50));
}

#[test]
fn a_peer_above_its_rate_is_warned_now_and_then_and_else_ignored() {
    let (mut table, start) = table(100);
    let admitted: Vec<_> = (0..103).map(|_| table.receive(start, 1, 1, 20)).collect();
    assert_eq!(admitted[99..], [Within, Warned, Ignored, Ignored]);
    let later = start + BETWEEN_WARNINGS / 2;
    assert_eq!(table.receive(later, 1, 1, 20), Ignored);
}

#[test]
fn no_rate_is_no_bound() {
    let (mut table, start) = table(0);
    assert!((0..10_000).all(|_| table.receive(start, 1, 1, 20) == Within));
}

#[test]
fn an_unproven_peer_is_sent_three_times_its_bytes_and_a_proven_one_what_it_asks_for() {
    let (mut table, start) = table(0);
    table.receive(start, 1, 1, 100);
    assert_eq!(table.allowance(start, 1, 20), 136);
    assert_eq!(table.allowance(start, 1, 100), 300);
    table.spend(1, 200);
    assert_eq!(table.credit(1), 100);
    table.prove(start, 1, 1);
    assert_eq!(table.allowance(start, 1, 20), usize::MAX);
    assert!(table.is_proven(start, 1));
    assert_eq!(table.allowance(start + PROOF_LIFETIME, 1, 20), 136);
}

#[test]
fn the_idlest_unproven_peer_of_a_full_set_makes_room() {
    let (mut table, start) = table(100);
    let of_set = |number: usize| (number * SETS) as u64;
    table.receive(start, of_set(0), of_set(0), 20);
    table.prove(start, of_set(0), of_set(0));
    for number in 1..=1000 {
        let at = start + Duration::from_millis(number as u64);
        table.receive(at, of_set(number), of_set(number), 20);
    }
    assert_eq!(table.len(), PEERS_PER_SET);
    let end = start + Duration::from_secs(1);
    assert!(table.is_proven(end, of_set(0)), "the proven one stays");
    assert!(table.find(of_set(1000)).is_some());
    assert!(table.find(of_set(1)).is_none());
}

#[test]
fn a_host_that_proves_all_its_ports_displaces_few_proofs_of_others() {
    let (mut table, start) = table(100);
    let (device, flood) = (1, 2);
    let of_set = |number: usize| (number * SETS) as u64;
    let at = |milliseconds: usize| start + Duration::from_millis(milliseconds as u64);
    for number in 0..PEERS_PER_SET {
        table.receive(at(number), of_set(number), device, 20);
        table.prove(at(number), of_set(number), device);
    }
    for number in PEERS_PER_SET..1000 {
        table.receive(at(number), of_set(number), flood, 20);
        table.prove(at(number), of_set(number), flood);
    }
    let now = at(1000);
    let proven = (0..PEERS_PER_SET).filter(|number| table.is_proven(now, of_set(*number)));
    assert_eq!(proven.count(), PEERS_PER_SET - OF_HOLDER);
    assert!(table.is_proven(now, of_set(999)), "a share is for its host");
    assert_eq!(table.len(), PEERS_PER_SET);
}

#[test]
fn a_flood_of_addresses_does_not_flush_wrong_guesses_before_other_entries() {
    let (mut table, start) = table(100);
    (0..3).for_each(|id| assert_eq!(table.count_guess(start, 0, 0, 100 + id), id == 2));
    for number in 1..=1000u64 {
        let at = start + Duration::from_millis(number);
        table.receive(at, number * SETS as u64, number * SETS as u64, 20);
    }
    let end = start + Duration::from_secs(1);
    assert!(table.is_blocked(end, 0));
    table.prove(end, 0, 0);
    assert!(!table.is_blocked(end, 0));
}
