//! Block-wise bodies between two blocks: bounded in bytes, in all and per host, dropped when idle, oldest first.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hash;
use std::time::{Duration, Instant};

use share::{Amount, Bound, Bounds, Owner, Refused, Shares};

use crate::cache_key::BodyKey;
use crate::peer::{Map, Peer};

/// Bytes of a body's entries in both maps, its options and allocations, rounded up.
const OVERHEAD: usize = 512;

struct Entry<V> {
    body: V,
    owner: Owner,
    bytes: usize,
    touched: Instant,
    turn: u64,
}

/// Bodies by key, and in the order of their last use.
pub(super) struct Bodies<K, V> {
    entries: Map<K, Entry<V>>,
    turns: BTreeMap<u64, K>,
    /// The same by holder.
    turns_of: BTreeSet<(u64, u64)>,
    next_turn: u64,
    shares: Shares,
    idle: Duration,
    protected: Duration,
    dropped: u64,
    refused: u64,
    refused_by_share: u64,
}

/// There is no room, and no body is old enough to be dropped: none of the same host, if the host has its share.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

impl<K: Clone + Eq + Hash, V> Bodies<K, V> {
    /// At most `budget` bytes, an eighth of them for one host, and at least one body of `largest` bytes. A body not
    /// used for `idle` is dropped; one not used for `protected` may be dropped for another.
    pub(super) fn new(budget: usize, largest: usize, idle: Duration, protected: Duration) -> Self {
        Self {
            entries: Map::default(),
            turns: BTreeMap::new(),
            turns_of: BTreeSet::new(),
            next_turn: 0,
            shares: Shares::new(bounds(budget, largest)),
            idle,
            protected,
            dropped: 0,
            refused: 0,
            refused_by_share: 0,
        }
    }

    /// Applies another largest body.
    pub(super) fn set_largest(&mut self, largest: usize) {
        let budget = self.shares.bounds().bytes.in_all;
        self.shares.set_bounds(bounds(budget, largest));
    }

    /// Returns the body and counts it as used now.
    pub(super) fn touch(&mut self, now: Instant, key: &K) -> Option<&V> {
        let entry = self.entries.get_mut(key)?;
        let holder = entry.owner.holder();
        self.turns.remove(&entry.turn);
        self.turns_of.remove(&(holder, entry.turn));
        entry.turn = self.next_turn;
        entry.touched = now;
        self.turns.insert(entry.turn, key.clone());
        self.turns_of.insert((holder, entry.turn));
        self.next_turn += 1;
        Some(&entry.body)
    }

    /// Removes a body.
    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        let entry = self.entries.remove(key)?;
        self.turns.remove(&entry.turn);
        self.turns_of.remove(&(entry.owner.holder(), entry.turn));
        self.shares
            .give_back(entry.owner, Amount::piece(entry.bytes));
        Some(entry.body)
    }

    /// Stores a body of `bytes` bytes in place of the one with this key.
    pub(super) fn insert(
        &mut self,
        now: Instant,
        key: K,
        owner: Owner,
        body: V,
        bytes: usize,
    ) -> Result<(), Full> {
        self.remove(&key);
        let bytes = bytes + OVERHEAD;
        while let Err(refused) = self.shares.take(owner, Amount::piece(bytes)) {
            let oldest = match refused {
                Refused::Host | Refused::Network => self.oldest_of(owner),
                Refused::InAll => self.oldest(),
            };
            if !self.drop_if(now, oldest, self.protected) {
                self.refused += 1;
                self.refused_by_share += u64::from(refused != Refused::InAll);
                return Err(Full);
            }
        }
        let turn = self.next_turn;
        self.next_turn += 1;
        self.turns.insert(turn, key.clone());
        self.turns_of.insert((owner.holder(), turn));
        self.entries.insert(
            key,
            Entry {
                body,
                owner,
                bytes,
                touched: now,
                turn,
            },
        );
        Ok(())
    }

    fn oldest(&self) -> Option<K> {
        self.turns.first_key_value().map(|(_, key)| key.clone())
    }

    fn oldest_of(&self, owner: Owner) -> Option<K> {
        let holder = owner.holder();
        let mut turns = self.turns_of.range((holder, 0)..=(holder, u64::MAX));
        turns.next().map(|(_, turn)| self.turns[turn].clone())
    }

    fn drop_if(&mut self, now: Instant, oldest: Option<K>, untouched_for: Duration) -> bool {
        let Some(key) = oldest.filter(|key| now >= self.entries[key].touched + untouched_for)
        else {
            return false;
        };
        self.remove(&key);
        self.dropped += 1;
        true
    }

    /// Drops idle bodies.
    pub(super) fn expire(&mut self, now: Instant) {
        while self.drop_if(now, self.oldest(), self.idle) {}
    }

    /// When the next body becomes idle.
    pub(super) fn next_timeout(&self) -> Option<Instant> {
        let (_, oldest) = self.turns.first_key_value()?;
        Some(self.entries[oldest].touched + self.idle)
    }

    /// Bodies dropped for others or because they were idle.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Bodies refused for want of room.
    pub(super) fn refused(&self) -> u64 {
        self.refused
    }

    /// Those of them whose host had its share.
    pub(super) fn refused_by_share(&self) -> u64 {
        self.refused_by_share
    }

    pub(super) fn shares(&self) -> &Shares {
        &self.shares
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}

