//! The bytes of changes and notifications that wait for observers, or are kept to be sent again.

use super::limits::MAX_QUEUED_BYTES;
use crate::byte_account::{ByteAccount, Counted};
use share::{Bounds, Owner};

/// The account of all observations. It can be exceeded by one response to a poll: each
/// change is counted when it is found, and what does not fit is dropped afterwards.
#[derive(Clone)]
pub(super) struct QueuedBytes(ByteAccount);

/// The owner of changes: all observers of a room share them, so they count for no host.
pub(super) const ROOMS: Owner = Owner {
    host: 0,
    network: None,
};

impl Default for QueuedBytes {
    fn default() -> Self {
        Self(ByteAccount::new(Bounds::of_bytes(MAX_QUEUED_BYTES)))
    }
}

impl QueuedBytes {
    /// Counts these bytes.
    pub(super) fn count(&self, owner: Owner, bytes: usize) -> Counted {
        self.0.count(owner, bytes)
    }

    /// The bytes of all.
    pub(super) fn in_all(&self) -> usize {
        self.0.in_all()
    }

    /// Whether nothing more may wait for a device of this host that has something to acknowledge.
    pub(super) fn is_full(&self, owner: Owner) -> bool {
        self.in_all() > MAX_QUEUED_BYTES || self.0.is_over(owner)
    }

    /// Whether something may be kept that only saves a request: half of the room, and of a host's share, is for what
    /// waits.
    pub(super) fn has_spare_room(&self, owner: Owner) -> bool {
        let is_spare = owner == ROOMS || self.0.is_within_half(owner);
        is_spare && self.in_all() <= MAX_QUEUED_BYTES / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(number: u64) -> Owner {
        Owner::new(number, None)
    }

    #[test]
    fn a_host_that_acknowledges_nothing_fills_its_eighth_and_no_other_is_full() {
        let account = QueuedBytes::default();
        let counted: Vec<_> = (0..=MAX_QUEUED_BYTES / 8 / 1024)
            .map(|_| account.count(host(1), 1024))
            .collect();
        assert!(account.is_full(host(1)) && !account.has_spare_room(host(1)));
        assert!(!account.is_full(host(2)) && account.has_spare_room(host(2)));
        drop(counted);
        assert!(!account.is_full(host(1)));
        assert_eq!(account.in_all(), 0);
    }

    #[test]
    fn changes_of_rooms_count_for_no_host_and_fill_the_room() {
        let account = QueuedBytes::default();
        let half = account.count(ROOMS, MAX_QUEUED_BYTES / 2);
        assert!(account.has_spare_room(ROOMS) && !account.is_full(host(1)));
        let more = account.count(ROOMS, MAX_QUEUED_BYTES / 2 + 1);
        assert!(!account.has_spare_room(ROOMS) && account.is_full(host(1)));
        drop((half, more));
    }
}
