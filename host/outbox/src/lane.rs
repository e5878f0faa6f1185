//! A lane: deliveries that must arrive in their order.

use std::collections::VecDeque;
use std::time::Duration;

use crate::record::RecordNumber;

/// A lane with deliveries that wait.
#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) server: u64,
    pub(crate) account: u64,
    /// The oldest first.
    queue: VecDeque<Queued>,
    /// Attempts without a result yet that began before the lane's turn for them, and when: another device's, when the
    /// oldest was in flight. Mostly none.
    early: Vec<(RecordNumber, Duration)>,
    pub(crate) turn: Turn,
    /// Failures in a row of the oldest.
    pub(crate) failures: u32,
}

/// What a lane waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Its homeserver's turn.
    Ready,
    /// The result of its attempt, which began then.
    InFlight(Duration),
    /// The store: the attempt, which began then, has a result.
    Recording(Duration),
    /// A time.
    Paused(Duration),
    /// Its account: a time, or a new access token.
    Account,
    /// Its oldest record is being stored.
    Storing,
}

/// A delivery in its lane.
#[derive(Clone, Copy, Debug)]
struct Queued {
    number: RecordNumber,
    is_stored: bool,
}

impl Lane {
    pub(crate) fn new(server: u64, account: u64, turn: Turn) -> Self {
        Self {
            server,
            account,
            queue: VecDeque::new(),
            early: Vec::new(),
            turn,
            failures: 0,
        }
    }

    pub(crate) fn push(&mut self, number: RecordNumber, is_stored: bool, began: Option<Duration>) {
        self.queue.push_back(Queued { number, is_stored });
        self.early.extend(began.map(|began| (number, began)));
    }

    /// The oldest, and whether it is stored.
    pub(crate) fn first(&self) -> Option<(RecordNumber, bool)> {
        self.queue
            .front()
            .map(|first| (first.number, first.is_stored))
    }

    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }

    pub(crate) fn pop(&mut self) {
        self.queue.pop_front();
        self.failures = 0;
    }

    pub(crate) fn is_first(&self, number: RecordNumber) -> bool {
        self.first().is_some_and(|(first, _)| first == number)
    }

    pub(crate) fn remove(&mut self, number: RecordNumber) {
        // Mostly the oldest expires, and the youngest cannot be stored.
        if let Some(place) = self.place(number) {
            self.queue.remove(place);
        }
    }

    /// Whether its attempt is not over.
    pub(crate) fn is_in_flight(&self) -> bool {
        matches!(self.turn, Turn::InFlight(_) | Turn::Recording(_))
    }

    pub(crate) fn is_stored(&self, number: RecordNumber) -> bool {
        self.place(number)
            .is_some_and(|place| self.queue[place].is_stored)
    }

    /// Whether it is in the store, and may have its turn.
    pub(crate) fn set_stored(&mut self, number: RecordNumber, is_stored: bool) {
        if let Some(place) = self.place(number) {
            self.queue[place].is_stored = is_stored;
        }
    }

    /// Whether an attempt of this delivery began before its turn and has no result.
    pub(crate) fn has_early_attempt(&self, number: RecordNumber) -> bool {
        self.early.iter().any(|(other, _)| *other == number)
    }

    /// When that attempt began; from now on it is the lane's own, or has a result.
    pub(crate) fn take_early_attempt(&mut self, number: RecordNumber) -> Option<Duration> {
        let place = self.early.iter().position(|(other, _)| *other == number)?;
        Some(self.early.swap_remove(place).1)
    }

    /// Numbers ascend in a lane.
    fn place(&self, number: RecordNumber) -> Option<usize> {
        self.queue
            .binary_search_by_key(&number, |queued| queued.number)
            .ok()
    }
}
