//! What a server keeps of one address.

use std::sync::Arc;
use std::time::Instant;

use share::Owner;

use super::connection::Connection;
use super::recorder::Claim;

/// Of one address and port: at least one of the two.
#[derive(Default)]
pub(super) struct Slot {
    pub(super) session: Option<Box<Session>>,
    pub(super) handshake: Option<Box<Handshake>>,
}

impl Slot {
    pub(super) fn is_empty(&self) -> bool {
        self.session.is_none() && self.handshake.is_none()
    }
}

/// A device that is authenticated.
pub(super) struct Session {
    pub(super) connection: Connection,
    pub(super) number: u64,
    pub(super) owner: Owner,
    pub(super) principal: Arc<str>,
    /// When a message came last.
    pub(super) used: Instant,
    /// When to look whether it is idle.
    pub(super) timer: Instant,
}

/// A device that has proven its address, and nothing else.
pub(super) struct Handshake {
    pub(super) connection: Connection,
    pub(super) number: u64,
    /// Bytes that it has sent.
    pub(super) received: usize,
    /// When the connection has work.
    pub(super) timer: Option<Instant>,
    /// Whose key it uses, once it has said so.
    pub(super) claim: Option<Claim>,
    /// Whose certificate it presented, once that is accepted.
    pub(super) certified: Option<Arc<str>>,
}
