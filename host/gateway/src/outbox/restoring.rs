//! The deliveries of before, when the gateway starts.

use std::sync::Arc;

use contract::clock::Clock;
use store::database::{Database, ReadError, Records};

use super::calls::Calls;
use super::contents::{Contents, Restored};
use super::deliveries::Deliveries;
use crate::daemon::heap;
use crate::request::SnapshotCell;

/// The store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The thread of the store cannot be started.
    #[error("the store's thread cannot be started: {0}; free some memory")]
    Thread(std::io::Error),
}

impl Deliveries {
    /// Restores all records, and starts the thread of the store.
    ///
    /// # Errors
    /// [`RestoreError`].
    pub fn restore(
        records: Records,
        snapshots: Arc<SnapshotCell>,
    ) -> Result<(Self, Restored), RestoreError> {
        let clock = Clock::system();
        let seed = getrandom::u64().unwrap_or_else(|_| u64::from(std::process::id()));
        let (contents, restored) = Contents::read(&records, &snapshots, clock, seed)?;
        let database = Database::start(records).map_err(RestoreError::Thread)?;
        let deliveries = Self::new(contents, database, snapshots, clock, Calls::default());
        // Rows were read one by one, of different lengths.
        heap::release();
        Ok((deliveries, restored))
    }
}
