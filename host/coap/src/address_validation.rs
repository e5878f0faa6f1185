//! What an endpoint does about addresses that may be spoofed (RFC 9175): bounds what it sends to them, and lets peers prove
//! theirs.
//!
//! A proof is an answer to what only the peer can have received: the ACK or RST of a confirmable message, whose ID is not
//! predictable, or a fresh Echo value. A request for a later block proves nothing: who sends the first one blindly can send
//! the second one too.
//!
//! PROBING_RATE (RFC 7252 §4.7) bounds what is sent to a peer that never answers. Whatever a server sends answers a request, so
//! here the bound is on bytes: what the peer sent, three times. Beyond it no retransmission leaves, but a ping, until the peer
//! has answered one. For notifications there is [`Endpoint::is_proven`].

use std::fmt::Debug;
use std::hash::Hash;
use std::time::Instant;

use super::allowance;
use super::block::Block;
use super::code;
use super::endpoint::Endpoint;
use super::exchange::RequestMeta;
use super::message::Message;
use super::option::ECHO;
use super::peer::Peer;
use super::problem;
use super::receive::Way;
use super::reliability::Purpose;
use super::response_constraints::ResponseConstraints;

/// Bytes of an empty message (RFC 7252 §3).
const EMPTY_BYTES: usize = 4;
/// What a separate answer leaves of the allowance: the empty ACK that has left, a ping that may follow, and its repeat.
const BESIDE_SEPARATE: usize = 3 * EMPTY_BYTES;

impl<P: Copy + Eq + Hash + Debug> Endpoint<P> {
    /// How a request wants to be answered, and how it may be.
    pub(super) fn terms(
        &mut self,
        now: Instant,
        peer: Peer<P>,
        request: &Message,
        way: Way,
    ) -> ResponseConstraints {
        if let Some(value) = request.option(ECHO)
            && self.echo.is_fresh(now, &peer, value)
        {
            self.prove(now, peer);
        }
        let allowance = self.known.allowance(now, peer.hash, way.wire_bytes);
        ResponseConstraints::of(request, way.multicast, allowance)
    }

    /// The peer has shown that it receives what is sent to it.
    pub(super) fn prove(&mut self, now: Instant, peer: Peer<P>) {
        if !self.known.is_proven(now, peer.hash) {
            self.counters.proofs += 1;
            self.observations.proven(&peer);
        }
        self.known.prove(now, peer.hash);
    }

    /// Whether the peer's address is proven: a notification to one that is not must be confirmable (RFC 9175 §2.4).
    pub fn is_proven(&mut self, now: Instant, peer: P) -> bool {
        let peer = Peer::new(peer, &self.secret);
        self.known.is_proven(now, peer.hash)
    }

    /// 4.01 with a value to send back (RFC 9175 §2.3).
    pub(super) fn challenge(&mut self, now: Instant, peer: &Peer<P>) -> Message {
        self.counters.challenges += 1;
        let value = self.echo.value(now, peer);
        Message::new(code::UNAUTHORIZED).with_option(ECHO, value)
    }

    /// An error in the form that the client asked for.
    pub(super) fn as_wanted(&self, arrival: &RequestMeta<P>, response: Message) -> Message {
        if arrival.terms.problem_details {
            problem::from_diagnostic(response)
        } else {
            response
        }
    }

    /// The response so that it fits into the peer's allowance, and the block of it that is to leave.
    pub(super) fn within_allowance(
        &mut self,
        arrival: &RequestMeta<P>,
        acknowledged: bool,
        wanted: Option<Block>,
        mut response: Message,
    ) -> (Message, Option<Block>) {
        let ResponseConstraints { mut allowance, .. } = arrival.terms;
        if allowance == usize::MAX {
            return (response, wanted);
        }
        if acknowledged {
            allowance = allowance.saturating_sub(BESIDE_SEPARATE);
        }
        match allowance::fit(allowance, arrival.token, wanted, &mut response) {
            Ok(wanted) => (response, wanted),
            Err(allowance::TooLarge) => (self.challenge(arrival.at, &arrival.peer), None),
        }
    }

    /// A retransmission, unless the peer has had its bytes. Then an answer waits until the peer has proven its address, which
    /// takes four bytes: the device may be there, and the answer is what was lost.
    pub(super) fn retransmit(
        &mut self,
        now: Instant,
        peer: Peer<P>,
        bytes: Vec<u8>,
        owner: Purpose,
    ) {
        // Nothing of an observation leaves before the peer's address was proven.
        let is_notification = matches!(owner, Purpose::Notification(_));
        if is_notification || self.known.may_repeat(now, peer.hash, bytes.len()) {
            self.counters.retransmissions += 1;
            return self.transmit(peer, bytes);
        }
        self.counters.retransmissions_withheld += 1;
        if owner != Purpose::Proof && self.known.may_repeat(now, peer.hash, EMPTY_BYTES) {
            let outcome = self.reliability.prove_before(now, peer);
            self.proceed(now, peer, outcome);
        }
    }
}
