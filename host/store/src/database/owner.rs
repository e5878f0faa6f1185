//! The one thread that has the records: it takes everything that waits and commits it in one transaction.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tokio::sync::{mpsc, oneshot, watch};

use super::batch::{Batch, Durability, Space};
use super::error::{ReadError, WriteError};
use super::records::Records;

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

/// Works until it is closed or the last handle is gone; everything queued is applied before.
pub fn work(
    mut records: Records,
    mut commands: mpsc::Receiver<Command>,
    shared: &Shared,
    ended: watch::Sender<()>,
) {
    while let Some(first) = commands.blocking_recv() {
        let (mut commits, mut reads) = (Vec::new(), Vec::new());
        let mut next = Some(first);
        while let Some(command) = next {
            match command {
                Command::Commit(commit) => commits.push(commit),
                Command::Read(read) => reads.push(read),
                // Nothing more gets in; what is in the queue is still taken.
                Command::Close => commands.close(),
            }
            // What comes meanwhile must not make those wait who came first.
            let is_full = commits.len() + reads.len() >= commands.max_capacity();
            next = (!is_full).then(|| commands.try_recv().ok()).flatten();
        }
        commit_all(&mut records, commits, shared);
        for Read { space, key, done } in reads {
            let _ = done.send(records.read(space, key));
        }
        // After the outcomes: nobody waits for it.
        records.shorten_log();
    }
    // The folder is unlocked first: `close` waits for the end.
    drop(records);
    drop(ended);
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
