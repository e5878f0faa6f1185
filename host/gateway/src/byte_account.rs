//! An account of bytes with a share for each host: what is counted is given back when it is dropped.

use std::cell::RefCell;
use std::rc::Rc;

use share::{Amount, Bounds, Owner, Shares};

/// The account; its clones are the same one. It counts also above its bounds: the caller asks before, or drops after.
#[derive(Clone)]
pub(crate) struct ByteAccount(Rc<RefCell<Shares>>);

/// Some bytes of the account.
pub(crate) struct Counted {
    account: ByteAccount,
    owner: Owner,
    bytes: usize,
}

impl ByteAccount {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self(Rc::new(RefCell::new(Shares::new(bounds))))
    }

    /// Applies other bounds. What is counted stays.
    pub(crate) fn set_bounds(&self, bounds: Bounds) {
        self.0.borrow_mut().set_bounds(bounds);
    }

    /// Counts these bytes.
    pub(crate) fn count(&self, owner: Owner, bytes: usize) -> Counted {
        self.0.borrow_mut().add(owner, Amount::bytes(bytes));
        Counted {
            account: self.clone(),
            owner,
            bytes,
        }
    }

    /// The bytes of all.
    pub(crate) fn in_all(&self) -> usize {
        self.0.borrow().in_all().bytes
    }

    /// Whether so many more bytes of this host fit.
    pub(crate) fn has_room(&self, owner: Owner, bytes: usize) -> bool {
        self.0.borrow().admit(owner, Amount::bytes(bytes)).is_ok()
    }

    /// Whether the host or its network holds more than its share.
    pub(crate) fn is_over(&self, owner: Owner) -> bool {
        self.0.borrow().is_over(owner)
    }

    /// Whether the host or its network holds at most half of its share.
    pub(crate) fn is_within_half(&self, owner: Owner) -> bool {
        let shares = self.0.borrow();
        shares.held_by_holder(owner).bytes <= shares.bounds().bytes.host / 2
    }
}

impl Counted {
    pub(crate) fn owner(&self) -> Owner {
        self.owner
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Counts this many bytes instead.
    pub(crate) fn set(&mut self, bytes: usize) {
        let mut shares = self.account.0.borrow_mut();
        shares.give_back(self.owner, Amount::bytes(self.bytes));
        shares.add(self.owner, Amount::bytes(bytes));
        self.bytes = bytes;
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.set(0);
    }
}
