//! Failed deliveries wait again, because their device or an operator asks for it.

use futures_util::future::join_all;
use outbox::{Accepted, RecordNumber, State};
use store::database::{Batch, ReadError, Space, WriteError};

use super::deliveries::Inner;
use super::row::{self, RowError, Whole};

/// What became of failed deliveries.
#[derive(Default)]
pub(super) struct Revived {
    /// So many wait again.
    pub(super) count: usize,
    /// Why another one does not: the first reason.
    pub(super) not: Option<NotRevived>,
}

/// A failed delivery does not wait again.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotRevived {
    /// It is not there, or has not failed.
    #[error("it has not failed, or has left meanwhile")]
    Gone,
    /// There is no room.
    #[error(
        "the outbox, or its device's share of it, is full; it can wait again when others have left"
    )]
    Full,
    /// Its record is damaged.
    #[error("its record cannot be read: {0}; `comatrix-gateway outbox drop` removes it")]
    Unreadable(#[from] RowError),
    /// The disk does not give its record.
    #[error("its record cannot be read: {0}")]
    Read(#[from] ReadError),
    /// The disk does not take its record.
    #[error("it cannot be stored: {0}")]
    Disk(#[from] WriteError),
}

/// A delivery on its way back.
struct Reviving {
    /// Its number as a failed one, and what the outbox had of it.
    failed: RecordNumber,
    accepted: Accepted,
    ended_at: Option<u64>,
    /// Its number from now on.
    again: RecordNumber,
}

impl Inner {
    /// Failed deliveries wait again, in this order; all of them are one batch of the store, so the caller bounds their
    /// number.
    pub(super) async fn revive(&self, numbers: &[RecordNumber]) -> Revived {
        let rows = numbers
            .iter()
            .map(|number| self.database.read(Space::Ended, *number));
        let rows = join_all(rows).await;
        let mut batch = Batch::new();
        let mut revived = Revived::default();
        let mut reviving = Vec::new();
        for (number, row) in numbers.iter().zip(rows) {
            match row
                .map_err(NotRevived::from)
                .and_then(|row| self.begin_revival(*number, row, &mut batch))
            {
                Ok(one) => reviving.push(one),
                Err(error) => revived.not = revived.not.or(Some(error)),
            }
        }
        if reviving.is_empty() {
            return revived;
        }
        match self.commit(batch).await {
            Ok(()) => {
                let mut outbox = self.outbox.borrow_mut();
                reviving.iter().for_each(|one| outbox.stored(one.again));
                revived.count = reviving.len();
                self.changed.notify_one();
            }
            Err(error) => {
                reviving.iter().for_each(|one| self.undo_revival(one));
                revived.not = Some(error.into());
            }
        }
        revived
    }

    fn begin_revival(
        &self,
        number: RecordNumber,
        row: Option<Vec<u8>>,
        batch: &mut Batch,
    ) -> Result<Reviving, NotRevived> {
        let before = row.ok_or(NotRevived::Gone)?;
        let Whole {
            mut header,
            end,
            content,
        } = Whole::read(Space::Ended, &before)?;
        let content = content.ok_or(NotRevived::Gone)?;
        let origin = self.origin(&header.key());
        let name = self.names.transaction(&header.key(), &origin);
        let accepted = header.accepted(origin, name, before.len());
        let at = self.clock.now();
        header.revived_at = at;
        // Also after a restart: the homeserver may have it, and may have forgotten its transaction id.
        header.attempted = true;
        let row = row::waiting(&header, &content);
        let mut outbox = self.outbox.borrow_mut();
        let has_failed = outbox
            .get(number)
            .is_some_and(|record| record.state == State::Failed);
        if !has_failed {
            return Err(NotRevived::Gone);
        }
        let again = outbox
            .revive(self.now(), number, row.len())
            .ok_or(NotRevived::Full)?;
        batch.delete(Space::Ended, number);
        batch.put(Space::Waiting, again, row);
        Ok(Reviving {
            failed: number,
            accepted,
            ended_at: end.and_then(|end| end.at),
            again,
        })
    }

    /// It has failed, as the store still says.
    fn undo_revival(&self, one: &Reviving) {
        let mut outbox = self.outbox.borrow_mut();
        outbox.withdraw(one.again);
        let failed = (State::Failed, one.ended_at);
        outbox.restore(
            (self.now(), self.clock.now()),
            one.failed,
            &one.accepted,
            failed,
        );
    }
}
