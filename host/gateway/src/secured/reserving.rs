//! Sequence numbers of security contexts: reserved in the store before they are used (RFC 8613 Appendix B.1.1).

use std::time::Duration;

use secure::oscore::Reservation;

use crate::dispatcher::{Completion, Dispatcher};

/// Until a write that has failed is repeated. Until then the device gets 5.03, or its observation ends.
const PAUSE: Duration = Duration::from_secs(1);
/// Reservations in one write. After a start, and after an import, every context asks for one: a write for each would
/// fill the queue of the store many times over.
const TOGETHER: usize = 256;

impl Dispatcher<'_> {
    /// Begins to store the reservations that contexts ask for.
    pub(crate) fn store_reservations(&mut self) {
        let contexts = &mut self.endpoint.protection_mut().contexts;
        let asked: Vec<Reservation> = std::iter::from_fn(|| contexts.poll_reservation()).collect();
        for together in asked.chunks(TOGETHER) {
            self.store_together(together.to_vec());
        }
    }

    /// Takes the result of a write; one that has failed is repeated.
    pub(crate) fn on_reserved(&mut self, mut reservations: Vec<Reservation>, is_stored: bool) {
        let contexts = &mut self.endpoint.protection_mut().contexts;
        if is_stored {
            reservations
                .iter()
                .for_each(|reservation| contexts.reserved(reservation));
        } else {
            reservations.retain(|reservation| contexts.is_current(reservation));
            self.store_together(reservations);
        }
    }

    /// The writes are queued behind those of the contexts themselves, or have them with them.
    fn store_together(&mut self, reservations: Vec<Reservation>) {
        let Some(devices) = self.gateway.devices() else {
            return;
        };
        for (reservations, write) in devices.reserve(reservations) {
            self.pending.push(Box::pin(async move {
                let written = write.await;
                if let Err(error) = &written {
                    let device = reservations.first().map_or("", |first| &*first.principal);
                    let others = reservations.len().saturating_sub(1);
                    tracing::warn!(
                        "device {device} and {others} others wait for their sequence numbers: {error}"
                    );
                    tokio::time::sleep(PAUSE).await;
                }
                Completion::Reserved(reservations, written.is_ok())
            }));
        }
    }
}
