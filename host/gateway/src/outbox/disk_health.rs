//! Whether the disk of the store takes what it gets.

use std::cell::RefCell;

use store::database::WriteError;

use super::counters::Count;
use super::warning_interval::WarningInterval;

/// The disk's last outcome.
#[derive(Debug, Default)]
pub(super) struct DiskHealth {
    /// The last error; none after a success.
    failure: RefCell<Option<String>>,
    errors: Count,
    warned: WarningInterval,
}

impl DiskHealth {
    /// Why the last write failed; none if it succeeded.
    pub(super) fn failure(&self) -> Option<String> {
        self.failure.borrow().clone()
    }

    /// Writes that failed.
    pub(super) fn errors(&self) -> &Count {
        &self.errors
    }

    /// Notes the outcome of a write. A failure is counted, and said with its remedy.
    pub(super) fn noted(&self, committed: Result<(), WriteError>) -> Result<(), WriteError> {
        let Err(error) = &committed else {
            *self.failure.borrow_mut() = None;
            return committed;
        };
        *self.failure.borrow_mut() = Some(error.to_string());
        self.errors.add();
        if self.warned.is_due() {
            tracing::warn!(
                "the outbox cannot be written: {error}; messages are passed to their homeserver at once or refused \
                 with 5.03 until it can"
            );
        }
        committed
    }
}
