//! Records that have failed wait again.

use std::time::Duration;

use crate::lane::Turn;
use crate::outbox::Outbox;
use crate::record::{Record, RecordNumber, State, seconds, unix};

impl Outbox {
    /// A failed record waits again, as the youngest of its lane under the number that is returned. It is not stored
    /// yet. None if it has not failed, or there is no room for it. `at`: the Unix time; its age counts from there.
    pub fn revive(
        &mut self,
        now: Duration,
        at: Option<u64>,
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
            revived_at: unix(at),
            ended_at: None,
            entered: seconds(now),
            since: seconds(now),
            ..record
        };
        self.scheduler
            .push(&record.origin, again, false, Turn::Storing);
        self.records.insert(again, revived);
        Some(again)
    }
}
