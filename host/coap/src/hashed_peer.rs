//! A peer whose hashes a caller needs before the endpoint takes its datagram.

use std::time::Instant;

use crate::endpoint::Endpoint;
use crate::peer::Peer;
use crate::peer_id::PeerId;
use crate::protection::MessageProtection;
use share::Owner;

/// A peer with its keyed hashes of one endpoint: [`Endpoint::hashed`].
#[derive(Clone, Copy, Debug)]
pub struct HashedPeer<P>(Peer<P>);

impl<P> HashedPeer<P> {
    /// The peer.
    pub fn into_id(self) -> P {
        self.0.id
    }

    /// The peer, to look at.
    pub fn id(&self) -> &P {
        &self.0.id
    }

    /// The holder of all that the endpoint keeps for the peer, see [`Endpoint::owner_of`].
    pub fn owner(&self) -> Owner {
        self.0.owner
    }
}

impl<P: PeerId, X: MessageProtection<P>> Endpoint<P, X> {
    /// Hashes a peer, for [`handle_datagram_of`](Self::handle_datagram_of).
    pub fn hashed(&self, peer: P) -> HashedPeer<P> {
        HashedPeer(self.peer(peer))
    }

    /// As [`handle_datagram`](Self::handle_datagram), without hashing the peer once more.
    pub fn handle_datagram_of(&mut self, now: Instant, peer: HashedPeer<P>, bytes: &[u8]) {
        self.receive(now, peer.0, bytes, false);
    }
}
