//! A context in the table of a gateway.

use std::sync::Arc;
use std::time::Instant;

use super::context::Context;
use super::identifier::Identifier;
use super::reservation::{ContextId, Reservation};

/// A context, and whose it is.
pub(super) struct Entry {
    pub(super) id: ContextId,
    pub(super) principal: Arc<str>,
    pub(super) expires: Option<Instant>,
    pub(super) context: Context,
}

impl Entry {
    /// What the store has to get, if anything.
    pub(super) fn reservation(&mut self, kid: Identifier) -> Option<Reservation> {
        self.context.poll_reservation().map(|end| Reservation {
            context: self.id,
            kid,
            principal: self.principal.clone(),
            end,
            used: self.context.usage.reserved(),
        })
    }
}
