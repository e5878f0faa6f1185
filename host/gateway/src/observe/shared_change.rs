//! A change that a poll has found, shared by all observers of its topic.

use std::hash::{BuildHasher, RandomState};
use std::rc::Rc;
use std::sync::{Arc, LazyLock};

use super::queued_bytes::{QueuedBytes, ROOMS};
use crate::byte_account::Counted;
use contract::Change;
use runtime::Revision;

/// The key of the hashes: the author of a message must not be able to make it look like another one.
static KEYED: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// A change and the revision that has read it, which also makes its notifications.
pub(super) struct SharedChange {
    revision: Arc<Revision>,
    change: Change,
    hash: u64,
    counted: Counted,
}

/// Changes of one topic, in their order.
#[derive(Clone)]
pub(super) struct Changes {
    pub(super) found: Vec<Rc<SharedChange>>,
    /// Whether no others came before them that were not found.
    pub(super) is_complete: bool,
}

impl SharedChange {
    pub(super) fn new(revision: &Arc<Revision>, change: Change, account: &QueuedBytes) -> Self {
        let bytes = size_of::<Self>() + change.topic.len() + change.payload.len();
        Self {
            counted: account.count(ROOMS, bytes),
            revision: revision.clone(),
            hash: hash(&change.payload),
            change,
        }
    }

    pub(super) fn revision(&self) -> &Arc<Revision> {
        &self.revision
    }

    pub(super) fn change(&self) -> &Change {
        &self.change
    }

    /// Its bytes in the account of observations.
    pub(super) fn bytes(&self) -> usize {
        self.counted.bytes()
    }

    pub(super) fn topic(&self) -> &str {
        &self.change.topic
    }

    /// The [hash](hash()) of its payload.
    pub(super) fn hash(&self) -> u64 {
        self.hash
    }
}

/// The keyed hash of a change's payload.
pub(super) fn hash(payload: &[u8]) -> u64 {
    KEYED.hash_one(payload)
}
