//! The deliveries of a gateway: the outbox and its store, as one.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use contract::DeliveryId;
use contract::clock::Clock;
use contract::escaping::escaped;
use futures_util::future::LocalBoxFuture;
use outbox::{Origin, Outbox, OutboxLimits, RecordNumber, State, Totals};
use store::database::{Batch, Database, Space, WriteError};
use tokio::sync::{Notify, Semaphore};

use super::counters::OutboxCounters;
use super::disk_health::DiskHealth;
use super::key::Key;
use super::names::Names;
use super::newer_tokens::NewerTokens;
use super::row::{self, Content, End, Header};
use super::turns::Turns;
use super::warning_interval::WarningInterval;
use crate::request::SnapshotCell;
use crate::telemetry::address_lines::AddressLines;

/// The deliveries of a gateway. Its clones are the same ones.
#[derive(Clone)]
pub struct Deliveries(pub(super) Rc<Inner>);

pub(super) struct Inner {
    pub(super) outbox: RefCell<Outbox>,
    pub(super) database: Database,
    pub(super) snapshots: Arc<SnapshotCell>,
    pub(super) clock: Clock,
    /// The start of the outbox's clock.
    epoch: Instant,
    pub(super) names: Names,
    /// When old records leave.
    pub(super) next_upkeep: Cell<Option<Instant>>,
    pub(super) turns: Turns,
    pub(super) newer_tokens: NewerTokens,
    /// Attempts that go on after their exchange, until the event loop takes them.
    pub(super) background: RefCell<Vec<LocalBoxFuture<'static, ()>>>,
    /// Wakes the event loop.
    pub(super) changed: Notify,
    pub(super) counters: OutboxCounters,
    pub(super) lines: AddressLines,
    /// Deliveries that have ended, until the event loop takes them. At most [`MOST_CHANGES`].
    pub(super) ended: RefCell<Vec<DeliveryId>>,
    pub(super) disk: DiskHealth,
    /// Commands of operators in progress.
    pub(super) commands: Arc<Semaphore>,
    warned_of_token: WarningInterval,
}

/// A record that is not stored.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotAccepted {
    /// The outbox is full, or the host has its share of it.
    #[error(transparent)]
    Full(#[from] share::Refused),
    /// The disk did not take it.
    #[error(transparent)]
    Disk(#[from] WriteError),
}

/// Deliveries that end between two turns of the event loop: more than attempts are in flight.
const MOST_CHANGES: usize = 1024;
/// Commands of operators that wait for the disk: more than one operator sends.
pub(super) const MOST_COMMANDS: usize = 4;

impl Deliveries {
    /// Those of this outbox, whose records are in the database.
    pub(super) fn new(
        outbox: Outbox,
        names: Names,
        database: Database,
        snapshots: Arc<SnapshotCell>,
        epoch: Instant,
    ) -> Self {
        Self(Rc::new(Inner {
            outbox: RefCell::new(outbox),
            database,
            snapshots,
            clock: Clock::system(),
            epoch,
            names,
            next_upkeep: Cell::default(),
            turns: Turns::default(),
            newer_tokens: NewerTokens::default(),
            background: RefCell::default(),
            changed: Notify::new(),
            counters: OutboxCounters::default(),
            lines: AddressLines::default(),
            ended: RefCell::default(),
            disk: DiskHealth::default(),
            commands: Arc::new(Semaphore::new(MOST_COMMANDS)),
            warned_of_token: WarningInterval::default(),
        }))
    }

    /// Numbers for operators.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let now = self.0.now();
        self.0.outbox.borrow().totals(now, self.0.clock.now())
    }

    /// How much is kept.
    #[must_use]
    pub fn limits(&self) -> OutboxLimits {
        self.0.snapshots.load().outbox.limits
    }

    /// Why the last write to the disk failed; none if it succeeded.
    #[must_use]
    pub fn disk_failure(&self) -> Option<String> {
        self.0.disk.failure()
    }

    /// Changes that the disk did not take.
    #[must_use]
    pub fn disk_errors(&self) -> u64 {
        self.0.disk.errors().get()
    }

    /// Counts of events.
    #[must_use]
    pub fn counters(&self) -> &OutboxCounters {
        &self.0.counters
    }

    /// The configuration has changed: limits apply, and accounts may have another token.
    pub(crate) fn reconfigure(&self) {
        let limits = self.0.snapshots.load().outbox.limits;
        let mut outbox = self.0.outbox.borrow_mut();
        outbox.set_limits(limits);
        outbox.set_going();
    }

    /// Waits until everything queued is on the disk.
    pub async fn close(self) {
        self.0.database.clone().close().await;
    }
}

