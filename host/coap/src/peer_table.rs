//! State of peers between exchanges: the rate of each, whether its address is proven, how many bytes may go to one that
//! is not, and how often somebody has guessed at its message IDs.
//!
//! The table is a fixed number of sets by a keyed hash of the address, so a flood of spoofed addresses costs bounded
//! memory and time. A full set drops the unproven peer that was silent for longest; one with wrong guesses only if
//! there is no other, and a proven one last.

use std::time::{Duration, Instant};

use crate::guesses::Guesses;
use crate::limits::Limits;
use crate::rate::Rate;

/// Sets of the table.
const SETS: usize = 1024;
/// Peers per set: 16,384 in all, as many as exchanges may be in flight; about 2 MiB when full.
const PEERS_PER_SET: usize = 16;
/// Time between two 4.29 responses to a peer above its rate. More responses would cost the time of other peers.
const BETWEEN_WARNINGS: Duration = Duration::from_millis(10);
/// How long an address counts as proven after the last proof. Addresses rarely get another owner within an hour, and
/// the new owner would only get more bytes than it requested.
const PROOF_LIFETIME: Duration = Duration::from_secs(3600);
/// The largest credit of an unproven peer, in bytes: a message and its retransmissions.
const MAX_CREDIT: usize = 8192;

/// Whether a datagram is processed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// Within the peer's rate.
    Within,
    /// Above it; the peer gets 4.29.
    Warned,
    /// Above it, and the peer got 4.29 a moment ago: ignored.
    Ignored,
}

struct Entry {
    hash: u64,
    last_received: Instant,
    /// The account of its rate.
    full_at: Instant,
    warned: Option<Instant>,
    proven: Option<Instant>,
    credit: usize,
    guesses: Guesses,
}

impl Entry {
    fn is_proven(&self, now: Instant) -> bool {
        self.proven.is_some_and(|at| now < at + PROOF_LIFETIME)
    }

    /// The entry with the least leaves first. An attacker that could flush its guesses would get more of them.
    fn worth(&self, now: Instant) -> (bool, bool, Instant) {
        let is_guessed = self.guesses.is_recent(now);
        (self.is_proven(now), is_guessed, self.last_received)
    }
}

/// Peers by the keyed hash of their address. Two of 2^64 may be taken for one.
pub(super) struct PeerTable {
    sets: Vec<Vec<Entry>>,
    /// Of each peer; none if not limited.
    rate: Option<Rate>,
    least: usize,
    forgotten: u64,
}

impl PeerTable {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            sets: std::iter::repeat_with(Vec::new).take(SETS).collect(),
            rate: Rate::per_second(limits.datagrams_per_second_per_peer),
            least: limits.unproven_bytes,
            forgotten: 0,
        }
    }

    /// Applies another rate and another minimum. The entries of peers stay.
    pub(super) fn set_limits(&mut self, limits: &Limits) {
        self.rate = Rate::per_second(limits.datagrams_per_second_per_peer);
        self.least = limits.unproven_bytes;
    }

    fn get(&self, hash: u64) -> Option<&Entry> {
        let set = &self.sets[hash as usize % SETS];
        set.iter().find(|entry| entry.hash == hash)
    }

    fn find(&mut self, hash: u64) -> Option<&mut Entry> {
        self.sets[hash as usize % SETS]
            .iter_mut()
            .find(|entry| entry.hash == hash)
    }

    fn find_or_make(&mut self, now: Instant, hash: u64) -> &mut Entry {
        let set = &mut self.sets[hash as usize % SETS];
        let place = match set.iter().position(|entry| entry.hash == hash) {
            Some(place) => place,
            None => {
                if set.len() == PEERS_PER_SET {
                    let idlest = (0..set.len())
                        .min_by_key(|place| set[*place].worth(now))
                        .unwrap_or(0);
                    // An entry with a full account and an unproven address equals a new one.
                    if set[idlest].full_at > now || set[idlest].is_proven(now) {
                        self.forgotten += 1;
                    }
                    set.swap_remove(idlest);
                }
                set.push(Entry {
                    hash,
                    last_received: now,
                    full_at: now,
                    warned: None,
                    proven: None,
                    credit: 0,
                    guesses: Guesses::default(),
                });
                set.len() - 1
            }
        };
        &mut set[place]
    }

    /// Counts a received datagram of this many bytes.
    pub(super) fn receive(&mut self, now: Instant, hash: u64, bytes: usize) -> Admission {
        let (rate, least) = (self.rate, self.least);
        let entry = self.find_or_make(now, hash);
        entry.last_received = now;
        let admission = if rate.is_none_or(|rate| rate.take(now, &mut entry.full_at)) {
            Admission::Within
        } else {
            let is_recent = |at: Instant| now < at + BETWEEN_WARNINGS;
            if entry.warned.is_some_and(is_recent) {
                return Admission::Ignored;
            }
            entry.warned = Some(now);
            Admission::Warned
        };
        entry.credit = (entry.credit + allowance(bytes, least).min(MAX_CREDIT)).min(MAX_CREDIT);
        admission
    }

    /// The most bytes of a response to a datagram of this many bytes (RFC 9175 §2.4).
    pub(super) fn allowance(&self, now: Instant, hash: u64, bytes: usize) -> usize {
        if self.is_proven(now, hash) {
            usize::MAX
        } else {
            allowance(bytes, self.least)
        }
    }

    /// The peer has proven its address.
    pub(super) fn prove(&mut self, now: Instant, hash: u64) {
        let entry = self.find_or_make(now, hash);
        entry.proven = Some(now);
        entry.guesses = Guesses::default();
    }

    /// A non-confirmable message with this ID leaves to an unproven peer.
    pub(super) fn expect_reset(&mut self, hash: u64, message_id: u16) {
        if let Some(entry) = self.find(hash) {
            entry.guesses.expect(message_id);
        }
    }

    /// Counts an ACK or RST of an unproven peer whose ID names no message; true if it is one too many.
    pub(super) fn count_guess(&mut self, now: Instant, hash: u64, message_id: u16) -> bool {
        let entry = self.find_or_make(now, hash);
        entry.guesses.count(now, message_id)
    }

    /// Whether no ACK and no RST proves the peer's address now.
    pub(super) fn is_blocked(&self, now: Instant, hash: u64) -> bool {
        self.get(hash)
            .is_some_and(|entry| entry.guesses.is_blocked(now))
    }

    pub(super) fn is_proven(&self, now: Instant, hash: u64) -> bool {
        self.least == usize::MAX || self.get(hash).is_some_and(|entry| entry.is_proven(now))
    }

    /// Counts bytes sent to the peer.
    pub(super) fn spend(&mut self, hash: u64, bytes: usize) {
        if let Some(entry) = self.find(hash) {
            entry.credit = entry.credit.saturating_sub(bytes);
        }
    }

    /// Whether this many bytes may go to the peer although it did not request them again.
    pub(super) fn may_repeat(&self, now: Instant, hash: u64, bytes: usize) -> bool {
        self.is_proven(now, hash) || self.get(hash).is_some_and(|entry| entry.credit >= bytes)
    }

    /// Entries dropped while they still mattered.
    pub(super) fn forgotten(&self) -> u64 {
        self.forgotten
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.sets.iter().map(Vec::len).sum()
    }
}

