//! Records that have failed wait again.

use std::time::Duration;

use crate::lane::Turn;
use crate::outbox::Outbox;
use crate::record::{EnteredBy, Record, RecordNumber, State, seconds};

impl Outbox {
    /// A failed record waits again, as the youngest of its lane under the number that is returned. It is not stored
    /// yet. None if it has not failed, or there is no room for it. It has its time again.
    pub fn revive(
        &mut self,
        now: Duration,
        number: RecordNumber,
        bytes: usize,
    ) -> Option<RecordNumber> {
        let record = *self.records.get(number)?;
        if record.state != State::Failed || self.room(record.origin.owner, bytes).is_err() {
            return None;
        }
        self.records.remove(number);
        let again = self.next_number;
        self.next_number += 1;
        let revived = Record {
            state: State::Waiting,
            bytes: u32::try_from(bytes).unwrap_or(u32::MAX),
            ended_at: None,
            entered: seconds(now),
            entered_by: EnteredBy::Reviving,
            since: seconds(now),
            before: 0,
            ..record
        };
        self.scheduler
            .push(&record.origin, again, false, Turn::Storing);
        self.records.insert(again, revived);
        Some(again)
    }
}