impl Inner {
    /// The outbox's clock.
    pub(super) fn now(&self) -> Duration {
        self.epoch.elapsed()
    }

    pub(super) fn time_of(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.epoch)
    }

    pub(super) fn instant_of(&self, time: Duration) -> Instant {
        self.epoch + time
    }

    /// Where a delivery comes from and goes.
    pub(super) fn origin(&self, key: &Key<'_>) -> Origin {
        let snapshot = self.snapshots.load();
        self.names.origin(key, &snapshot.limits.coap.networks)
    }

    /// Commits a batch, which outlives a power cut when this is `Ok`.
    pub(super) async fn commit(&self, batch: Batch) -> Result<(), WriteError> {
        self.disk.noted(self.database.commit(batch).await)
    }

    /// The same, which outlives this process.
    async fn commit_unsynced(&self, batch: Batch) -> Result<(), WriteError> {
        self.disk.noted(self.database.commit_unsynced(batch).await)
    }

    /// Takes a delivery over: when this is `Ok`, it is on the disk. `began`: of an attempt in flight.
    pub(super) async fn accept(
        &self,
        header: &Header,
        content: &Content,
        began: Option<Duration>,
    ) -> Result<RecordNumber, NotAccepted> {
        let row = row::waiting(header, content);
        let key = header.key();
        let origin = self.origin(&key);
        let name = self.names.transaction(&key, &origin);
        let accepted = header.accepted(origin, name, row.len());
        let number = self
            .outbox
            .borrow_mut()
            .accept(self.now(), &accepted, began)
            .inspect_err(|_| self.counters.refused.add())?;
        let mut batch = Batch::new();
        batch.put(Space::Waiting, number, row);
        match self.commit(batch).await {
            Ok(()) => {
                self.outbox.borrow_mut().stored(number);
                self.counters.accepted.add();
                if began.is_some() {
                    self.counters.attempts.add();
                }
                self.changed.notify_one();
                Ok(number)
            }
            Err(error) => {
                self.outbox.borrow_mut().withdraw(self.now(), number);
                Err(error.into())
            }
        }
    }

    /// A delivery has ended: its record is replaced by a smaller one. If others of its lane wait, this waits for the
    /// disk: after a power cut only the oldest of a lane can have been attempted. The last one need not: a record that
    /// is accepted later takes this change with it to the disk. Returns whether it waited until now.
    pub(super) async fn end(
        &self,
        number: RecordNumber,
        header: &Header,
        content: &Content,
        end: &End,
    ) -> bool {
        let state = end.ending.state();
        let content = (state == State::Failed).then_some(content);
        let row = row::ended(header, end, content);
        let bytes = row.len();
        let mut batch = Batch::new();
        batch.delete(Space::Waiting, number);
        batch.put(Space::Ended, number, row);
        let is_last = !self.outbox.borrow().has_next(number);
        // If it fails, the delivery has ended all the same. After a restart it is attempted again, with its own
        // transaction id.
        let _ = match is_last {
            true => self.commit_unsynced(batch).await,
            false => self.commit(batch).await,
        };
        let surplus = {
            let mut outbox = self.outbox.borrow_mut();
            if !outbox.ended(self.now(), end.at, number, state, bytes) {
                return false;
            }
            outbox.surplus(number)
        };
        if let Some(surplus) = surplus {
            self.forget(&[surplus]).await;
        }
        true
    }

    /// Records that have ended leave.
    pub(super) async fn forget(&self, numbers: &[RecordNumber]) {
        let mut batch = Batch::new();
        for number in numbers {
            if self.outbox.borrow_mut().drop(*number) {
                batch.delete(Space::Waiting, *number);
                batch.delete(Space::Ended, *number);
            }
        }
        if !batch.is_empty() {
            // If it fails, they leave after the next start.
            let _ = self.commit(batch).await;
        }
    }

    /// One line in a while, with the remedy.
    pub(super) fn warn_of_token(&self, header: &Header) {
        if self.warned_of_token.is_due() {
            let whose = match header.account {
                Some(_) => "that their device has presented: log in again",
                None => "of the configuration: write a new one into its file and reload",
            };
            tracing::warn!(
                "deliveries to {} wait: the homeserver refuses the access token {whose}; `comatrix-gateway outbox \
                 retry` tries again at once",
                escaped(&header.origin, 200)
            );
        }
    }

    /// A device may observe the delivery.
    pub(super) fn ended(&self, id: DeliveryId) {
        let mut ended = self.ended.borrow_mut();
        if ended.len() < MOST_CHANGES {
            ended.push(id);
        }
        self.changed.notify_one();
    }
}
