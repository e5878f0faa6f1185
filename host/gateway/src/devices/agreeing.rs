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
use super::row::Row;

impl Devices {
    /// Stores a reservation of sequence numbers. None if its device is not enrolled any more.
    pub(crate) fn reserve(
        &self,
        reservation: &Reservation,
    ) -> Option<LocalBoxFuture<'static, Result<(), WriteError>>> {
        let table = self.0.table.borrow();
        let device = table.get(&reservation.principal)?;
        if matches!(device.credential, Credential::Edhoc(_)) {
            return Some(Box::pin(self.0.clone().store_agreed(reservation.clone())));
        }
        let mut batch = Batch::new();
        batch.put(Space::Numbers, device.number, end(reservation));
        Some(Box::pin(self.0.database.commit(batch)))
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
    /// Puts a stored context into effect. `stored_end`: of its sequence numbers. They are written in one step; without
    /// them the context must not be used.
    pub(super) fn insert_agreed(&self, name: &Arc<str>, keys: &EdhocKeys, stored_end: u64) {
        if let Some(parameters) = keys.context.clone().filter(|_| stored_end > 0) {
            let name = name.clone();
            self.push(Change::Context {
                name,
                parameters,
                stored_end,
            });
        }
    }

    /// Writes the record of a device with the context of this reservation, unless it has another one by now. Operators'
    /// changes of the same record come before or after it.
    async fn store_agreed(self: Rc<Self>, reservation: Reservation) -> Result<(), WriteError> {
        let _turn = self.turn.lock().await;
        let Some(batch) = self.agreed(&reservation) else {
            return Ok(());
        };
        self.database.commit(batch).await
    }

    fn agreed(&self, reservation: &Reservation) -> Option<Batch> {
        let table = self.table.borrow();
        let device = table.get(&reservation.principal)?;
        if device.credential.context() != Some(reservation.kid) {
            return None;
        }
        let row = Row {
            name: reservation.principal.to_string(),
            enrolled: device.enrolled,
            credential: device.credential.clone(),
        };
        let mut batch = Batch::new();
        batch.put(Space::Devices, device.number, row.encode());
        batch.put(Space::Numbers, device.number, end(reservation));
        Some(batch)
    }
}

fn end(reservation: &Reservation) -> Vec<u8> {
    reservation.end.to_be_bytes().to_vec()
}
