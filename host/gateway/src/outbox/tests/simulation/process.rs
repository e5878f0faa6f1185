//! A process of the gateway: from its start to its end by a cut, a kill or nothing.

use std::sync::Arc;

use contract::DeliveryId;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use runtime::exchange::Delivered;
use store::database::{Database, Owner, Records};
use store::simulation::Disk;
use tokio::time::Instant;

use super::clock;
use super::network::Network;
use crate::outbox::calls::Calls;
use crate::outbox::contents::Contents;
use crate::outbox::deliveries::Deliveries;
use crate::outbox::{Restored, Status};
use crate::request::SnapshotCell;

/// A running gateway.
pub struct Process {
    pub deliveries: Deliveries,
    /// What the thread of the store would do.
    pub owner: Owner,
    pub pending: FuturesUnordered<LocalBoxFuture<'static, Done>>,
    pub restored: Restored,
}

/// Something that has ended.
pub enum Done {
    /// An exchange: the message, and which of its exchanges.
    Exchange(usize, usize, Delivered),
    /// Of this message.
    Status(usize, Option<(DeliveryId, Status)>),
    /// An attempt, or upkeep.
    Work,
    /// The operator has dropped a message, or made it wait again, or not.
    Dropped(usize, bool),
    Revived(usize, bool),
}

impl Process {
    /// Starts on the records of a disk.
    pub fn start(
        records: Records,
        snapshots: &Arc<SnapshotCell>,
        network: &Network,
        seed: u64,
    ) -> Self {
        let (contents, restored) =
            Contents::read(&records, snapshots, clock::clock(), seed).expect("the file is whole");
        let (database, owner) = Database::without_thread(records);
        let calls = Calls {
            simulated: Some(network.clone()),
        };
        let deliveries =
            Deliveries::new(contents, database, snapshots.clone(), clock::clock(), calls);
        Self {
            deliveries,
            owner,
            pending: FuturesUnordered::new(),
            restored,
        }
    }

    /// Ends without a last word.
    pub fn kill(self, disk: &Disk) {
        disk.end_process();
        drop(self);
    }

    /// As a turn of the event loop: begins what is due, and goes on as far as nothing waits.
    pub fn settle(&mut self) -> Vec<Done> {
        let mut done = Vec::new();
        loop {
            let now = Instant::now().into_std();
            self.deliveries.handle_timeout(now);
            if let Some(upkeep) = self.deliveries.upkeep(now) {
                self.pending.push(Box::pin(upkeep.map(|()| Done::Work)));
            }
            while let Some(work) = self.deliveries.next_work() {
                self.pending.push(Box::pin(work.map(|()| Done::Work)));
            }
            // Without the budget of a task, at whose end everything waits.
            let next = tokio::task::coop::unconstrained(self.pending.next());
            match next.now_or_never().flatten() {
                Some(ended) => done.push(ended),
                None => return done,
            }
        }
    }

    /// When something is due, if nothing else happens.
    pub fn next(&self) -> Option<Instant> {
        let times = [
            self.deliveries.next_timeout(),
            self.deliveries.next_upkeep(),
        ];
        let next = times.into_iter().flatten().min()?;
        Some(Instant::from_std(next))
    }
}
