//! Requests to a group (RFC 7252 §8): never confirmable, and each response leaves at a random moment, so that the
//! members of a group do not all send at once.

use std::time::Instant;

use crate::code;
use crate::endpoint::Endpoint;
use crate::peer::Peer;
use crate::peer_id::PeerId;
use crate::protection::MessageProtection;

impl<P: PeerId, X: MessageProtection<P>> Endpoint<P, X> {
    /// Takes one datagram that came to a group's address. `peer` is the sender, and receives the unicast response. The
    /// endpoint ignores everything but non-confirmable requests (RFC 7252 §8.1), and sends neither errors nor empty
    /// responses (§8.2).
    pub fn handle_multicast(&mut self, now: Instant, peer: P, bytes: &[u8]) {
        self.counters.multicasts += 1;
        let type_and_code = (bytes.first().map(|first| (first >> 4) & 3), bytes.get(1));
        let is_request = match type_and_code {
            (Some(1), Some(code)) => code::is_request(*code),
            _ => false,
        };
        if is_request {
            self.receive(now, self.peer(peer), bytes, true);
        } else {
            self.counters.unexpected += 1;
        }
    }

    /// Sends a non-confirmable response: at once, or within the leisure if the request came to a group.
    pub(super) fn transmit_response(
        &mut self,
        now: Instant,
        peer: &Peer<P>,
        multicast: bool,
        bytes: Vec<u8>,
    ) {
        if !multicast {
            return self.transmit(peer, bytes);
        }
        let until = now + self.limits.leisure.mul_f64(self.secret.fraction());
        if !self.leisure.push(until, peer.clone(), bytes) {
            self.counters.multicast_responses_dropped += 1;
        }
    }
}
