//! All records, found by number, id and message, within their bounds.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use share::{Amount, Owner, Refused, Shares};

use crate::limits::OutboxLimits;
use crate::record::{Record, RecordNumber, State};
use contract::DeliveryId;

/// All unproven addresses together.
const ANYBODY: Owner = Owner {
    host: 0,
    network: None,
};

#[derive(Debug)]
pub(crate) struct Records {
    /// Boxed: numbers ascend, which leaves every node of the tree but the last half empty.
    by_number: BTreeMap<RecordNumber, Box<Record>>,
    by_id: BTreeMap<DeliveryId, RecordNumber>,
    /// By half of the digest; the record has the whole.
    by_message: HashMap<u64, RecordNumber>,
    names: HashSet<u64>,
    waiting: Shares,
    unproven: Shares,
    sent: Shares,
    failed: Shares,
}

impl Records {
    pub(crate) fn new(limits: &OutboxLimits) -> Self {
        Self {
            by_number: BTreeMap::new(),
            by_id: BTreeMap::new(),
            by_message: HashMap::new(),
            names: HashSet::new(),
            waiting: Shares::new(limits.of_waiting()),
            unproven: Shares::new(limits.of_unproven()),
            sent: Shares::new(limits.of_sent()),
            failed: Shares::new(limits.of_failed()),
        }
    }

    pub(crate) fn set_limits(&mut self, limits: &OutboxLimits) {
        self.waiting.set_bounds(limits.of_waiting());
        self.unproven.set_bounds(limits.of_unproven());
        self.sent.set_bounds(limits.of_sent());
        self.failed.set_bounds(limits.of_failed());
    }

    pub(crate) fn get(&self, number: RecordNumber) -> Option<&Record> {
        self.by_number.get(&number).map(Box::as_ref)
    }

    pub(crate) fn get_mut(&mut self, number: RecordNumber) -> Option<&mut Record> {
        self.by_number.get_mut(&number).map(Box::as_mut)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_number.is_empty()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Record> {
        self.by_number.values_mut().map(Box::as_mut)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (RecordNumber, &Record)> {
        self.by_number
            .iter()
            .map(|(number, record)| (*number, record.as_ref()))
    }

    /// The record of this delivery.
    pub(crate) fn with_id(&self, id: DeliveryId) -> Option<RecordNumber> {
        self.by_id.get(&id).copied()
    }

    /// The records whose ids are in this range.
    pub(crate) fn in_range(
        &self,
        (first, last): (DeliveryId, DeliveryId),
    ) -> impl Iterator<Item = RecordNumber> {
        self.by_id.range(first..=last).map(|(_, number)| *number)
    }

    /// The record that came with this datagram, if that was at most `lifetime` ago.
    pub(crate) fn with_message(
        &self,
        message: &[u8; 16],
        lifetime: Duration,
        now: Duration,
        unix: Option<u64>,
    ) -> Option<RecordNumber> {
        let number = *self.by_message.get(&half(message))?;
        let record = self.get(number)?;
        (record.message == *message && record.age(now, unix) <= lifetime).then_some(number)
    }

    /// Whether a record has this name.
    pub(crate) fn has_name(&self, name: u64) -> bool {
        self.names.contains(&name)
    }

    /// Whether one more record may wait.
    pub(crate) fn room(&self, owner: Owner, is_proven: bool, bytes: usize) -> Result<(), Refused> {
        let amount = Amount::piece(bytes);
        if !is_proven {
            self.unproven.admit(ANYBODY, amount)?;
        }
        self.waiting.admit(owner, amount)
    }

    pub(crate) fn insert(&mut self, number: RecordNumber, record: Record) {
        self.count(&record);
        self.by_id.insert(record.id, number);
        self.by_message.insert(half(&record.message), number);
        self.names.insert(record.name);
        self.by_number.insert(number, Box::new(record));
    }

    pub(crate) fn remove(&mut self, number: RecordNumber) -> Option<Record> {
        let record = *self.by_number.remove(&number)?;
        self.give_back(&record);
        // A later record with the same key has taken its place.
        if self.by_id.get(&record.id) == Some(&number) {
            self.by_id.remove(&record.id);
        }
        if self.by_message.get(&half(&record.message)) == Some(&number) {
            self.by_message.remove(&half(&record.message));
        }
        self.names.remove(&record.name);
        Some(record)
    }

    /// Changes the state of a record, which has so many bytes then.
    pub(crate) fn set_state(&mut self, number: RecordNumber, state: State, bytes: usize) {
        let Some(record) = self.by_number.get_mut(&number) else {
            return;
        };
        let before = **record;
        record.state = state;
        record.bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let after = **record;
        self.give_back(&before);
        self.count(&after);
    }

    /// The record that ended first, of those that are above their bounds: of the heaviest holder, if one is above its
    /// share.
    pub(crate) fn surplus(&self, state: State) -> Option<RecordNumber> {
        let shares = self.shares_of(state);
        let bounds = shares.bounds();
        let held = shares.in_all();
        let is_over = |owner| shares.is_over(owner);
        let in_state = || self.iter().filter(|(_, record)| record.state == state);
        let over = in_state().find(|(_, record)| is_over(record.origin.owner));
        let is_full = held.pieces > bounds.pieces.in_all || held.bytes > bounds.bytes.in_all;
        let oldest = || in_state().next().filter(|_| is_full);
        over.or_else(oldest).map(|(number, _)| number)
    }

    /// Whether records of this state are above their bounds.
    pub(crate) fn has_surplus(&self, state: State, owner: Owner) -> bool {
        let shares = self.shares_of(state);
        let (held, bounds) = (shares.in_all(), shares.bounds());
        let is_full = held.pieces > bounds.pieces.in_all || held.bytes > bounds.bytes.in_all;
        is_full || shares.is_over(owner)
    }

    /// What all records of this state hold.
    pub(crate) fn held(&self, state: State) -> Amount {
        self.shares_of(state).in_all()
    }

    fn count(&mut self, record: &Record) {
        let amount = Amount::piece(record.bytes());
        self.shares(record.state).add(record.origin.owner, amount);
        if is_unproven(record) {
            self.unproven.add(ANYBODY, amount);
        }
    }

    fn give_back(&mut self, record: &Record) {
        let amount = Amount::piece(record.bytes());
        self.shares(record.state)
            .give_back(record.origin.owner, amount);
        if is_unproven(record) {
            self.unproven.give_back(ANYBODY, amount);
        }
    }

    fn shares(&mut self, state: State) -> &mut Shares {
        match state {
            State::Waiting => &mut self.waiting,
            State::Sent => &mut self.sent,
            State::Failed => &mut self.failed,
        }
    }

    fn shares_of(&self, state: State) -> &Shares {
        match state {
            State::Waiting => &self.waiting,
            State::Sent => &self.sent,
            State::Failed => &self.failed,
        }
    }
}

/// Whether it counts for what unproven addresses have together.
fn is_unproven(record: &Record) -> bool {
    record.state == State::Waiting && !record.is_proven
}

/// The digest's first half.
fn half(message: &[u8; 16]) -> u64 {
    let (first, _) = message.split_at(8);
    first
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}
