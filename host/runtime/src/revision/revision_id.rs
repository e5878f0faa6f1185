//! Identifies a revision within this process.

use std::sync::atomic::{AtomicU64, Ordering};

/// Identifies a revision within this process. Two revisions of one component differ in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RevisionId(u64);

impl RevisionId {
    /// One that no other revision has.
    pub(super) fn unique() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}
