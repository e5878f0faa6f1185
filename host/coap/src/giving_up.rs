//! Retransmissions, and the end of a message that its peer does not acknowledge (RFC 7252 §4.2). Giving it up ends that
//! message alone: the next one to the peer leaves.

use std::hash::Hash;
use std::time::Instant;

use crate::message::Token;
use crate::outbound::{Due, Outcome, Purpose};
use crate::peer::Peer;
use crate::reliability::Reliability;

impl<P: Clone + Eq + Hash> Reliability<P> {
    /// Handles one due timer. `ignores_responses`: whether a peer seems not to acknowledge separate responses. One to
    /// such a peer is not repeated while another message waits for it.
    pub(super) fn poll_due(
        &mut self,
        now: Instant,
        ignores_responses: impl Fn(&Peer<P>) -> bool,
    ) -> Option<Due<Peer<P>>> {
        let (timer, peer) = self
            .timers
            .first_key_value()
            .map(|(timer, peer)| (*timer, peer.clone()))?;
        if timer.0 > now {
            return None;
        }
        self.timers.remove(&timer);
        let outbound = self.peers.get(&peer)?;
        let gives_way = outbound.purpose.is_response()
            && !outbound.waiting.is_empty()
            && ignores_responses(&peer);
        if outbound.retransmissions >= self.max_retransmit || gives_way {
            let purpose = outbound.purpose;
            return Some(Due::Unacknowledged(peer, purpose));
        }
        let timer = self.set_timer(now + 2 * outbound.timeout, &peer);
        let outbound = self.peers.get_mut(&peer)?;
        outbound.retransmissions += 1;
        outbound.timeout *= 2;
        outbound.timer = timer;
        let (bytes, purpose) = (outbound.bytes.clone(), outbound.purpose);
        Some(Due::Retransmit(peer, bytes, purpose))
    }

    /// Drops the responses with this token, and returns their purposes; the next message leaves, see
    /// [`give_up`](Self::give_up).
    pub(super) fn drop_responses(
        &mut self,
        now: Instant,
        peer: &Peer<P>,
        token: Token,
        credit: usize,
    ) -> (Vec<Purpose>, Outcome) {
        let mut dropped = Vec::new();
        let Some(outbound) = self.peers.get_mut(peer) else {
            return (dropped, Outcome::default());
        };
        outbound.waiting.retain(|waiting| {
            let stays = !waiting.purpose.is_response() || waiting.held.token != token;
            if !stays {
                self.outstanding.forget(waiting.held);
                dropped.push(waiting.purpose);
            }
            stays
        });
        if !outbound.purpose.is_response() || outbound.held.token != token {
            return (dropped, Outcome::default());
        }
        let (given_up, outcome) = self.give_up(now, peer, credit);
        dropped.extend(given_up);
        (dropped, outcome)
    }

    /// Drops the current message of a peer, and a response that only a proof of the address would let repeat; the next
    /// one leaves. `credit`: bytes that may go to the peer; messages beyond them are dropped too, such as the last
    /// notification to an address that has proven nothing. Returns the purposes of those dropped.
    pub(super) fn give_up(
        &mut self,
        now: Instant,
        peer: &Peer<P>,
        mut credit: usize,
    ) -> (Vec<Purpose>, Outcome) {
        let Some(mut outbound) = self.remove(peer) else {
            return (Vec::new(), Outcome::default());
        };
        self.outstanding.forget(outbound.held);
        let mut dropped = vec![outbound.purpose];
        while outbound.is_before_repetition() {
            let Some(repetition) = outbound.waiting.pop_front() else {
                break;
            };
            self.outstanding.forget(repetition.held);
            dropped.push(repetition.purpose);
        }
        outbound.waiting.retain(|waiting| {
            let bytes = waiting.unsent_bytes();
            let stays = bytes <= credit;
            if stays {
                credit -= bytes;
            } else {
                self.outstanding.forget(waiting.held);
                dropped.push(waiting.purpose);
            }
            stays
        });
        (dropped, self.start(now, peer, outbound.waiting))
    }
}
