//! The outbox: records and their turns.

use std::time::Duration;

use share::{Owner, Refused};

use crate::accepted::{Accepted, Origin};
use crate::lane::Turn;
use crate::limits::OutboxLimits;
use crate::record::{Record, RecordNumber, State, Uncertain, seconds, unix};
use crate::records::Records;
use crate::scheduler::Scheduler;
use contract::DeliveryId;

/// The records of the gateway, and whose turn it is. Times are those of one clock that starts at any point; Unix times
/// beside them are none while the machine's clock is not set.
#[derive(Debug)]
pub struct Outbox {
    pub(crate) limits: OutboxLimits,
    pub(crate) records: Records,
    pub(crate) scheduler: Scheduler,
    pub(crate) next_number: RecordNumber,
}

/// Whether a delivery may be attempted at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Nothing speaks against it.
    Direct,
    /// Others of its lane wait, or its homeserver or account would not take it.
    Store,
}

impl Outbox {
    /// An empty one. `seed` makes its pauses differ from those of others.
    #[must_use]
    pub fn new(limits: OutboxLimits, seed: u64) -> Self {
        Self {
            limits,
            records: Records::new(&limits),
            scheduler: Scheduler::new(seed),
            next_number: 1,
        }
    }

    /// Applies other bounds; what was accepted stays.
    pub fn set_limits(&mut self, limits: OutboxLimits) {
        self.limits = limits;
        self.records.set_limits(&limits);
    }

    /// A number that no record gets: of one in the store that cannot be read.
    pub fn skip(&mut self, number: RecordNumber) {
        self.next_number = self.next_number.max(number.saturating_add(1));
    }

    /// Restores a record from the store; call it in the order of the numbers. `clock`: the Unix time. `ended_at`: of
    /// one that has ended.
    pub fn restore(
        &mut self,
        (now, clock): (Duration, Option<u64>),
        number: RecordNumber,
        accepted: &Accepted,
        (state, ended_at): (State, Option<u64>),
    ) {
        self.skip(number);
        let mut record = Record::new(accepted, now, state);
        record.restored(
            clock,
            match state {
                State::Waiting => accepted.revived_at.or(accepted.at),
                State::Sent | State::Failed => ended_at,
            },
        );
        record.ended_at = unix(ended_at);
        // The others of the lane had no turn yet. What has failed may be revived, for example after it has expired.
        let has_lane = self.scheduler.has_lane(record.origin.lane);
        if accepted.attempted || !has_lane || state == State::Failed {
            record.uncertain = Uncertain::Forgotten;
        }
        if state == State::Waiting {
            self.scheduler
                .push(&record.origin, number, true, Turn::Ready);
        }
        self.records.insert(number, record);
    }

    /// Whether a delivery may be attempted at once.
    #[must_use]
    pub fn route(&self, origin: &Origin) -> Route {
        let waits = self.scheduler.has_lane(origin.lane)
            || self.scheduler.is_held(origin.server, origin.account);
        if waits { Route::Store } else { Route::Direct }
    }

    /// The record of the same message: of the same datagram within the `lifetime` of its message ID, or of the same
    /// delivery.
    #[must_use]
    pub fn find(
        &self,
        now: Duration,
        unix: Option<u64>,
        (message, lifetime): (&[u8; 16], Duration),
        id: DeliveryId,
    ) -> Option<(RecordNumber, &Record)> {
        let same_message = self.records.with_message(message, lifetime, now, unix);
        let number = same_message.or_else(|| self.records.with_id(id))?;
        Some((number, self.records.get(number)?))
    }

    /// Whether the device used the transaction id of a record for another content.
    #[must_use]
    pub fn reuses_transaction(&self, name: u64, id: DeliveryId) -> bool {
        self.records.has_name(name) && self.records.with_id(id).is_none()
    }

    /// Whether one more record may wait.
    ///
    /// # Errors
    /// The level that has no room.
    pub fn room(&self, owner: Owner, bytes: usize) -> Result<(), Refused> {
        self.records.room(owner, true, bytes)
    }

    /// Takes a delivery. It has no turn before [`Outbox::stored`]. `began`: of an attempt that is in flight or has
    /// ended; report its result by [`Outbox::ended`] or [`Outbox::retry`].
    ///
    /// # Errors
    /// The level that has no room; nothing has changed then.
    pub fn accept(
        &mut self,
        now: Duration,
        accepted: &Accepted,
        began: Option<Duration>,
    ) -> Result<RecordNumber, Refused> {
        self.records
            .room(accepted.origin.owner, accepted.is_proven, accepted.bytes)?;
        let number = self.next_number;
        self.next_number += 1;
        let mut record = Record::new(accepted, now, State::Waiting);
        record.attempts = began.is_some().into();
        if accepted.attempted {
            record.uncertain = Uncertain::Since(seconds(began.unwrap_or(now)));
        }
        let turn = began.map_or(Turn::Storing, Turn::InFlight);
        self.scheduler.push(&record.origin, number, false, turn);
        self.records.insert(number, record);
        Ok(number)
    }

    /// The record is in the store.
    pub fn stored(&mut self, number: RecordNumber) {
        if let Some(record) = self.records.get(number) {
            self.scheduler.stored(record.origin.lane, number);
        }
    }

    /// The homeserver has responded to a message that was attempted at once: a timeout of another one that began before
    /// is that of its room.
    pub fn responded(&mut self, now: Duration, server: u64) {
        self.scheduler.responded(now, server);
    }

    /// When to call [`Outbox::handle_timeout`] and [`Outbox::next_attempt`] again.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Duration> {
        self.scheduler.next_timeout()
    }

    /// Ends the pauses that are over.
    pub fn handle_timeout(&mut self, now: Duration) {
        self.scheduler.handle_timeout(now);
    }
}
