//! Warnings that are repeated in a while.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// The time between two warnings of one kind.
const INTERVAL: Duration = Duration::from_secs(600);

/// When a warning was last given.
#[derive(Debug, Default)]
pub(super) struct WarningInterval(Cell<Option<Instant>>);

impl WarningInterval {
    /// Whether the warning is due; then the next one is due in a while.
    pub(super) fn is_due(&self) -> bool {
        let now = Instant::now();
        let last = self.0.get();
        let is_due = last.is_none_or(|last| now - last > INTERVAL);
        if is_due {
            self.0.set(Some(now));
        }
        is_due
    }
}
