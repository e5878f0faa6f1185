//! The one thread that has the records: it takes everything that waits and commits it in one transaction.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};

use super::batch::{Batch, Durability, Space};
use super::error::{ReadError, WriteError};
use super::records::Records;

/// How long a transaction waits for more commits, if the one before had several: those who wait for one commit go on
/// together, and the first that comes back would have a transaction of its own. Short beside the time that flash takes
/// for one.
const GATHERING: Duration = Duration::from_millis(1);

/// What the thread is asked for.
pub enum Command {
    /// Apply a batch.
    Commit(Commit),
    /// Read a record.
    Read(Read),
    /// Stop.
    Close,
}

/// A batch to apply.
pub struct Commit {
    pub batch: Batch,
    pub durability: Durability,
    pub done: oneshot::Sender<Result<(), WriteError>>,
}

/// A record to read.
pub struct Read {
    pub space: Space,
    pub key: u64,
    pub done: oneshot::Sender<Result<Option<Vec<u8>>, ReadError>>,
}

/// What the thread shares with the handles.
#[derive(Default)]
pub struct Shared {
    /// Bytes of the batches that wait.
    pub queued_bytes: AtomicUsize,
    /// Transactions since the start.
    pub transactions: AtomicU64,
}

/// The records, and what is asked of them.
pub struct Owner {
    records: Records,
    commands: mpsc::Receiver<Command>,
    shared: Arc<Shared>,
    /// Whether several came together the last time.
    has_several: bool,
    /// Ends with this.
    _ended: watch::Sender<()>,
}

impl Owner {
    pub(super) fn new(
        records: Records,
        commands: mpsc::Receiver<Command>,
        shared: Arc<Shared>,
        ended: watch::Sender<()>,
    ) -> Self {
        // Fields are dropped in their order: the folder is unlocked first, and `close` waits for the end.
        Self {
            records,
            commands,
            shared,
            has_several: false,
            _ended: ended,
        }
    }

    /// Works until it is closed or the last handle is gone; everything queued is applied before.
    pub(super) fn work(mut self) {
        while let Some(first) = self.commands.blocking_recv() {
            self.take_all(first, || thread::sleep(GATHERING));
        }
    }

    /// Takes all that waits: the reads, then one transaction. Returns whether anything waited.
    #[cfg(any(test, feature = "simulation"))]
    pub fn turn(&mut self) -> bool {
        let first = self.commands.try_recv();
        first.map(|first| self.take_all(first, || {})).is_ok()
    }

    fn take_all(&mut self, first: Command, gather: impl FnOnce()) {
        let mut commits = Vec::new();
        self.take(Some(first), &mut commits);
        let is_promise = |commit: &Commit| commit.durability == Durability::PowerCut;
        if self.has_several && commits.iter().any(is_promise) {
            gather();
            self.take(None, &mut commits);
        }
        self.has_several = commits.len() > 1;
        commit_all(&mut self.records, commits, &self.shared);
        // After the outcomes: nobody waits for it.
        self.records.shorten_log();
    }

    /// Takes the commits that wait, and answers the reads: whoever waits for one need not wait for the disk.
    fn take(&mut self, first: Option<Command>, commits: &mut Vec<Commit>) {
        let mut next = first.or_else(|| self.commands.try_recv().ok());
        let mut count = 0;
        while let Some(command) = next {
            match command {
                Command::Commit(commit) => commits.push(commit),
                Command::Read(Read { space, key, done }) => {
                    let _ = done.send(self.records.read(space, key));
                }
                // Nothing more gets in; what is in the queue is still taken.
                Command::Close => self.commands.close(),
            }
            count += 1;
            // What comes meanwhile must not make those wait who came first.
            let is_full = count >= self.commands.max_capacity();
            next = (!is_full).then(|| self.commands.try_recv().ok()).flatten();
        }
    }
}

/// Applies all in one transaction. Each is asked again alone if the disk is full: what only deletes may fit.
fn commit_all(records: &mut Records, commits: Vec<Commit>, shared: &Shared) {
    let Some(durability) = commits.iter().map(|commit| commit.durability).max() else {
        return;
    };
    let batches = commits.iter().map(|commit| &commit.batch);
    let bytes = batches.clone().map(Batch::bytes).sum();
    shared.transactions.fetch_add(1, Ordering::Relaxed);
    let together = records.apply(batches, durability);
    shared.queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
    let alone = matches!(together, Err(WriteError::Full { .. })) && commits.len() > 1;
    for commit in commits {
        let outcome = if alone {
            shared.transactions.fetch_add(1, Ordering::Relaxed);
            records.apply([&commit.batch], commit.durability)
        } else {
            together.clone()
        };
        let _ = commit.done.send(outcome);
    }
}
