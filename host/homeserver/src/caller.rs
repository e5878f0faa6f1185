//! The device that a call is made for.

use super::homeserver::Homeserver;
use contract::Peer;
use contract::secret::AccessToken;
use share::Owner;

/// The device that a call is made for.
#[derive(Clone)]
pub struct Caller {
    /// Its address counts for `token_peers`.
    pub peer: Peer,
    /// Whose share of the calls it uses.
    pub owner: Owner,
    /// Whether it has proven that it receives at its address: a datagram's source can be forged.
    pub is_proven: bool,
    /// The token that it presented.
    pub token: Option<AccessToken>,
    /// The homeserver that its Proxy-Uri names; none: the default one.
    pub requested: Option<Homeserver>,
}
