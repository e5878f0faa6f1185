//! The bytes of changes and notifications that wait for observers, or are kept to be sent again.

use std::cell::Cell;
use std::rc::Rc;

use super::limits::MAX_QUEUED_BYTES;

/// The account of all observations. It can be exceeded by one response to a poll: each change is counted when it is
/// found, and what does not fit is dropped afterwards.
#[derive(Clone, Default)]
pub(super) struct QueuedBytes(Rc<Cell<usize>>);

/// Some bytes, given back when they are dropped.
pub(super) struct Counted {
    account: QueuedBytes,
    bytes: usize,
}

impl QueuedBytes {
    /// Counts these bytes.
    pub(super) fn count(&self, bytes: usize) -> Counted {
        self.0.set(self.0.get() + bytes);
        let account = self.clone();
        Counted { account, bytes }
    }

    /// The bytes of all.
    pub(super) fn in_all(&self) -> usize {
        self.0.get()
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

impl Counted {
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.account.0.set(self.account.0.get() - self.bytes);
    }
}
