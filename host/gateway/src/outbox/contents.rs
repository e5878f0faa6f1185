//! The records of the store, read into memory.

use contract::clock::Clock;
use outbox::{Outbox, State};
use store::database::{ReadError, Records, Space};
use tokio::time::Instant;

use super::names::Names;
use super::row::{self, End, Header, RowError};
use super::users::Users;
use crate::request::SnapshotCell;
use crate::sessions::Table;

/// What was restored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Records that wait.
    pub waiting: usize,
    /// Records that have ended.
    pub ended: usize,
    /// Records that this gateway cannot read. They stay in the store.
    pub unreadable: usize,
}

/// The records of the store, in memory.
pub(super) struct Contents {
    pub(super) outbox: Outbox,
    pub(super) names: Names,
    pub(super) users: Users,
    pub(super) sessions: Table,
    /// The start of the outbox's clock.
    pub(super) epoch: Instant,
}

impl Contents {
    /// Reads all records. `seed`: of the pauses.
    ///
    /// # Errors
    /// The store's.
    pub(super) fn read(
        records: &Records,
        snapshots: &SnapshotCell,
        clock: Clock,
        seed: u64,
    ) -> Result<(Self, Restored), ReadError> {
        let epoch = Instant::now();
        let names = Names::default();
        let mut restored = Restored::default();
        let snapshot = snapshots.load().clone();
        let mut outbox = Outbox::new(snapshot.outbox.limits, seed);
        let networks = &snapshot.limits.coap.networks;
        for space in [Space::Waiting, Space::Ended] {
            records.scan(space, |number, row| match read(space, row) {
                Ok((header, ended)) => {
                    let origin = names.origin(&header.key(), networks);
                    let name = names.transaction(&header.key(), &origin);
                    let accepted = header.accepted(origin, name, row.len());
                    outbox.restore((epoch.elapsed(), clock.now()), number, &accepted, ended);
                    match ended.0 {
                        State::Waiting => restored.waiting += 1,
                        State::Sent | State::Failed => restored.ended += 1,
                    }
                }
                Err(error) => {
                    restored.unreadable += 1;
                    outbox.skip(number);
                    tracing::error!("delivery {number} in the store: {error}; it stays there");
                }
            })?;
        }
        let mut rows = Vec::new();
        records.scan(Space::Users, |token, row| rows.push((token, row.to_vec())))?;
        let users = Users::default();
        users.restore(rows);
        let contents = Self {
            outbox,
            names,
            users,
            sessions: Table::read(records)?,
            epoch,
        };
        Ok((contents, restored))
    }
}

/// What the outbox needs of a row.
fn read(space: Space, row: &[u8]) -> Result<(Header, (State, Option<u64>)), RowError> {
    let mut rest = row;
    let header: Header = row::read_header(&mut rest)?;
    Ok(match space {
        Space::Ended => {
            let end: End = row::read(&mut rest)?;
            (header, (end.ending.state(), end.at))
        }
        _ => (header, (State::Waiting, None)),
    })
}
