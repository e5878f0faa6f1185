//! Responses that wait for a proof of their peer's address. One that does not fit into the bytes that an unproven
//! address may get (RFC 9175 §2.4) waits for the RST of a ping, a second at most: the device gets it in full. Then as
//! much of it leaves as fits.

use std::hash::Hash;
use std::time::{Duration, Instant};

use crate::allowance;
use crate::endpoint::Endpoint;
use crate::exchange::{Ack, Exchange, ExchangeId, Exchanges, HeldResponse};
use crate::fitting::beside_empty_messages;
use crate::message::Message;
use crate::observation::Begun;
use crate::peer::Peer;
use crate::peer_id::PeerId;
use crate::protection::MessageProtection;

/// How long a response waits: a round trip in a mesh of several hops, and less than the 2 s after which clients
/// retransmit their request.
const PROOF_DELAY: Duration = Duration::from_secs(1);

/// Responses that wait in all: as many as requests that wait for a proof. Above, one leaves at once with what fits, so
/// that forged requests do not take the places of exchanges. A hundred new devices a second need a hundred.
const MOST: usize = 1024;
/// Their bytes in all, for the same reason: a quarter of what the endpoint holds by default, and eight of the largest.
const MOST_BYTES: usize = 8 * 1024 * 1024;

impl<P: Clone + Eq + Hash, C> Exchanges<P, C> {
    /// Whether this response may wait for a proof.
    fn may_hold(&self, response: &Message) -> bool {
        self.proof_deadlines.len() < MOST && self.proof_bytes + response.held_bytes() <= MOST_BYTES
    }

    /// Keeps an exchange that has finished with its response until the proof: duplicates find it as in progress. The
    /// response acknowledges the request.
    pub(super) fn hold(
        &mut self,
        id: ExchangeId,
        mut exchange: Exchange<P, C>,
        response: HeldResponse,
    ) {
        let bytes = response.message.held_bytes();
        exchange.bytes += bytes;
        self.proof_bytes += bytes;
        self.proof_deadlines.insert((response.until, id));
        let ack_due = exchange.ack_due;
        exchange.held = Some(response);
        self.insert(id, exchange);
        self.ack_deadlines.remove(&(ack_due, id));
    }

    /// The exchanges of a peer whose response waits for a proof.
    pub(super) fn held_of(&self, peer: &Peer<P>) -> Vec<ExchangeId> {
        if self.proof_deadlines.is_empty() {
            return Vec::new();
        }
        let requests = self.by_peer.get(peer).into_iter().flatten();
        let ids = requests.map(|request| request.id);
        let is_held = |id: &ExchangeId| self.by_id.get(id).is_some_and(|one| one.held.is_some());
        ids.filter(is_held).collect()
    }

    /// The exchange whose response may not wait longer for a proof, and its peer.
    fn first_held_due(&self, now: Instant) -> Option<(Peer<P>, ExchangeId)> {
        let first = self.proof_deadlines.first();
        let (_, id) = first.filter(|(until, _)| *until <= now)?;
        let exchange = self.by_id.get(id)?;
        Some((exchange.meta.peer.clone(), *id))
    }
}

impl<P: PeerId, X: MessageProtection<P>> Endpoint<P, X> {
    /// Sends the response of an exchange that has finished, at once or after a ping.
    pub(super) fn respond_once_proven(
        &mut self,
        now: Instant,
        id: ExchangeId,
        exchange: Exchange<P, X::Context>,
        message: Message,
        begun: Option<Begun>,
    ) {
        if self.exchanges.may_hold(&message) && self.needs_proof(now, &exchange, &message) {
            let peer = exchange.meta.peer.clone();
            self.ping_unless_proven(now, &peer);
            // Unless no message ID was free for the ping.
            if self.is_proving(&peer) {
                let response = HeldResponse {
                    message,
                    begun,
                    until: now + PROOF_DELAY,
                };
                return self.exchanges.hold(id, exchange, response);
            }
        }
        self.respond_to(now, &exchange, message, begun);
    }

    fn needs_proof(
        &self,
        now: Instant,
        exchange: &Exchange<P, X::Context>,
        message: &Message,
    ) -> bool {
        let meta = &exchange.meta;
        let (peer, constraints) = (&meta.peer, &meta.constraints);
        // A separate response is a proof itself: its ACK. All members of a group would send a ping.
        if constraints.allowance == usize::MAX
            || exchange.ack == Ack::Sent
            || constraints.multicast
            || constraints.suppresses(message)
        {
            return false;
        }
        let allowance = if exchange.observes {
            beside_empty_messages(constraints.allowance)
        } else {
            constraints.allowance
        };
        let wanted = self.wanted(now, peer, exchange.block2);
        allowance::reduces(allowance, meta.token, wanted, message)
            && !self.is_peer_proven(now, peer)
            && !self.is_blocked(now, peer)
    }

    /// Whether the caller has responded and the response waits.
    pub(super) fn is_held(&self, id: ExchangeId) -> bool {
        let exchange = self.exchanges.get(id);
        exchange.is_some_and(|exchange| exchange.held.is_some())
    }

    /// The peer has proven its address.
    pub(super) fn release_held(&mut self, now: Instant, peer: &Peer<P>) {
        for id in self.exchanges.held_of(peer) {
            if let Some(exchange) = self.exchanges.get_mut(id) {
                exchange.meta.constraints.allowance = usize::MAX;
            }
            self.respond_held(now, id);
        }
    }

    /// Sends as much as fits of the responses that may not wait longer for a proof.
    pub(super) fn respond_unproven(&mut self, now: Instant) {
        while let Some((peer, id)) = self.exchanges.first_held_due(now) {
            self.respond_held(now, id);
            // Otherwise a flood of forged requests would leave a ping each, for a minute. Few stay: a device that is
            // further away than the delay has proven its address before its next request.
            if self.reliability.outstanding() > MOST {
                self.drop_idle_ping(&peer);
            }
        }
    }

    /// Sends a response that waited.
    fn respond_held(&mut self, now: Instant, id: ExchangeId) {
        let Some(mut exchange) = self.exchanges.finish(id) else {
            return;
        };
        if let Some(held) = &mut exchange.held {
            let message = std::mem::replace(&mut held.message, Message::new(0));
            // It may have ended meanwhile.
            let exists = |begun: &Begun| self.observations.get(begun.id).is_some();
            let begun = held.begun.filter(exists);
            self.respond_to(now, &exchange, message, begun);
        }
    }
}
