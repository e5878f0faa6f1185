//! Counts of the outbox, for the metrics.

use std::cell::Cell;

use super::reasons::{FailureReason, RETRIES, retry_index};
use outbox::Retry;

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
    /// Failed, by [`FailureReason`].
    failed: [Count; FailureReason::ALL.len()],
    /// Not taken over, because the outbox or the host's share of it was full.
    pub refused: Count,
    /// Attempts of deliveries that waited, and of those that were stored during their attempt.
    pub attempts: Count,
    /// Of them, those without a final result, by their reason.
    without_result: [Count; RETRIES.len()],
    /// Searches of a room before an attempt.
    pub searches: Count,
    /// Of them, those that found the message.
    pub found: Count,
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

impl OutboxCounters {
    /// A delivery has failed.
    pub(super) fn add_failed(&self, reason: FailureReason) {
        self.failed[reason.index()].add();
    }

    /// An attempt has no final result.
    pub(super) fn add_without_result(&self, why: Retry) {
        self.without_result[retry_index(why)].add();
    }

    /// Deliveries that have failed, by reason.
    pub fn failed(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let names = FailureReason::ALL.into_iter().map(FailureReason::name);
        names.zip(self.failed.iter().map(Count::get))
    }

    /// Attempts without a final result, by reason.
    pub fn without_result(&self) -> impl Iterator<Item = (&'static str, u64)> {
        RETRIES
            .into_iter()
            .zip(self.without_result.iter().map(Count::get))
    }
}
