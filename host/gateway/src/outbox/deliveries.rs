//! The deliveries of a gateway: the outbox and its store, as one.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use contract::clock::Clock;
use contract::escaping::escaped;
use contract::{DeliveryId, Outcome};
use futures_util::future::LocalBoxFuture;
use outbox::{Origin, Outbox, OutboxLimits, Totals};
use store::database::{Batch, Database, WriteError};
use tokio::sync::{Notify, Semaphore};

use super::calls::Calls;
use super::contents::Contents;
use super::counters::OutboxCounters;
use super::disk_health::DiskHealth;
use super::first_accounts::FirstAccounts;
use super::key::Key;
use super::names::Names;
use super::newer_tokens::NewerTokens;
use super::recent_attempts::RecentAttempts;
use super::row::Header;
use super::turns::Turns;
use super::unrecorded::Unrecorded;
use super::users::Users;
use super::warning_interval::WarningInterval;
use crate::request::SnapshotCell;
use crate::sessions::Sessions;
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
    epoch: tokio::time::Instant,
    pub(super) calls: Calls,
    pub(super) names: Names,
    /// When old records leave.
    pub(super) next_upkeep: Cell<Option<Instant>>,
    pub(super) turns: Turns,
    pub(super) recent_attempts: RecentAttempts,
    pub(super) first_accounts: FirstAccounts,
    pub(super) users: Users,
    pub(super) newer_tokens: NewerTokens,
    pub(super) sessions: Sessions,
    /// Attempts that go on after their exchange, until the event loop takes them.
    pub(super) background: RefCell<Vec<LocalBoxFuture<'static, ()>>>,
    /// Wakes the event loop.
    pub(super) changed: Notify,
    pub(super) counters: OutboxCounters,
    pub(super) lines: AddressLines,
    /// Deliveries that have ended, until the event loop takes them. At most [`MOST_CHANGES`].
    pub(super) ended: RefCell<Vec<DeliveryId>>,
    pub(super) disk: DiskHealth,
    pub(super) unrecorded: Unrecorded,
    /// Commands of operators in progress.
    pub(super) commands: Arc<Semaphore>,
    warned_of_token: WarningInterval,
}

/// Deliveries that end between two turns of the event loop: more than attempts are in flight.
const MOST_CHANGES: usize = 1024;
/// Commands of operators that wait for the disk: more than one operator sends.
pub(super) const MOST_COMMANDS: usize = 4;

impl Deliveries {
    /// Those of what was restored, whose records are in the database.
    pub(super) fn new(
        contents: Contents,
        database: Database,
        snapshots: Arc<SnapshotCell>,
        clock: Clock,
        calls: Calls,
    ) -> Self {
        Self(Rc::new(Inner {
            outbox: RefCell::new(contents.outbox),
            sessions: Sessions::new(contents.sessions, database.clone(), clock),
            database,
            snapshots,
            clock,
            epoch: contents.epoch,
            calls,
            names: contents.names,
            next_upkeep: Cell::default(),
            turns: Turns::default(),
            recent_attempts: RecentAttempts::default(),
            first_accounts: FirstAccounts::default(),
            users: contents.users,
            newer_tokens: NewerTokens::default(),
            background: RefCell::default(),
            changed: Notify::new(),
            counters: OutboxCounters::default(),
            lines: AddressLines::default(),
            ended: RefCell::default(),
            disk: DiskHealth::default(),
            unrecorded: Unrecorded::default(),
            commands: Arc::new(Semaphore::new(MOST_COMMANDS)),
            warned_of_token: WarningInterval::default(),
        }))
    }

    /// Numbers for operators.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.0.outbox.borrow().totals(self.0.now())
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
        outbox.tokens_changed();
        outbox.set_going();
    }

    /// The store, for other records of the gateway.
    pub(crate) fn database(&self) -> Database {
        self.0.database.clone()
    }

    /// Logins that the gateway remembers. They are here since the messages that wait need their tokens too.
    #[must_use]
    pub fn sessions(&self) -> &Sessions {
        &self.0.sessions
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
        now.saturating_duration_since(self.epoch.into_std())
    }

    pub(super) fn instant_of(&self, time: Duration) -> Instant {
        (self.epoch + time).into_std()
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
    pub(super) async fn commit_unsynced(&self, batch: Batch) -> Result<(), WriteError> {
        self.disk.noted(self.database.commit_unsynced(batch).await)
    }

    /// One line in a while, with the remedy: the homeserver refuses the access token, or there is none, or it is not
    /// configured any more.
    pub(super) fn warn_of_token(&self, header: &Header, outcome: &Outcome) {
        if !self.warned_of_token.is_due() {
            return;
        }
        let reason = match (outcome, header.account) {
            (Err(error), _) if error.reason == "denied" => {
                "it is not configured any more: add it to the configuration and reload, or drop them"
            }
            (Err(_), _) => {
                "there is no access token for it any more: write one into its file and reload"
            }
            (Ok(_), Some(_)) => {
                "it refuses the access token that their device has presented: log in again"
            }
            (Ok(_), None) => {
                "it refuses the access token of the configuration: write a new one into its file and reload"
            }
        };
        tracing::warn!(
            "messages for {} wait: {reason}; `comatrix-gateway outbox list` shows them",
            escaped(&header.origin, 200)
        );
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
