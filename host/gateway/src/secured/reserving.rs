//! Sequence numbers of security contexts: reserved in the store before they are used (RFC 8613 Appendix B.1.1).

use std::time::Duration;

use secure::oscore::Reservation;

use crate::dispatcher::{Completion, Dispatcher};

/// Until a write that has failed is repeated. Until then the device gets 5.03, or its observation ends.
const PAUSE: Duration = Duration::from_secs(1);

impl Dispatcher<'_> {
    /// Begins to store the reservations that contexts ask for.
    pub(crate) fn store_reservations(&mut self) {
        while let Some(reservation) = self.endpoint.protection_mut().contexts.poll_reservation() {
            self.store_reservation(reservation);
        }
    }

    /// Takes the result of a write; one that has failed is repeated.
    pub(crate) fn on_reserved(&mut self, reservation: Reservation, is_stored: bool) {
        if is_stored {
            self.endpoint
                .protection_mut()
                .contexts
                .reserved(&reservation);
        } else if self.endpoint.protection().contexts.is_current(&reservation) {
            self.store_reservation(reservation);
        }
    }

    /// The write is queued behind that of the context itself, or has it with it.
    fn store_reservation(&mut self, reservation: Reservation) {
        let devices = self.gateway.devices();
        let Some(write) = devices.and_then(|devices| devices.reserve(&reservation)) else {
            return;
        };
        self.pending.push(Box::pin(async move {
            let written = write.await;
            if let Err(error) = &written {
                let device = &reservation.principal;
                tracing::warn!("device {device} waits for its sequence numbers: {error}");
                tokio::time::sleep(PAUSE).await;
            }
            Completion::Reserved(reservation, written.is_ok())
        }));
    }
}
