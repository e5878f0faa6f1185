//! Bounds of the outbox.

use std::time::Duration;

use share::{Bound, Bounds};

/// Part of the outbox that failed deliveries may take: the newest are kept for the operator, and those that wait have
/// the rest.
const FAILED_PART: usize = 8;

/// How much and how long the outbox keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutboxLimits {
    /// Bytes of all records that wait.
    pub bytes: usize,
    /// Records that wait. As many may have been sent and are remembered.
    pub messages: usize,
    /// How long a record waits; then it has failed.
    pub age: Duration,
    /// How long a failed record is kept.
    pub keep_failed: Duration,
    /// How long a record is remembered after it was sent.
    pub keep_sent: Duration,
}

impl OutboxLimits {
    /// Of records that wait: an eighth for each host. A host may always have the one record of the largest message.
    pub(crate) fn of_waiting(&self) -> Bounds {
        Bounds {
            pieces: Bound::eighth(self.messages),
            bytes: Bound::eighth(self.bytes),
        }
    }

    /// Of those among them whose devices have not proven their addresses: a half for all. Whoever forges addresses has
    /// as many hosts as he likes.
    pub(crate) fn of_unproven(&self) -> Bounds {
        let half = |in_all: usize| Bound {
            in_all: in_all / 2,
            ..Bound::NONE
        };
        Bounds {
            pieces: half(self.messages),
            bytes: half(self.bytes),
        }
    }

    /// Of records that were sent: small ones, of a fixed size.
    pub(crate) fn of_sent(&self) -> Bounds {
        Bounds::of_pieces(self.messages)
    }

    /// Of failed records.
    pub(crate) fn of_failed(&self) -> Bounds {
        Bounds {
            pieces: Bound::eighth(self.messages / FAILED_PART),
            bytes: Bound::eighth(self.bytes / FAILED_PART),
        }
    }
}

impl Default for OutboxLimits {
    fn default() -> Self {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        Self {
            bytes: 16 << 20,
            messages: 20_000,
            age: DAY.saturating_mul(7),
            keep_failed: DAY.saturating_mul(7),
            // Homeservers remember transaction ids for a day.
            keep_sent: DAY,
        }
    }
}
