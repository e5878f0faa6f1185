//! Security contexts that devices make by EDHOC, and sequence numbers of all contexts: in the store.
//!
//! A context is used as soon as both sides have agreed on it: the device has sent its first request with it (RFC 9668).
//! Its record and the end of its first block of sequence numbers are written in one step, and each later end together
//! with the record. So after a restart there is either no trace of it, and its secret is never used again, or it goes
//! on behind all numbers that may have been used, with its replay window lost (RFC 8613 Appendix B.1). A device whose
//! context is gone gets 4.01 and runs EDHOC again.

use std::rc::Rc;
use std::sync::Arc;

use futures_util::future::LocalBoxFuture;
use secure::edhoc::Agreed;
use secure::oscore::{Identifier, Reservation};
use store::database::{Batch, Space, WriteError};

use super::change::Change;
use super::credential::Credential;
use super::edhoc_keys::EdhocKeys;
use super::enrolled::{Devices, Inner};
use super::numbers::Numbers;
use super::row::Row;

/// Reservations that one write stores, and its outcome.
type Write = (
    Vec<Reservation>,
    LocalBoxFuture<'static, Result<(), WriteError>>,
);

impl Devices {
    /// Stores reservations of sequence numbers, all of them together; those of contexts of EDHOC with the contexts.
    /// Those of devices that are not enrolled any more are left out.
    pub(crate) fn reserve(&self, reservations: Vec<Reservation>) -> Vec<Write> {
        let mut batch = Batch::new();
        let (mut agreed, mut enrolled) = (Vec::new(), Vec::new());
        let table = self.0.table.borrow();
        for reservation in reservations {
            let Some(device) = table.get(&reservation.principal) else {
                continue;
            };
            if matches!(device.credential, Credential::Edhoc(_)) {
                agreed.push(reservation);
            } else {
                let numbers = Numbers::from(&reservation).encode();
                batch.put(Space::Numbers, device.number, numbers);
                enrolled.push(reservation);
            }
        }
        let mut writes: Vec<Write> = Vec::new();
        if !enrolled.is_empty() {
            writes.push((enrolled, Box::pin(self.0.database.commit(batch))));
        }
        if !agreed.is_empty() {
            let stored = self.0.clone().store_agreed(agreed.clone());
            writes.push((agreed, Box::pin(stored)));
        }
        writes
    }

    /// The device has this context from now on; its first reservation stores it. Returns the `kid` of the context to
    /// remove: the former one, or this one if there is no such device.
    pub(crate) fn agree(&self, agreed: Agreed) -> Option<Identifier> {
        let mut table = self.0.table.borrow_mut();
        let device = table.get_mut(&agreed.principal);
        match device.map(|device| &mut device.credential) {
            Some(Credential::Edhoc(keys)) => {
                let former = keys.context.replace(agreed.parameters);
                former.map(|former| former.recipient_id)
            }
            _ => Some(agreed.kid()),
        }
    }
}

impl Inner {
    /// Puts a stored context into effect. `numbers`: those of the store. They are written in one step; without
    /// them the context must not be used.
    pub(super) fn insert_agreed(&self, name: &Arc<str>, keys: &EdhocKeys, numbers: Numbers) {
        if let Some(parameters) = keys.context.clone().filter(|_| numbers.end > 0) {
            let name = name.clone();
            self.push(Change::Context {
                name,
                parameters,
                numbers,
            });
        }
    }

    /// Writes the records of devices with the contexts of these reservations, unless they have others by now.
    /// Operators' changes of the same records come before or after it.
    async fn store_agreed(
        self: Rc<Self>,
        reservations: Vec<Reservation>,
    ) -> Result<(), WriteError> {
        let _turn = self.turn.lock().await;
        let mut batch = Batch::new();
        reservations
            .iter()
            .for_each(|reservation| self.add_agreed(reservation, &mut batch));
        if batch.is_empty() {
            return Ok(());
        }
        self.database.commit(batch).await
    }

    fn add_agreed(&self, reservation: &Reservation, batch: &mut Batch) {
        let table = self.table.borrow();
        let Some(device) = table.get(&reservation.principal) else {
            return;
        };
        if device.credential.context() != Some(reservation.kid) {
            return;
        }
        let row = Row {
            name: reservation.principal.to_string(),
            enrolled: device.enrolled,
            credential: device.credential.clone(),
        };
        batch.put(Space::Devices, device.number, row.encode());
        let numbers = Numbers::from(reservation).encode();
        batch.put(Space::Numbers, device.number, numbers);
    }
}
