//! What a poll has told, once for all observers of its topic.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, LazyLock};

use contract::Change;
use runtime::Revision;

/// Hashes of changes. Whoever writes a message must not be able to make it look like another one.
static KEYED: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// A change, and the revision that has read it: the one that knows how to tell it.
pub(super) struct SharedChange {
    pub(super) revision: Arc<Revision>,
    pub(super) change: Change,
    pub(super) hash: u64,
}

impl SharedChange {
    pub(super) fn new(revision: &Arc<Revision>, change: Change) -> Self {
        Self {
            revision: revision.clone(),
            hash: hash(&change.payload),
            change,
        }
    }
}

/// What stands for a change's payload.
pub(super) fn hash(payload: &[u8]) -> u64 {
    KEYED.hash_one(payload)
}
