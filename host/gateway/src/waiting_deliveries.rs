//! The event loop's part in deliveries that wait: it begins their attempts, and moves on when they have ended.

use std::time::Instant;

use crate::dispatcher::{Completion, Dispatcher};

impl Dispatcher<'_> {
    /// Begins the attempts of deliveries whose turn it is. When the gateway stops it begins none: they wait for the
    /// next start.
    pub(crate) fn deliver(&mut self, now: Instant) {
        let Some(deliveries) = self.gateway.deliveries().filter(|_| !self.draining) else {
            return;
        };
        deliveries.handle_timeout(now);
        if let Some(upkeep) = deliveries.upkeep(now) {
            self.pending.push(Box::pin(async move {
                upkeep.await;
                Completion::Delivery
            }));
        }
        while let Some(work) = deliveries.next_work() {
            self.pending.push(Box::pin(async move {
                work.await;
                Completion::Delivery
            }));
        }
    }

    /// When deliveries need a turn.
    pub(crate) fn next_delivery(&self) -> Option<Instant> {
        let deliveries = self.gateway.deliveries().filter(|_| !self.draining)?;
        let times = [deliveries.next_timeout(), deliveries.next_upkeep()];
        times.into_iter().flatten().min()
    }
}
