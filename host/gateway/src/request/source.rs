//! A request of a device, as the gateway gets it.

use std::net::SocketAddr;

use coap::PeerFacts;
use contract::Peer;
use share::Owner;

/// A whole request, with its source and destination. It observes only if there is room for an observation.
pub type Request = coap::Request<Source>;

/// Where a request came from.
pub struct Source {
    /// The device.
    pub device: Peer,
    /// Whose share of what hosts have in common it uses.
    pub owner: Owner,
    /// What the endpoint has found out about it.
    pub facts: PeerFacts,
    /// The secured session that it came through; none on plain CoAP.
    pub session: Option<SecuredSession>,
    /// The gateway's address and port that the device sent it to. None if the system does not say.
    pub local: Option<SocketAddr>,
}

/// A secured session. No two have the same number while the gateway runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecuredSession {
    /// A session of DTLS.
    Dtls(u64),
    /// A security context of OSCORE.
    Context(u64),
}
