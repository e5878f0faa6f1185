//! Counts of the outbox, for the metrics.

use std::cell::Cell;

/// A number that grows.
#[derive(Debug, Default)]
pub struct Count(Cell<u64>);

/// What happened to deliveries since the start.
#[derive(Debug, Default)]
pub struct OutboxCounters {
    /// Taken over.
    pub accepted: Count,
    /// Recognised as one that was taken over before.
    pub duplicates: Count,
    /// Sent after they had waited.
    pub sent: Count,
    /// Failed.
    pub failed: Count,
    /// Not taken over, because the outbox or the host's share of it was full.
    pub refused: Count,
    /// Attempts of deliveries that waited.
    pub attempts: Count,
    /// Searches of a room before an attempt.
    pub searches: Count,
    /// Of them, those that found the message.
    pub found: Count,
    /// Writes that the disk did not take.
    pub disk_errors: Count,
}

impl Count {
    pub(super) fn add(&self) {
        self.0.set(self.0.get() + 1);
    }

    /// The number.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.get()
    }
}
