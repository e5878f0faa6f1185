//! What an outbox says of its records: which are over, whose they are, and how many there are.

use std::time::Duration;

use contract::DeliveryId;

use crate::outbox::Outbox;
use crate::record::{Record, RecordNumber, State};
use crate::retry::Waiting;
use crate::short_id::range;

/// Records that leave at a time: their rows are one batch of the store.
const MOST_AT_A_TIME: usize = 64;

/// Numbers for operators.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Records that wait, and their bytes.
    pub waiting: (usize, usize),
    /// Records that were sent and are remembered.
    pub sent: usize,
    /// Failed records, and their bytes.
    pub failed: (usize, usize),
    /// Attempts in flight.
    pub in_flight: usize,
    /// How long the oldest record has waited.
    pub oldest: Option<Duration>,
}

impl Outbox {
    /// Records that have waited too long and are not in flight.
    #[must_use]
    pub fn expired(&self, now: Duration) -> Vec<RecordNumber> {
        let is_over = |number: RecordNumber, record: &Record| {
            record.state == State::Waiting
                && record.waited(now) > self.limits.age
                && !self.scheduler.is_in_flight(record.origin.lane, number)
        };
        self.some(is_over)
    }

    /// Records that ended so long ago that nobody asks for them any more.
    #[must_use]
    pub fn outdated(&self, now: Duration) -> Vec<RecordNumber> {
        let is_over = |_, record: &Record| match record.state {
            State::Waiting => false,
            State::Sent => record.ended_for(now) > self.limits.keep_sent,
            State::Failed => record.ended_for(now) > self.limits.keep_failed,
        };
        self.some(is_over)
    }

    /// A record that has ended and leaves for another one that has, `number`.
    #[must_use]
    pub fn surplus(&self, number: RecordNumber) -> Option<RecordNumber> {
        let record = self.records.get(number)?;
        let (state, owner) = (record.state, record.origin.owner);
        let is_ended = state != State::Waiting;
        (is_ended && self.records.has_surplus(state, owner))
            .then(|| self.records.surplus(state))
            .flatten()
    }

    /// The records of a device whose ids begin with this prefix: 8 to 32 hexadecimal digits.
    pub fn of_device(&self, device: u64, prefix: &str) -> Option<(RecordNumber, &Record)> {
        let mut records = self.with_prefix(prefix)?;
        records.find(|(_, record)| record.origin.device() == device)
    }

    /// The records whose ids begin with this prefix: 8 to 32 hexadecimal digits. None if it is not such a prefix.
    pub fn with_prefix(
        &self,
        prefix: &str,
    ) -> Option<impl Iterator<Item = (RecordNumber, &Record)>> {
        let numbers = self.records.in_range(range(prefix)?);
        Some(numbers.filter_map(|number| Some((number, self.records.get(number)?))))
    }

    /// A record.
    #[must_use]
    pub fn get(&self, number: RecordNumber) -> Option<&Record> {
        self.records.get(number)
    }

    /// All records, the oldest first.
    pub fn iter(&self) -> impl Iterator<Item = (RecordNumber, &Record)> {
        self.records.iter()
    }

    /// Whether others of its lane wait.
    #[must_use]
    pub fn has_next(&self, number: RecordNumber) -> bool {
        let record = self.records.get(number);
        record.is_some_and(|record| self.scheduler.has_others(record.origin.lane))
    }

    /// Whether the record is in the store: one that has ended was.
    #[must_use]
    pub fn is_stored(&self, number: RecordNumber) -> bool {
        self.records.get(number).is_some_and(|record| {
            record.state != State::Waiting || self.scheduler.is_stored(record.origin.lane, number)
        })
    }

    /// Whether it has no records.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Whether this delivery waits.
    #[must_use]
    pub fn waits(&self, id: DeliveryId) -> bool {
        let number = self.records.with_id(id);
        number.is_some_and(|number| self.waiting(number).is_some())
    }

    /// The last records that were sent of the lane of a record, at most so many.
    #[must_use]
    pub fn sent_of_lane(&self, number: RecordNumber, most: usize) -> Vec<RecordNumber> {
        let Some(lane) = self.records.get(number).map(|record| record.origin.lane) else {
            return Vec::new();
        };
        if self.records.held(State::Sent).pieces == 0 {
            return Vec::new();
        }
        let is_sent = |record: &Record| record.state == State::Sent && record.origin.lane == lane;
        let sent = self.records.iter().filter(|(_, record)| is_sent(record));
        let mut numbers: Vec<RecordNumber> = sent.map(|(number, _)| number).collect();
        numbers.drain(..numbers.len().saturating_sub(most));
        numbers
    }

    /// Whether records of an account wait for another access token.
    #[must_use]
    pub fn needs_token(&self, account: u64) -> bool {
        self.scheduler.holds.needs_token(account)
    }

    /// Whether records of an account wait.
    #[must_use]
    pub fn has_account(&self, account: u64) -> bool {
        let mut lanes = self.scheduler.lanes.values();
        lanes.any(|lane| lane.account == account)
    }

    /// What a record waits for.
    #[must_use]
    pub fn waiting(&self, number: RecordNumber) -> Option<Waiting> {
        let record = self.records.get(number)?;
        (record.state == State::Waiting).then(|| self.scheduler.waiting(record.origin.lane, number))
    }

    /// Numbers for operators.
    #[must_use]
    pub fn totals(&self, now: Duration) -> Totals {
        let held = |state| {
            let held = self.records.held(state);
            (held.pieces, held.bytes)
        };
        // Many may have ended, and monitors ask often.
        let has_any = self.records.held(State::Waiting).pieces > 0;
        let is_waiting = |(_, record): &(_, &Record)| record.state == State::Waiting;
        let oldest = has_any.then(|| self.iter().find(is_waiting)).flatten();
        Totals {
            oldest: oldest.map(|(_, record)| record.waited(now)),
            waiting: held(State::Waiting),
            sent: held(State::Sent).0,
            failed: held(State::Failed),
            in_flight: self.scheduler.in_flight(),
        }
    }

    fn some(&self, is_over: impl Fn(RecordNumber, &Record) -> bool) -> Vec<RecordNumber> {
        let records = self.records.iter();
        let over = records.filter(|(number, record)| is_over(*number, record));
        over.map(|(number, _)| number)
            .take(MOST_AT_A_TIME)
            .collect()
    }
}
