//! Records leave by their age.

use std::rc::Rc;
use std::time::{Duration, Instant};

use outbox::State;
use store::database::{Space, WriteError};

use super::deliveries::{Deliveries, Inner};
use super::reasons::FailureReason;
use super::row::{self, End, Ending};

/// Ages are days.
const INTERVAL: Duration = Duration::from_secs(60);
/// Rounds of 64 records at a time: all of them.
const MOST_ROUNDS: usize = 1024;

impl Deliveries {
    /// Work for records that are over their age, once a minute.
    pub(crate) fn upkeep(&self, now: Instant) -> Option<impl Future<Output = ()> + use<>> {
        let due = self.0.next_upkeep.get();
        if due.is_some_and(|due| now < due) {
            return None;
        }
        self.0.next_upkeep.set(Some(now + INTERVAL));
        let inner = self.0.clone();
        Some(async move { leave(&inner).await })
    }

    /// When the next look is due.
    pub(crate) fn next_upkeep(&self) -> Option<Instant> {
        self.0.next_upkeep.get()
    }
}

async fn leave(inner: &Rc<Inner>) {
    inner.record_ends().await;
    for _ in 0..MOST_ROUNDS {
        let (now, unix) = (inner.now(), inner.clock.now());
        let expired = inner.outbox.borrow().expired(now, unix);
        for number in &expired {
            // The disk does not take it now.
            if inner.expire(*number).await.is_err() {
                return;
            }
        }
        let outdated = inner.outbox.borrow().outdated(now, unix);
        inner.forget(&outdated).await;
        if expired.is_empty() && outdated.is_empty() {
            return;
        }
    }
}

impl Inner {
    async fn expire(&self, number: u64) -> Result<(), WriteError> {
        let Ok(Some(row)) = self.database.read(Space::Waiting, number).await else {
            return Ok(());
        };
        let mut rest = row.as_slice();
        let read = row::read_header(&mut rest)
            .and_then(|header| row::read(&mut rest).map(|content| (header, content)));
        let Ok((header, content)) = read else {
            self.forget(&[number]).await;
            return Ok(());
        };
        let still_waits = {
            let outbox = self.outbox.borrow();
            let record = outbox.get(number);
            record.is_some_and(|record| record.state == State::Waiting)
        };
        if still_waits {
            let at = self.clock.now();
            let reason = "expired".to_owned();
            let ending = Ending::Failed { reason };
            let end = End { at, ending };
            if self.try_end(number, &header, &content, &end).await? {
                self.counters.add_failed(FailureReason::Expired);
            }
            self.ended(header.id());
        }
        Ok(())
    }
}
