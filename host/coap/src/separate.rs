//! Separate responses (RFC 7252 §5.2.2) to peers that do not acknowledge them: Contiki-NG takes the empty ACK for the
//! end of an exchange, and CoAP-simple for Arduino takes the response for a request. Such a peer is remembered, and the
//! responses to its later requests are piggybacked as long as that may take.

use std::time::Duration;

use crate::endpoint::Endpoint;
use crate::outbound::Outbound;
use crate::peer::Peer;
use crate::peer_id::PeerId;
use crate::peer_table::Separate;
use crate::protection::MessageProtection;

impl<P: PeerId, X: MessageProtection<P>> Endpoint<P, X> {
    /// Time until the empty ACK for a request of this peer.
    pub(super) fn ack_delay(&self, peer: &Peer<P>) -> Duration {
        match self.peers.separate(peer.hash) {
            Separate::Taken => self.limits.ack_delay_for(&peer.id),
            Separate::Doubtful | Separate::Ignored => self.limits.ack_delay_max_for(&peer.id),
        }
    }

    /// The peer sends another request. If it left a separate response unacknowledged for a retransmission, it probably
    /// does not wait for that response: most clients have one request under way at a time, although an empty ACK allows
    /// them another one (NSTART, RFC 7252 §4.7). The next separate response that it acknowledges corrects a mistake.
    pub(super) fn note_unacknowledged(&mut self, peer: &Peer<P>) {
        let outbound = self.reliability.outbound(peer);
        let is_ignored =
            |outbound: &Outbound| outbound.purpose.is_response() && outbound.retransmissions > 0;
        if outbound.is_some_and(is_ignored) && self.peers.separate(peer.hash) == Separate::Taken {
            self.peers.set_separate(peer.hash, Separate::Doubtful);
        }
    }
}
