//! What an endpoint has found out about a peer.

use std::time::Instant;

use crate::endpoint::Endpoint;
use crate::peer_id::PeerId;
use crate::peer_table::Separate;
use crate::protection::MessageProtection;

/// What an endpoint has found out about a peer, as long as it remembers it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeerFacts {
    /// Whether it has proven that it receives at its address, see [`Endpoint::is_proven`].
    pub is_proven: bool,
    /// Bytes of the block that it asked for or sent last, within the last hour.
    pub block_size: Option<usize>,
    /// Whether it left a separate response unacknowledged (RFC 7252 §5.2.2), and has acknowledged none since.
    pub ignores_responses: bool,
}

impl<P: PeerId, X: MessageProtection<P>> Endpoint<P, X> {
    /// What the endpoint has found out about a peer; nothing if it has forgotten it.
    pub fn facts(&self, now: Instant, peer: &P) -> PeerFacts {
        let peer = self.peer(peer.clone());
        let block = self.peers.block_exponent(now, peer.hash);
        PeerFacts {
            is_proven: self.is_peer_proven(now, &peer),
            block_size: block.map(|exponent| 16 << exponent),
            ignores_responses: self.peers.separate(peer.hash) != Separate::Taken,
        }
    }
}
