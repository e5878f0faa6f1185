//! Records leave by their age.

use std::rc::Rc;
use std::time::{Duration, Instant};

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
        let now = inner.now();
        let mut left = 0;
        let expired = inner.outbox.borrow().expired(now);
        for number in expired {
            match inner.expire(number).await {
                Ok(ended) => left += usize::from(ended),
                // The disk does not take it now.
                Err(_) => return,
            }
        }
        let outdated = inner.outbox.borrow().outdated(now);
        left += outdated.len();
        inner.forget(&outdated).await;
        // Those that the disk does not give are asked for in a minute.
        if left == 0 {
            return;
        }
    }
}

impl Inner {
    /// Returns whether it has left.
    async fn expire(&self, number: u64) -> Result<bool, WriteError> {
        if !self.outbox.borrow_mut().begin_leaving(number) {
            return Ok(false);
        }
        let Ok(Some(row)) = self.database.read(Space::Waiting, number).await else {
            self.outbox.borrow_mut().stay(number);
            return Ok(false);
        };
        let mut rest = row.as_slice();
        let read = row::read_header(&mut rest)
            .and_then(|header| row::read(&mut rest).map(|content| (header, content)));
        let Ok((header, content)) = read else {
            // It is kept: another gateway may read it.
            self.outbox.borrow_mut().withdraw(number);
            return Ok(true);
        };
        let at = self.clock.now();
        let reason = "expired".to_owned();
        let ending = Ending::Failed { reason };
        let end = End { at, ending };
        let ended = self.try_end(number, &header, &content, &end).await;
        let ended = ended.inspect_err(|_| self.outbox.borrow_mut().stay(number))?;
        if ended {
            self.counters.add_failed(FailureReason::Expired);
        }
        self.ended(header.id());
        Ok(ended)
    }
}
