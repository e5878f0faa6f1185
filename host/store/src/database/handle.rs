//! The handle to the thread that has the records.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;

use tokio::sync::{mpsc, oneshot, watch};

use super::batch::{Batch, Durability, Space};
use super::error::{ReadError, WriteError};
use super::owner::{Command, Commit, Owner, Read, Shared};
use super::records::Records;

/// Commits and reads that wait for the thread. One transaction takes them all, so that the last of them waits for two
/// at most; at 2,000 messages a second this is half a second's, longer than a disk takes unless it fails.
const MOST_QUEUED: usize = 1_024;

/// Bytes of the batches that wait: a quarter of what the outbox of a router has, and 14 of the largest messages.
const MOST_QUEUED_BYTES: usize = 2 << 20;

/// Without this thread the gateway would accept nothing and deliver nothing. Its supervisor starts it again.
struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        if thread::panicking() {
            std::process::abort();
        }
    }
}

/// A cheap handle. When the last one is dropped, the thread applies what was queued and ends.
#[derive(Clone)]
pub struct Database {
    commands: mpsc::Sender<Command>,
    shared: Arc<Shared>,
    /// Ends with the thread.
    ended: watch::Receiver<()>,
}

impl Database {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system's.
    pub fn start(records: Records) -> io::Result<Self> {
        let (database, owner) = Self::with_owner(records);
        thread::Builder::new()
            .name("state".to_owned())
            .spawn(move || {
                let _guard = AbortOnPanic;
                owner.work();
            })?;
        Ok(database)
    }

    /// For tests: without a thread. What is queued is done at each [`Owner::turn`], so that one seed is one run.
    #[cfg(any(test, feature = "simulation"))]
    #[must_use]
    pub fn without_thread(records: Records) -> (Self, Owner) {
        Self::with_owner(records)
    }

    fn with_owner(records: Records) -> (Self, Owner) {
        let (commands, received) = mpsc::channel(MOST_QUEUED);
        let shared = Arc::new(Shared::default());
        let (end, ended) = watch::channel(());
        let owner = Owner::new(records, received, shared.clone(), end);
        let database = Self {
            commands,
            shared,
            ended,
        };
        (database, owner)
    }

    /// Commits a batch, which outlives a power cut when the future is `Ok`.
    ///
    /// The batch is queued at once, behind all that were queued before; the future only waits. It is committed also if
    /// the future is dropped.
    ///
    /// # Errors
    /// [`WriteError`]; nothing of it is applied.
    pub fn commit(
        &self,
        batch: Batch,
    ) -> impl Future<Output = Result<(), WriteError>> + Send + 'static {
        self.queue(batch, Durability::PowerCut)
    }

    /// Commits a batch, which outlives this process when the future is `Ok`. A power cut undoes it, unless the disk has
    /// it for another reason: a batch of [`Self::commit`] takes all earlier ones with it.
    ///
    /// For what may be done twice, but should not: it costs next to no bytes and no wait for the disk.
    ///
    /// # Errors
    /// As [`Self::commit`].
    pub fn commit_unsynced(
        &self,
        batch: Batch,
    ) -> impl Future<Output = Result<(), WriteError>> + Send + 'static {
        self.queue(batch, Durability::Process)
    }

    /// The value of a record, with all batches applied whose commit has ended. It does not wait for those that are
    /// queued.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn read(
        &self,
        space: Space,
        key: u64,
    ) -> impl Future<Output = Result<Option<Vec<u8>>, ReadError>> + Send + 'static {
        let (done, outcome) = oneshot::channel();
        let queued = self.send(Command::Read(Read { space, key, done }));
        async move {
            match queued {
                Ok(()) => outcome.await.unwrap_or(Err(ReadError::Closed)),
                Err(NotQueued::Busy) => Err(ReadError::Busy),
                Err(NotQueued::Closed) => Err(ReadError::Closed),
            }
        }
    }

    /// Waits until everything queued is applied, the file is closed and its folder can be opened again. Other handles
    /// get [`WriteError::Closed`] from now on.
    pub async fn close(mut self) {
        // An error: another handle has closed it.
        let _ = self.commands.send(Command::Close).await;
        // No value ever comes, only the end.
        let _ = self.ended.changed().await;
    }

    /// Transactions since the start: fewer than commits, if commits came together.
    #[must_use]
    pub fn transactions(&self) -> u64 {
        self.shared.transactions.load(Ordering::Relaxed)
    }

    fn queue(
        &self,
        batch: Batch,
        durability: Durability,
    ) -> impl Future<Output = Result<(), WriteError>> + Send + 'static {
        let (done, outcome) = oneshot::channel();
        let bytes = batch.bytes();
        let queued = self.take_room(bytes).and_then(|()| {
            let commit = Commit {
                batch,
                durability,
                done,
            };
            self.send(Command::Commit(commit))
                .inspect_err(|_| self.give_room(bytes))
        });
        async move {
            match queued {
                Ok(()) => outcome.await.unwrap_or(Err(WriteError::Closed)),
                Err(NotQueued::Busy) => Err(WriteError::Busy),
                Err(NotQueued::Closed) => Err(WriteError::Closed),
            }
        }
    }

    /// A single batch may be as large as it likes: whoever makes it has its own bound.
    fn take_room(&self, bytes: usize) -> Result<(), NotQueued> {
        let before = self.shared.queued_bytes.fetch_add(bytes, Ordering::Relaxed);
        if before > 0 && before + bytes > MOST_QUEUED_BYTES {
            self.give_room(bytes);
            return Err(NotQueued::Busy);
        }
        Ok(())
    }

    fn give_room(&self, bytes: usize) {
        self.shared.queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    fn send(&self, command: Command) -> Result<(), NotQueued> {
        self.commands
            .try_send(command)
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => NotQueued::Busy,
                mpsc::error::TrySendError::Closed(_) => NotQueued::Closed,
            })
    }
}

/// Why the thread does not get a command.
enum NotQueued {
    Busy,
    Closed,
}