fn allowance(bytes: usize, least: usize) -> usize {
    bytes.saturating_mul(3).max(least)
}

#[cfg(test)]
mod tests {
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
                .filter(|_| table.receive(start, hash, 20) == Within)
                .count()
        };
        assert_eq!((within(1, 500), within(2, 50)), (100, 50));
    }

    #[test]
    fn a_peer_above_its_rate_is_warned_now_and_then_and_else_ignored() {
        let (mut table, start) = table(100);
        let admitted: Vec<_> = (0..103).map(|_| table.receive(start, 1, 20)).collect();
        assert_eq!(admitted[99..], [Within, Warned, Ignored, Ignored]);
        let later = start + BETWEEN_WARNINGS / 2;
        assert_eq!(table.receive(later, 1, 20), Ignored);
    }

    #[test]
    fn no_rate_is_no_bound() {
        let (mut table, start) = table(0);
        assert!((0..10_000).all(|_| table.receive(start, 1, 20) == Within));
    }

    #[test]
    fn an_unproven_peer_is_sent_three_times_its_bytes_and_a_proven_one_what_it_asks_for() {
        let (mut table, start) = table(0);
        table.receive(start, 1, 100);
        assert_eq!(table.allowance(start, 1, 20), 136);
        assert_eq!(table.allowance(start, 1, 100), 300);
        table.spend(1, 200);
        assert!(table.may_repeat(start, 1, 100) && !table.may_repeat(start, 1, 101));
        table.prove(start, 1);
        assert_eq!(table.allowance(start, 1, 20), usize::MAX);
        assert!(table.may_repeat(start, 1, 1000));
        assert_eq!(table.allowance(start + PROOF_LIFETIME, 1, 20), 136);
    }

    #[test]
    fn the_idlest_unproven_peer_of_a_full_set_makes_room() {
        let (mut table, start) = table(100);
        let of_set = |number: usize| (number * SETS) as u64;
        table.receive(start, of_set(0), 20);
        table.prove(start, of_set(0));
        for number in 1..=1000 {
            let at = start + Duration::from_millis(number as u64);
            table.receive(at, of_set(number), 20);
        }
        assert_eq!(table.len(), PEERS_PER_SET);
        let end = start + Duration::from_secs(1);
        assert!(table.is_proven(end, of_set(0)), "the proven one stays");
        assert!(table.find(of_set(1000)).is_some());
        assert!(table.find(of_set(1)).is_none());
    }

    #[test]
    fn a_flood_of_addresses_does_not_flush_wrong_guesses_before_other_entries() {
        let (mut table, start) = table(100);
        (0..3).for_each(|id| assert_eq!(table.count_guess(start, 0, 100 + id), id == 2));
        for number in 1..=1000u64 {
            let at = start + Duration::from_millis(number);
            table.receive(at, number * SETS as u64, 20);
        }
        let end = start + Duration::from_secs(1);
        assert!(table.is_blocked(end, 0));
        table.prove(end, 0);
        assert!(!table.is_blocked(end, 0));
    }
}
