//! The resource of a request.

use std::sync::Arc;

use runtime::Revision;

/// The resource that a request names.
#[derive(Clone)]
pub enum Resource {
    /// No resource of this gateway.
    Unknown,
    /// `/.well-known/core`.
    Discovery,
    /// `/.well-known/edhoc`.
    Handshake,
    /// `/sent/<id>`.
    Sent,
    /// A link of a rule, by its index.
    Link(Arc<Revision>, u16),
}
