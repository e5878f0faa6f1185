//! The bytes of changes and notifications that wait for observers, or are kept to be sent again.

use std::cell::RefCell;
use std::rc::Rc;

use share::{Amount, Bounds, Owner, Shares};

use super::limits::MAX_QUEUED_BYTES;

/// The account of all observations; its clones are the same one. It can be exceeded by one response to a poll: each
/// change is counted when it is found, and what does not fit is dropped afterwards.
#[derive(Clone)]
pub(super) struct QueuedBytes(Rc<RefCell<Shares>>);

/// Some bytes of the account, given back when they are dropped.
pub(super) struct Counted {
    account: QueuedBytes,
    owner: Owner,
    bytes: usize,
}

/// The owner of changes: all observers of a room share them, so they count for no host.
pub(super) const ROOMS: Owner = Owner {
    host: 0,
    network: None,
};

impl Default for QueuedBytes {
    fn default() -> Self {
        let bounds = Bounds::of_bytes(MAX_QUEUED_BYTES);
        Self(Rc::new(RefCell::new(Shares::new(bounds))))
    }
}

impl QueuedBytes {
    /// Counts these bytes.
    pub(super) fn count(&self, owner: Owner, bytes: usize) -> Counted {
        self.0.borrow_mut().add(owner, Amount::bytes(bytes));
        Counted {
            account: self.clone(),
            owner,
            bytes,
        }
    }

    /// The bytes of all.
    pub(super) fn in_all(&self) -> usize {
        self.0.borrow().in_all().bytes
    }

    /// Whether nothing more may wait for a device of this host that has something to acknowledge.
    pub(super) fn is_full(&self, owner: Owner) -> bool {
        self.in_all() > MAX_QUEUED_BYTES || self.0.borrow().is_over(owner)
    }

    /// Whether something may be kept that only saves a request: half of the room, and of a host's share, is for what
    /// waits.
    pub(super) fn has_spare_room(&self, owner: Owner) -> bool {
        let shares = self.0.borrow();
        let of_host = shares.bounds().bytes.host;
        let held = shares.held_by_holder(owner).bytes;
        shares.in_all().bytes <= MAX_QUEUED_BYTES / 2 && (owner == ROOMS || held <= of_host / 2)
    }
}

impl Counted {
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut shares = self.account.0.borrow_mut();
        shares.give_back(self.owner, Amount::bytes(self.bytes));
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
