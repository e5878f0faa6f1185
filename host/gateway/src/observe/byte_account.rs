//! An account of bytes: what is counted is given back when it is dropped.

use std::cell::Cell;
use std::rc::Rc;

/// The account. Its clones are the same one.
#[derive(Clone, Default)]
pub(super) struct ByteAccount(Rc<Cell<usize>>);

/// Some bytes of the account.
pub(super) struct Counted {
    account: ByteAccount,
    bytes: usize,
}

impl ByteAccount {
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
}

impl Counted {
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Counts this many bytes instead.
    pub(super) fn set(&mut self, bytes: usize) {
        let others = self.account.in_all() - self.bytes;
        self.account.0.set(others + bytes);
        self.bytes = bytes;
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.set(0);
    }
}
