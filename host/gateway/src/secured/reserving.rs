//! Sequence numbers of security contexts: reserved in the store before they are used (RFC 8613 Appendix B.1.1).

use std::time::Duration;

use secure::oscore::Reservation;

use crate::devices::Reserving;
use crate::dispatcher::{Completion, Dispatcher};

/// Until a write that has failed is repeated. Until then the device gets 5.03, or its observation ends.
const PAUSE: Duration = Duration::from_secs(1);

impl Dispatcher<'_> {
    /// Begins to store the reservations that contexts ask for.
    pub(crate) fn store_reservations(&mut self) {
        let contexts = &mut self.endpoint.protection_mut().contexts;
        let asked: Vec<_> = std::iter::from_fn(|| contexts.poll_reservation()).collect();
        self.store(asked);
    }

    /// Takes the result of a write; one that has failed is repeated.
    pub(crate) fn on_reserved(&mut self, mut reservations: Vec<Reservation>, is_stored: bool) {
        let contexts = &mut self.endpoint.protection_mut().contexts;
        if is_stored {
            for reservation in &reservations {
                contexts.reserved(reservation);
            }
        } else {
            reservations.retain(|reservation| contexts.is_current(reservation));
            self.store(reservations);
        }
    }

    /// The write is queued behind that of the contexts themselves, or has them with it.
    fn store(&mut self, reservations: Vec<Reservation>) {
        let Some(devices) = self.gateway.devices().filter(|_| !reservations.is_empty()) else {
            return;
        };
        for Reserving {
            reservations,
            write,
        } in devices.reserve(reservations)
        {
            self.pending.push(Box::pin(async move {
                let written = write.await;
                if let Err(error) = &written {
                    let devices = reservations.len();
                    tracing::warn!("{devices} devices wait for their sequence numbers: {error}");
                    tokio::time::sleep(PAUSE).await;
                }
                Completion::Reserved(reservations, written.is_ok())
            }));
        }
    }
}
