//! Block-wise bodies between two blocks: bounded in bytes, dropped when idle, oldest first.

use std::collections::BTreeMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

use crate::peer::Map;

/// Bytes of a body's entries in both maps, its options and allocations, rounded up.
const OVERHEAD: usize = 512;

struct Entry<V> {
    body: V,
    bytes: usize,
    touched: Instant,
    turn: u64,
}

/// Bodies by key, and in the order of their last use.
pub(super) struct Bodies<K, V> {
    entries: Map<K, Entry<V>>,
    turns: BTreeMap<u64, K>,
    next_turn: u64,
    bytes: usize,
    budget: usize,
    idle: Duration,
    protected: Duration,
    dropped: u64,
}

/// There is no room, and no body is old enough to be dropped.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

impl<K: Clone + Eq + Hash, V> Bodies<K, V> {
    /// At most `budget` bytes. A body not used for `idle` is dropped; one not used for `protected` may be dropped for
    /// another.
    pub(super) fn new(budget: usize, idle: Duration, protected: Duration) -> Self {
        Self {
            entries: Map::default(),
            turns: BTreeMap::new(),
            next_turn: 0,
            bytes: 0,
            budget,
            idle,
            protected,
            dropped: 0,
        }
    }

    /// Returns the body and counts it as used now.
    pub(super) fn touch(&mut self, now: Instant, key: &K) -> Option<&V> {
        let entry = self.entries.get_mut(key)?;
        self.turns.remove(&entry.turn);
        entry.turn = self.next_turn;
        entry.touched = now;
        self.turns.insert(entry.turn, key.clone());
        self.next_turn += 1;
        Some(&entry.body)
    }

    /// Removes a body.
    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        let entry = self.entries.remove(key)?;
        self.turns.remove(&entry.turn);
        self.bytes -= entry.bytes;
        Some(entry.body)
    }

    /// Stores a body of `bytes` bytes in place of the one with this key.
    pub(super) fn insert(
        &mut self,
        now: Instant,
        key: K,
        body: V,
        bytes: usize,
    ) -> Result<(), Full> {
        self.remove(&key);
        let bytes = bytes + OVERHEAD;
        while self.bytes + bytes > self.budget {
            self.drop_oldest(now, self.protected)
                .then_some(())
                .ok_or(Full)?;
        }
        let turn = self.next_turn;
        self.next_turn += 1;
        self.turns.insert(turn, key.clone());
        self.entries.insert(
            key,
            Entry {
                body,
                bytes,
                touched: now,
                turn,
            },
        );
        self.bytes += bytes;
        Ok(())
    }

    fn drop_oldest(&mut self, now: Instant, untouched_for: Duration) -> bool {
        let oldest = self.turns.first_key_value().map(|(_, key)| key.clone());
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
        while self.drop_oldest(now, self.idle) {}
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

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Duration = Duration::from_secs(60);
    const PROTECTED: Duration = Duration::from_secs(10);

    fn of_three() -> (Bodies<u8, &'static str>, Instant) {
        (
            Bodies::new(3 * (OVERHEAD + 100), IDLE, PROTECTED),
            Instant::now(),
        )
    }

    #[test]
    fn the_longest_untouched_body_makes_room_once_it_is_no_longer_protected() {
        let (mut bodies, start) = of_three();
        for key in 0..3 {
            assert_eq!(bodies.insert(start, key, "body", 100), Ok(()));
        }
        assert_eq!(
            bodies.insert(start + PROTECTED / 2, 3, "new", 100),
            Err(Full)
        );
        assert!(bodies.touch(start + PROTECTED / 2, &0).is_some());
        assert_eq!(bodies.insert(start + PROTECTED, 3, "new", 100), Ok(()));
        assert_eq!(bodies.touch(start + PROTECTED, &1), None);
        assert_eq!(bodies.touch(start + PROTECTED, &0), Some(&"body"));
        assert_eq!(bodies.dropped(), 1);
    }

    #[test]
    fn an_idle_body_is_dropped_at_its_time_and_not_before() {
        let (mut bodies, start) = of_three();
        assert_eq!(bodies.insert(start, 0, "body", 1), Ok(()));
        assert_eq!(bodies.next_timeout(), Some(start + IDLE));
        bodies.expire(start + IDLE - Duration::from_millis(1));
        assert_eq!(bodies.len(), 1);
        bodies.expire(start + IDLE);
        assert_eq!(
            (bodies.len(), bodies.bytes, bodies.next_timeout()),
            (0, 0, None)
        );
    }

    #[test]
    fn a_body_above_the_whole_budget_is_refused() {
        let (mut bodies, start) = of_three();
        assert_eq!(bodies.insert(start, 0, "body", 10_000), Err(Full));
        assert_eq!(bodies.bytes, 0);
    }
}
