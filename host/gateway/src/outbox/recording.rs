//! Records enter the store, end, and leave it.

use std::rc::Rc;
use std::time::Duration;

use outbox::{RecordNumber, State};
use store::database::{Batch, Space, WriteError};

use super::deliveries::Inner;
use super::row::{self, Content, End, Header};
use super::turns::TurnGuard;
use super::unrecorded;

/// Until the end of a delivery is recorded again that the disk has not taken. The operator is making room.
const RECORDED_AGAIN: Duration = Duration::from_secs(5);

/// A delivery that is not stored.
pub(super) enum NotAccepted {
    /// The outbox is full, or the host has its share of it.
    Full,
    /// The disk did not take it. It keeps its place in its lane until this is dropped: while its attempt is in flight,
    /// those of its device that came later must not be sent before it.
    Disk(Unstored),
}

/// The place of a delivery that the disk did not take.
pub(super) struct Unstored {
    inner: Rc<Inner>,
    number: RecordNumber,
}

impl Drop for Unstored {
    fn drop(&mut self) {
        self.inner.outbox.borrow_mut().withdraw(self.number);
        self.inner.changed.notify_one();
    }
}

impl Inner {
    /// Takes a delivery over: when this is `Ok`, it is on the disk. `began`: of an attempt in flight. `turn`: the
    /// next message of the device has it as soon as this one has its place.
    pub(super) async fn accept(
        self: &Rc<Self>,
        header: &Header,
        content: &Content,
        began: Option<Duration>,
        turn: &mut Option<TurnGuard>,
    ) -> Result<RecordNumber, NotAccepted> {
        let row = row::waiting(header, content);
        let key = header.key();
        let origin = self.origin(&key);
        let name = self.names.transaction(&key, &origin);
        let accepted = header.accepted(origin, name, row.len());
        let number = self
            .outbox
            .borrow_mut()
            .accept(self.now(), &accepted, began)
            .map_err(|_| {
                self.counters.refused.add();
                NotAccepted::Full
            })?;
        drop(turn.take());
        let mut batch = Batch::new();
        let unrecorded = self.unrecorded.add_to(&mut batch);
        batch.put(Space::Waiting, number, row);
        match self.commit(batch).await {
            Ok(()) => {
                self.unrecorded.leave(&unrecorded);
                self.outbox.borrow_mut().stored(number);
                self.counters.accepted.add();
                if began.is_some() {
                    self.counters.attempts.add();
                }
                self.changed.notify_one();
                Ok(number)
            }
            Err(_) => Err(NotAccepted::Disk(Unstored {
                inner: self.clone(),
                number,
            })),
        }
    }

    /// A delivery has ended: its record is replaced by a smaller one. If others of its lane wait, this waits for the
    /// disk, also for one that is full: after a restart only the oldest of a lane can have been attempted. The last one
    /// need not: the next record that is accepted takes this change with it to the disk. Returns whether it waited
    /// until now.
    pub(super) async fn end(
        &self,
        number: RecordNumber,
        header: &Header,
        content: &Content,
        end: &End,
    ) -> bool {
        loop {
            match self.try_end(number, header, content, end).await {
                Ok(waited) => return waited,
                // After the restart it is attempted again, with its own transaction id.
                Err(WriteError::Closed) => return false,
                Err(_) => tokio::time::sleep(RECORDED_AGAIN).await,
            }
        }
    }

    /// The same; if the disk does not take it, the delivery still waits.
    pub(super) async fn try_end(
        &self,
        number: RecordNumber,
        header: &Header,
        content: &Content,
        end: &End,
    ) -> Result<bool, WriteError> {
        let state = end.ending.state();
        let content = (state == State::Failed).then_some(content);
        let row = row::ended(header, end, content);
        let bytes = row.len();
        let is_last = || !self.outbox.borrow().has_next(number);
        let mut batch = Batch::new();
        unrecorded::record(&mut batch, number, row.clone());
        let recorded = match is_last() {
            true => self.commit_unsynced(batch).await,
            false => self.commit(batch).await,
        };
        match recorded {
            Ok(()) => {}
            Err(WriteError::Closed) => return Err(WriteError::Closed),
            Err(_) if is_last() && self.unrecorded.add(number, &row) => {}
            Err(error) => return Err(error),
        }
        let surplus = {
            let mut outbox = self.outbox.borrow_mut();
            if !outbox.ended(self.now(), end.at, number, state, bytes) {
                return Ok(false);
            }
            outbox.surplus(number)
        };
        if let Some(surplus) = surplus {
            self.forget(&[surplus]).await;
        }
        Ok(true)
    }

    /// Records the ends that the disk has not taken.
    pub(super) async fn record_ends(&self) {
        let mut batch = Batch::new();
        let numbers = self.unrecorded.add_to(&mut batch);
        if !batch.is_empty() && self.commit_unsynced(batch).await.is_ok() {
            self.unrecorded.leave(&numbers);
        }
    }

    /// Records that have ended leave.
    pub(super) async fn forget(&self, numbers: &[RecordNumber]) {
        let mut batch = Batch::new();
        for number in numbers {
            if self.outbox.borrow_mut().drop(*number) {
                batch.delete(Space::Waiting, *number);
                batch.delete(Space::Ended, *number);
            }
        }
        self.unrecorded.leave(numbers);
        if !batch.is_empty() {
            // If it fails, they leave after the next start.
            let _ = self.commit(batch).await;
        }
    }
}
