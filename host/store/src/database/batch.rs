//! What a record is filed under, and changes that belong together.

use std::fmt;

/// A space of keys: each has its own records. A new one needs a step of the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Space {
    /// Numbers and names of the gateway itself.
    Meta,
    /// Deliveries that wait for their homeserver.
    Waiting,
    /// Deliveries that have ended, for as long as their outcome can be asked for.
    Ended,
    /// Users of access tokens.
    Users,
    /// Enrolled devices, with their keys.
    Devices,
    /// How far the sequence numbers of their security contexts are reserved.
    Numbers,
    /// Access tokens that the gateway keeps for devices.
    Sessions,
}

impl Space {
    /// Every space.
    pub const ALL: [Self; 7] = [
        Self::Meta,
        Self::Waiting,
        Self::Ended,
        Self::Users,
        Self::Devices,
        Self::Numbers,
        Self::Sessions,
    ];
}

/// What a batch does to one record.
pub(super) enum Change {
    /// Makes it, or replaces its value.
    Put(Space, u64, Vec<u8>),
    /// Removes it, if it is there.
    Delete(Space, u64),
}

/// Changes that are applied wholly or not at all, in their order.
///
/// Values can be secret: `Debug` shows none of them.
#[derive(Default)]
pub struct Batch {
    changes: Vec<Change>,
    bytes: usize,
}

/// What a change without its value takes in memory and on the disk, about.
const CHANGE_BYTES: usize = 32;

impl Batch {
    /// An empty batch.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a record, or replaces its value.
    ///
    /// Keys that ascend from one new record to the next cost the fewest bytes on the disk: such records are neighbours
    /// in the file.
    pub fn put(&mut self, space: Space, key: u64, value: Vec<u8>) {
        self.bytes += CHANGE_BYTES + value.len();
        self.changes.push(Change::Put(space, key, value));
    }

    /// Removes a record. Nothing happens if there is none.
    pub fn delete(&mut self, space: Space, key: u64) {
        self.bytes += CHANGE_BYTES;
        self.changes.push(Change::Delete(space, key));
    }

    /// The bytes of its values, and a few for each change.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    pub(super) fn changes(&self) -> &[Change] {
        &self.changes
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { changes, bytes } = self;
        write!(
            formatter,
            "Batch of {} changes, {bytes} bytes",
            changes.len()
        )
    }
}

/// What a commit outlives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Durability {
    /// The end of this process, however sudden. A power cut undoes it, unless a batch that outlives one was committed
    /// after it. It costs no wait for the disk, and nearly no bytes when other batches follow.
    Process,
    /// A power cut as well: the disk has it.
    PowerCut,
}
