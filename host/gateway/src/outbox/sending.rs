//! The exchange of a delivery, as the request's side of the gateway passes it.

use std::sync::Arc;
use std::time::Duration;

use homeserver::Caller;
use tokio::time::Instant;

use crate::request::Snapshot;

/// The datagram that a delivery came with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Received {
    /// Digest of all that makes two datagrams one message (RFC 7252 §4.5).
    pub(crate) digest: [u8; 16],
    /// The lifetime of its message ID.
    pub(crate) lifetime: Duration,
    /// Whether the same one has made the homeserver act before: then this gateway, or the one before a restart, may
    /// have attempted its delivery.
    pub(crate) is_repeated: bool,
}

/// The exchange of a delivery.
pub(crate) struct Sending<'a> {
    pub(crate) snapshot: &'a Arc<Snapshot>,
    pub(crate) caller: &'a Caller,
    pub(crate) rule: &'a str,
    pub(crate) received: Received,
    /// Of the exchange.
    pub(crate) deadline: Instant,
}
