//! The bytes of changes and notifications that wait for observers, or are kept to be sent again.

use super::byte_account::{ByteAccount, Counted};
use super::limits::MAX_QUEUED_BYTES;

/// The account of all observations. It can be exceeded by one response to a poll: each change is counted when it is
/// found, and what does not fit is dropped afterwards.
#[derive(Clone, Default)]
pub(super) struct QueuedBytes(ByteAccount);

impl QueuedBytes {
    /// Counts these bytes.
    pub(super) fn count(&self, bytes: usize) -> Counted {
        self.0.count(bytes)
    }

    /// The bytes of all.
    pub(super) fn in_all(&self) -> usize {
        self.0.in_all()
    }

    /// Whether nothing more may wait for a device that has something to acknowledge.
    pub(super) fn is_full(&self) -> bool {
        self.in_all() > MAX_QUEUED_BYTES
    }

    /// Whether something may be kept that only saves a request: half of the room is for what waits.
    pub(super) fn has_spare_room(&self) -> bool {
        self.in_all() <= MAX_QUEUED_BYTES / 2
    }
}