impl<P, V> Bodies<BodyKey<P>, V> {
    /// The peer of each body.
    pub(super) fn peers(&self) -> impl Iterator<Item = &Peer<P>> {
        self.entries.keys().map(|(peer, _)| peer)
    }
}

fn bounds(budget: usize, largest: usize) -> Bounds {
    Bounds {
        bytes: Bound::eighth(budget).at_least(largest + OVERHEAD),
        pieces: Bound::NONE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Duration = Duration::from_secs(60);
    const PROTECTED: Duration = Duration::from_secs(10);

    fn owner(host: u64) -> Owner {
        Owner::new(host, None)
    }

    fn of_three() -> (Bodies<u8, &'static str>, Instant) {
        (
            Bodies::new(3 * (OVERHEAD + 100), 10_000, IDLE, PROTECTED),
            Instant::now(),
        )
    }

    #[test]
    fn the_longest_untouched_body_makes_room_once_it_is_no_longer_protected() {
        let (mut bodies, start) = of_three();
        for key in 0..3 {
            assert_eq!(bodies.insert(start, key, owner(1), "body", 100), Ok(()));
        }
        assert_eq!(
            bodies.insert(start + PROTECTED / 2, 3, owner(1), "new", 100),
            Err(Full)
        );
        assert!(bodies.touch(start + PROTECTED / 2, &0).is_some());
        assert_eq!(
            bodies.insert(start + PROTECTED, 3, owner(1), "new", 100),
            Ok(())
        );
        assert_eq!(bodies.touch(start + PROTECTED, &1), None);
        assert_eq!(bodies.touch(start + PROTECTED, &0), Some(&"body"));
        assert_eq!(bodies.dropped(), 1);
    }

    #[test]
    fn an_idle_body_is_dropped_at_its_time_and_not_before() {
        let (mut bodies, start) = of_three();
        assert_eq!(bodies.insert(start, 0, owner(1), "body", 1), Ok(()));
        assert_eq!(bodies.next_timeout(), Some(start + IDLE));
        bodies.expire(start + IDLE - Duration::from_millis(1));
        assert_eq!(bodies.len(), 1);
        bodies.expire(start + IDLE);
        assert_eq!(
            (
                bodies.len(),
                bodies.shares.in_all().bytes,
                bodies.next_timeout()
            ),
            (0, 0, None)
        );
    }

    #[test]
    fn a_body_above_the_whole_budget_is_refused() {
        let (mut bodies, start) = of_three();
        assert_eq!(bodies.insert(start, 0, owner(1), "body", 10_000), Err(Full));
        assert_eq!(bodies.shares.in_all().bytes, 0);
    }

    #[test]
    fn a_host_that_has_its_share_drops_its_own_oldest_and_other_hosts_have_room() {
        let start = Instant::now();
        let mut bodies = Bodies::new(80 * (OVERHEAD + 100), 100, IDLE, PROTECTED);
        assert_eq!(bodies.insert(start, 0, owner(2), "other", 100), Ok(()));
        let stored =
            (1..100).filter(|key| bodies.insert(start, *key, owner(1), "body", 100).is_ok());
        assert_eq!(stored.count(), 10);
        assert_eq!(bodies.refused_by_share(), 89);
        assert_eq!(
            bodies.insert(start + PROTECTED, 100, owner(1), "new", 100),
            Ok(())
        );
        assert_eq!(bodies.touch(start, &0), Some(&"other"), "it is older");
        assert_eq!(bodies.touch(start, &1), None);
        assert_eq!(bodies.insert(start, 101, owner(2), "other", 100), Ok(()));
    }

    #[test]
    fn a_host_may_store_one_body_that_is_larger_than_its_share() {
        let mut bodies = Bodies::new(8_000, 4_000, IDLE, PROTECTED);
        let start = Instant::now();
        assert_eq!(bodies.insert(start, 0, owner(1), "large", 4_000), Ok(()));
        assert_eq!(bodies.insert(start, 1, owner(1), "small", 1), Err(Full));
    }
}
