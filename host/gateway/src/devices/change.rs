//! What a command of an operator means to the sessions and security contexts of devices.

use std::sync::Arc;

use secure::edhoc::Identity;
use secure::oscore::{Identifier, Parameters};

use super::numbers::Numbers;

/// A change that the event loop has to apply.
#[derive(Debug)]
pub(crate) enum Change {
    /// A device has a key or a certificate for sessions from now on.
    Enrolled,
    /// A device has a security context from now on.
    Context {
        name: Arc<str>,
        parameters: Parameters,
        /// What the store has of it.
        numbers: Numbers,
    },
    /// The gateway has this key pair from now on.
    Identity(Identity),
    /// The credentials of this device have changed or are gone: its sessions and its security context end.
    Revoked {
        name: Arc<str>,
        /// Of its security context.
        kid: Option<Identifier>,
    },
}
