//! Records leave their lanes: they have ended, an operator drops them, or they cannot be stored.

use std::time::Duration;

use crate::outbox::Outbox;
use crate::record::{EnteredBy, Record, RecordNumber, State, Uncertain, seconds, unix};

impl Outbox {
    /// A record that waits is about to leave, as soon as the store has it: it gets no turn meanwhile, and those behind
    /// it none either. Returns whether it may: not while it is in flight, or is being stored.
    pub fn begin_leaving(&mut self, number: RecordNumber) -> bool {
        let Some(record) = self.records.get(number) else {
            return false;
        };
        let lane = record.origin.lane;
        let may = record.state == State::Waiting
            && self.scheduler.is_stored(lane, number)
            && !self.scheduler.is_in_flight(lane, number);
        if may {
            self.scheduler.hold_back(lane, number);
        }
        may
    }

    /// It stays: the store has not taken the change.
    pub fn stay(&mut self, number: RecordNumber) {
        self.stored(number);
    }

    /// The record cannot be stored, or the operator drops it. Returns whether there was one that may leave: not while
    /// it is in flight.
    pub fn drop(&mut self, number: RecordNumber) -> bool {
        let Some(record) = self.records.get(number).copied() else {
            return false;
        };
        if record.state == State::Waiting {
            if self.scheduler.is_in_flight(record.origin.lane, number) {
                return false;
            }
            self.leave_lane(&record, number, |scheduler, lane| {
                scheduler.remove(lane, number);
            });
        }
        self.records.remove(number).is_some()
    }

    /// A record that could not be stored leaves, also while its attempt is in flight.
    pub fn withdraw(&mut self, number: RecordNumber) {
        let Some(record) = self.records.remove(number) else {
            return;
        };
        self.leave_lane(&record, number, |scheduler, lane| {
            if scheduler.has_turn(lane, number) {
                scheduler.give_up(lane);
            } else {
                scheduler.remove(lane, number);
            }
        });
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
        self.leave_lane(&record, number, |scheduler, lane| {
            if scheduler.has_turn(lane, number) {
                scheduler.finish(now, lane);
            } else {
                scheduler.remove(lane, number);
            }
        });
        self.records.set_state(number, state, bytes);
        if let Some(record) = self.records.get_mut(number) {
            record.since = seconds(now);
            record.ended_at = unix(at);
            record.before = 0;
        }
        true
    }

    /// The last process may have lost the end of this record, and may have attempted the next one then.
    fn leave_lane(
        &mut self,
        record: &Record,
        number: RecordNumber,
        leave: impl FnOnce(&mut crate::scheduler::Scheduler, u64),
    ) {
        let lane = record.origin.lane;
        let was_first = self.scheduler.is_first(lane, number);
        leave(&mut self.scheduler, lane);
        if !was_first || record.uncertain != Uncertain::Forgotten {
            return;
        }
        let next = self.scheduler.first(lane);
        if let Some(next) = next.and_then(|next| self.records.get_mut(next))
            && next.entered_by == EnteredBy::Restoring
            && next.uncertain == Uncertain::No
        {
            next.uncertain = Uncertain::Forgotten;
        }
    }
}
