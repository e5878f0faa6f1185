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

/// Reservations in one write. When the gateway starts, each context asks for one: thousands of writes would fill the
/// queue of the store, and each has a wait for the disk. A write of as many records of key pairs has 300 KB.
const MOST_IN_A_WRITE: usize = 1_000;

/// A write, and the reservations that it stores.
pub(crate) struct Reserving {
    pub(crate) reservations: Vec<Reservation>,
    pub(crate) write: LocalBoxFuture<'static, Result<(), WriteError>>,
}

impl Devices {
    /// Stores reservations of sequence numbers. Those of devices that are not enrolled any more are left out.
    pub(crate) fn reserve(&self, reservations: Vec<Reservation>) -> Vec<Reserving> {
        let table = self.0.table.borrow();
        let (mut enrolled, mut agreed) = (Vec::new(), Vec::new());
        for reservation in reservations {
            match table.get(&reservation.principal) {
                Some(device) if matches!(device.credential, Credential::Edhoc(_)) => {
                    agreed.push(reservation);
                }
                Some(device) => enrolled.push((device.number, reservation)),
                None => {}
            }
        }
        let enrolled = in_writes(enrolled).map(|numbered| {
            let mut batch = Batch::new();
            for (number, reservation) in &numbered {
                batch.put(Space::Numbers, *number, end(reservation));
            }
            Reserving {
                reservations: numbered
                    .into_iter()
                    .map(|(_, reservation)| reservation)
                    .collect(),
                write: Box::pin(self.0.database.commit(batch)),
            }
        });
        let agreed = in_writes(agreed).map(|reservations| Reserving {
            write: Box::pin(self.0.clone().store_agreed(reservations.clone())),
            reservations,
        });
        enrolled.chain(agreed).collect()
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

    /// Writes the records of devices with the contexts of these reservations, except of those that have another one by
    /// now. Operators' changes of the same records come before or after it.
    async fn store_agreed(
        self: Rc<Self>,
        reservations: Vec<Reservation>,
    ) -> Result<(), WriteError> {
        let _turn = self.turn.lock().await;
        let mut batch = Batch::new();
        for reservation in &reservations {
            self.put_agreed(&mut batch, reservation);
        }
        if batch.is_empty() {
            return Ok(());
        }
        self.database.commit(batch).await
    }

    fn put_agreed(&self, batch: &mut Batch, reservation: &Reservation) {
        let table = self.table.borrow();
        let device = table.get(&reservation.principal);
        let Some(device) =
            device.filter(|device| device.credential.context() == Some(reservation.kid))
        else {
            return;
        };
        let row = Row {
            name: reservation.principal.to_string(),
            enrolled: device.enrolled,
            credential: device.credential.clone(),
        };
        batch.put(Space::Devices, device.number, row.encode());
        batch.put(Space::Numbers, device.number, end(reservation));
    }
}

/// In pieces of [`MOST_IN_A_WRITE`].
fn in_writes<T>(all: Vec<T>) -> impl Iterator<Item = Vec<T>> {
    let mut all = all.into_iter();
    std::iter::from_fn(move || {
        let piece: Vec<T> = all.by_ref().take(MOST_IN_A_WRITE).collect();
        (!piece.is_empty()).then_some(piece)
    })
}

fn end(reservation: &Reservation) -> Vec<u8> {
    reservation.end.to_be_bytes().to_vec()
}
