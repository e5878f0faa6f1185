//! What a handshake has led to.

use std::sync::Arc;

use crate::oscore::{Identifier, Parameters};

/// A device has proven its key, and has a security context with the gateway.
///
/// The context is in the table already, and may be used at once. It must be stored together with its first
/// [`Reservation`](crate::oscore::Reservation), in one step: after a restart there is either no trace of it, and its
/// secret is never used again, or its sequence numbers go on behind those that may have been used.
#[derive(Debug)]
pub struct Agreed {
    /// The device.
    pub principal: Arc<str>,
    /// The context (RFC 9528 Appendix A.1). Its identifiers are C_I and C_R.
    pub parameters: Parameters,
}

impl Agreed {
    /// C_R: the `kid` of the device's requests.
    #[must_use]
    pub fn kid(&self) -> Identifier {
        self.parameters.recipient_id
    }
}
