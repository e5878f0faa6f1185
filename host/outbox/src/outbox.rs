//! The outbox: records and their turns.

use std::time::Duration;

use share::{Owner, Refused};

use crate::accepted::{Accepted, Origin};
use crate::lane::Turn;
use crate::limits::OutboxLimits;
use crate::record::{Record, RecordNumber, State, Uncertain, seconds, unix};
use crate::records::Records;
use crate::retry::Retry;
use crate::scheduler::Scheduler;
use contract::DeliveryId;

/// Homeservers forget transaction ids: Synapse those without a device after 30 to 60 minutes. A later attempt is
/// preceded by a search.
const REMEMBERED: Duration = Duration::from_secs(30 * 60);

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

/// A delivery to attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Its record.
    pub number: RecordNumber,
    /// Whether an earlier attempt can have had an effect that the homeserver has forgotten: its room has to be searched
    /// first.
    pub search: Option<Search>,
}

/// What to search for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Search {
    /// Unix time of the first attempt that can have had an effect; none if it is unknown.
    pub since: Option<u64>,
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

    /// Restores a record from the store; call it in the order of the numbers. `ended_at`: of one that has ended.
    pub fn restore(
        &mut self,
        now: Duration,
        number: RecordNumber,
        accepted: &Accepted,
        (state, ended_at): (State, Option<u64>),
    ) {
        self.next_number = self.next_number.max(number.saturating_add(1));
        let mut record = Record::new(accepted, now, state);
        record.ended_at = unix(ended_at);
        // The others of the lane had no turn yet. What has failed may be revived, for example after it has expired.
        let has_lane = self.scheduler.has_lane(record.origin.lane);
        if accepted.attempted || !has_lane || state == State::Failed {
            record.uncertain = Uncertain::BeforeStart;
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
        self.records.room(owner, bytes)
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
        self.records.room(accepted.origin.owner, accepted.bytes)?;
        let number = self.next_number;
        self.next_number += 1;
        let mut record = Record::new(accepted, now, State::Waiting);
        if let Some(began) = began {
            record.uncertain = Uncertain::Since(seconds(began));
            record.attempts = 1;
        } else if accepted.attempted {
            record.uncertain = Uncertain::BeforeStart;
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

    /// The record cannot be stored, or the operator drops it. Returns whether there was one that may leave: not while
    /// it is in flight.
    pub fn drop(&mut self, number: RecordNumber) -> bool {
        let Some(record) = self.records.get(number) else {
            return false;
        };
        let lane = record.origin.lane;
        if record.state == State::Waiting {
            if self.scheduler.is_in_flight(lane, number) {
                return false;
            }
            self.scheduler.remove(lane, number);
        }
        self.records.remove(number).is_some()
    }

    /// A record that could not be stored leaves, also while its attempt is in flight.
    pub fn withdraw(&mut self, now: Duration, number: RecordNumber) {
        if let Some(record) = self.records.remove(number) {
            self.leave_lane(now, &record, number);
        }
    }

    /// The next delivery to attempt. It is in flight until [`Outbox::ended`] or [`Outbox::retry`].
    pub fn next_attempt(&mut self, now: Duration, unix: Option<u64>) -> Option<Attempt> {
        let number = self.scheduler.next(now)?;
        let record = self.records.get_mut(number)?;
        record.attempts = record.attempts.saturating_add(1);
        let uncertain = record.uncertain_for(now, unix);
        let search = uncertain
            .filter(|(ago, _)| *ago >= REMEMBERED)
            .map(|(_, since)| Search { since });
        Some(Attempt { number, search })
    }

    /// The delivery has ended. `bytes`: of the record that is kept. Returns whether it waited.
    pub fn ended(
        &mut self,
        now: Duration,
        at: Option<u64>,
        number: RecordNumber,
        state: State,
        bytes: usize,
    ) -> bool {
        let Some(record) = self.records.get(number).copied() else {
            return false;
        };
        if record.state != State::Waiting {
            return false;
        }
        self.leave_lane(now, &record, number);
        self.records.set_state(number, state, bytes);
        if let Some(record) = self.records.get_mut(number) {
            record.since = seconds(now);
            record.ended_at = unix(at);
        }
        true
    }

    /// The attempt has no final result.
    pub fn retry(&mut self, now: Duration, number: RecordNumber, why: Retry) {
        let Some(record) = self.records.get_mut(number) else {
            return;
        };
        let lane = record.origin.lane;
        match why {
            Retry::TimedOut | Retry::Server if record.uncertain == Uncertain::No => {
                record.uncertain = Uncertain::Since(seconds(now));
            }
            _ => {}
        }
        if self.scheduler.has_turn(lane, number) {
            self.scheduler.retry(now, lane, why);
        } else {
            self.scheduler.end_early_attempt(lane, number);
        }
    }

    /// A device has another access token for a homeserver: its deliveries there that wait for one go on. Returns
    /// whether there are any.
    pub fn token_renewed(&mut self, device: u64, server: u64) -> bool {
        if !self.scheduler.holds.any_needs_token() {
            return false;
        }
        let of_device = |record: &&Record| {
            record.state == State::Waiting
                && (record.origin.device, record.origin.server) == (device, server)
                && self.scheduler.holds.needs_token(record.origin.account)
        };
        let records = self.records.iter().map(|(_, record)| record);
        let accounts: Vec<u64> = records
            .filter(of_device)
            .map(|record| record.origin.account)
            .collect();
        for account in &accounts {
            self.scheduler.free_account(*account);
        }
        !accounts.is_empty()
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

    fn leave_lane(&mut self, now: Duration, record: &Record, number: RecordNumber) {
        let lane = record.origin.lane;
        if self.scheduler.has_turn(lane, number) {
            self.scheduler.finish(now, lane);
        } else {
            self.scheduler.remove(lane, number);
        }
    }
}
