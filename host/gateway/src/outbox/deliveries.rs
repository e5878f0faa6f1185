//! The deliveries of a gateway: the outbox and its store, as one.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use contract::DeliveryId;
use contract::clock::Clock;
use contract::escaping::escaped;
use futures_util::future::LocalBoxFuture;
use outbox::{Origin, Outbox, RecordNumber, State, Totals};
use store::database::{Batch, Database, Space, WriteError};
use tokio::sync::Notify;

use super::counters::OutboxCounters;
use super::names::Names;
use super::row::{self, Content, End, Header};
use super::turns::Turns;
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
    /// Attempts that go on after their exchange, until the event loop takes them.
    pub(super) background: RefCell<Vec<LocalBoxFuture<'static, ()>>>,
    /// Wakes the event loop.
    pub(super) changed: Notify,
    pub(super) counters: OutboxCounters,
    pub(super) lines: AddressLines,
    /// Deliveries that have ended, until the event loop takes them. At most [`MOST_CHANGES`].
    pub(super) ended: RefCell<Vec<DeliveryId>>,
    /// When the operator was last warned of the disk, and of an access token.
    warned_of_disk: Cell<Option<Instant>>,
    warned_of_token: Cell<Option<Instant>>,
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
/// The time between two warnings of one kind.
const WARNING_INTERVAL: Duration = Duration::from_secs(600);

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
            background: RefCell::default(),
            changed: Notify::new(),
            counters: OutboxCounters::default(),
            lines: AddressLines::default(),
            ended: RefCell::default(),
            warned_of_disk: Cell::default(),
            warned_of_token: Cell::default(),
        }))
    }

    /// Numbers for operators.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let now = self.0.now();
        self.0.outbox.borrow().totals(now, self.0.clock.now())
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
    pub(super) fn origin(&self, header: &Header) -> Origin {
        let snapshot = self.snapshots.load();
        self.names.origin(header, &snapshot.limits.coap.networks)
    }

    /// Takes a delivery over: when this is `Ok`, it is on the disk. `began`: of an attempt in flight.
    pub(super) async fn accept(
        &self,
        header: &Header,
        content: &Content,
        began: Option<Duration>,
    ) -> Result<RecordNumber, NotAccepted> {
        let row = row::waiting(header, content);
        let origin = self.origin(header);
        let name = self.names.transaction(header, &origin);
        let accepted = header.accepted(origin, name, row.len());
        let number = self
            .outbox
            .borrow_mut()
            .accept(self.now(), &accepted, began)
            .inspect_err(|_| self.counters.refused.add())?;
        let mut batch = Batch::new();
        batch.put(Space::Waiting, number, row);
        match self.database.commit(batch).await {
            Ok(()) => {
                self.outbox.borrow_mut().stored(number);
                self.counters.accepted.add();
                self.changed.notify_one();
                Ok(number)
            }
            Err(error) => {
                self.outbox.borrow_mut().withdraw(self.now(), number);
                self.warn_of_disk(&error);
                Err(error.into())
            }
        }
    }

    /// A delivery has ended: its record is replaced by a smaller one. If others of its lane wait, this waits for the
    /// disk: after a power cut only the oldest of a lane can have been attempted. The last one need not: a record that
    /// is accepted later takes this change with it to the disk.
    pub(super) async fn end(
        &self,
        number: RecordNumber,
        header: &Header,
        content: &Content,
        end: &End,
    ) {
        let state = end.ending.state();
        let content = (state == State::Failed).then_some(content);
        let row = row::ended(header, end, content);
        let bytes = row.len();
        let mut batch = Batch::new();
        batch.delete(Space::Waiting, number);
        batch.put(Space::Ended, number, row);
        let is_last = !self.outbox.borrow().has_next(number);
        let committed = match is_last {
            true => self.database.commit_unsynced(batch).await,
            false => self.database.commit(batch).await,
        };
        if let Err(error) = committed {
            // It has ended all the same. After a restart it is attempted again, with its own transaction id.
            self.warn_of_disk(&error);
        }
        let surplus = {
            let mut outbox = self.outbox.borrow_mut();
            if !outbox.ended(self.now(), end.at, number, state, bytes) {
                return;
            }
            outbox.surplus(number)
        };
        match state {
            State::Sent => self.counters.sent.add(),
            State::Waiting | State::Failed => self.counters.failed.add(),
        }
        if let Some(surplus) = surplus {
            self.forget(&[surplus]).await;
        }
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
        if !batch.is_empty()
            && let Err(error) = self.database.commit(batch).await
        {
            self.warn_of_disk(&error);
        }
    }

    /// One line in a while, with the remedy.
    pub(super) fn warn_of_disk(&self, error: &WriteError) {
        self.counters.disk_errors.add();
        if is_due(&self.warned_of_disk) {
            tracing::warn!(
                "the outbox cannot be written: {error}; messages are passed to their homeserver at once or refused \
                 with 5.03 until it can"
            );
        }
    }

    /// One line in a while, with the remedy.
    pub(super) fn warn_of_token(&self, header: &Header) {
        if is_due(&self.warned_of_token) {
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

/// Whether a warning is due; then the next one is due in a while.
fn is_due(warned: &Cell<Option<Instant>>) -> bool {
    let now = Instant::now();
    let is_due = warned
        .get()
        .is_none_or(|before| now - before > WARNING_INTERVAL);
    if is_due {
        warned.set(Some(now));
    }
    is_due
}
