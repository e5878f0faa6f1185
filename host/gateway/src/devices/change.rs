//! What a command of an operator means to the sessions of devices.

use std::sync::Arc;

/// A change that the event loop has to apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// A device may open sessions from now on.
    Enrolled,
    /// The credentials of this device have changed or are gone: its sessions end.
    Revoked(Arc<str>),
}
