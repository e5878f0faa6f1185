//! Requests that are processed only once their peer has proven its address: the caller decides which, say those that
//! use a right of the address.
//!
//! The proof is a ping: an empty confirmable message, which its receiver rejects with RST (RFC 7252 §4.3). A device
//! with NSTART = 1 may have only one request of its own under way, but responds to the server's messages meanwhile.
//! Stacks that acknowledge a ping instead prove their address as well. Echo (RFC 9175 §2) is for the cases in which no
//! ping may wait: it costs the device another request, and Contiki-NG and mbed-coap do not repeat a request with it.
//!
//! A ping proves that somebody at the address speaks CoAP, not that the request came from there: a device that listens
//! at a forged address rejects the ping as well. Against that, only Echo in each request or object security helps.

use std::time::Instant;

use crate::endpoint::Endpoint;
use crate::exchange::{ExchangeId, RequestMeta};
use crate::incoming::Incoming;
use crate::peer::Peer;
use crate::peer_id::PeerId;
use crate::protection::MessageProtection;

/// Bytes for a 4.01 with Echo, with the longest token and a little more: the only response to a request that waits.
const CHALLENGE: usize = 64;

impl<P: PeerId, X: MessageProtection<P>> Endpoint<P, X> {
    /// The request itself if its peer's address is proven: process it then. Otherwise none, and the endpoint keeps the
    /// request and pings the peer: [`poll_request`](Self::poll_request) returns it again, with the same
    /// [`ExchangeId`], once the address is proven. Do not respond to it before. Meanwhile it is
    /// acknowledged and counted like any request in progress, and duplicates are recognised.
    ///
    /// If the peer does not respond to the ping, the request is dropped without a response: its sender does not receive
    /// at that address. If too many requests wait, or somebody guesses message IDs with that address, the
    /// endpoint responds with 4.01 and Echo instead, or 5.03 to a request without an option above 60. A request that
    /// came to a group is dropped without a ping: all members of the group would send one.
    ///
    /// ```
    /// # use std::time::Instant;
    /// # use comatrix_coap::{Datagram, Endpoint, Limits, Message, MessageType, code, decode, encode};
    /// # let (now, device) = (Instant::now(), "a device");
    /// let mut endpoint = Endpoint::new(Limits::default(), [7; 16]);
    /// endpoint.handle_datagram(now, device, b"\x40\x03\x12\x34\xb4send"); // CON, PUT
    /// let incoming = endpoint.poll_request().expect("a request");
    /// assert!(endpoint.prove_then(now, incoming).is_none());
    ///
    /// let ping = decode(&endpoint.poll_transmit().expect("a ping").bytes)?;
    /// let reset = encode(&Datagram::empty(MessageType::Reset, ping.message_id));
    /// endpoint.handle_datagram(now, device, &reset);
    ///
    /// let incoming = endpoint.poll_request().expect("the same request");
    /// let incoming = endpoint.prove_then(now, incoming).expect("the address is proven");
    /// endpoint.respond(now, incoming.id, Message::new(code::CHANGED));
    /// # Ok::<(), comatrix_coap::DecodeError>(())
    /// ```
    #[must_use = "process the request that it returns"]
    pub fn prove_then(
        &mut self,
        now: Instant,
        incoming: Incoming<P, X::Context>,
    ) -> Option<Incoming<P, X::Context>> {
        // An exchange that has ended needs no proof: its response would be ignored.
        let Some(exchange) = self.exchanges.get(incoming.id) else {
            return Some(incoming);
        };
        let peer = exchange.meta.peer.clone();
        if self.is_peer_proven(now, &peer) {
            return Some(incoming);
        }
        self.counters.deferred += 1;
        if incoming.request.multicast {
            self.exchanges.finish(incoming.id);
            self.counters.deferred_dropped += 1;
            return None;
        }
        let id = incoming.id;
        if self.is_blocked(now, &peer) || !self.deferred.push(&peer, incoming) {
            self.challenge_exchange(now, id);
            return None;
        }
        // The rest is for the ping and its retransmissions.
        if let Some(exchange) = self.exchanges.get_mut(id) {
            let allowance = &mut exchange.meta.constraints.allowance;
            *allowance = CHALLENGE.min(*allowance);
        }
        self.ping_unless_proven(now, &peer);
        // No message ID was free for the ping.
        if !self.is_proving(&peer) {
            self.drop_deferred(&peer);
        }
        None
    }

    /// Requests that wait for the proof of their peer's address.
    pub fn deferred(&self) -> usize {
        self.deferred.len()
    }

    /// The peer has proven its address: its requests are for the caller now, in the order in which they came.
    pub(super) fn release_deferred(&mut self, peer: &Peer<P>) {
        for incoming in self.deferred.take(peer) {
            self.counters.deferred_released += 1;
            if let Some(exchange) = self.exchanges.get_mut(incoming.id) {
                exchange.meta.constraints.allowance = usize::MAX;
            }
            self.requests.push_back(incoming);
        }
    }

    /// The peer will not prove its address. A duplicate of a request counts as a new one, because nothing was done for
    /// it.
    pub(super) fn drop_deferred(&mut self, peer: &Peer<P>) {
        for incoming in self.deferred.take(peer) {
            self.counters.deferred_dropped += 1;
            self.exchanges.finish(incoming.id);
        }
    }

    /// No ping may prove the peer's address for a while: Echo may.
    pub(super) fn challenge_deferred(&mut self, now: Instant, peer: &Peer<P>) {
        for incoming in self.deferred.take(peer) {
            self.challenge_exchange(now, incoming.id);
        }
    }

    fn challenge_exchange(&mut self, now: Instant, id: ExchangeId) {
        self.counters.deferred_dropped += 1;
        let Some(exchange) = self.exchanges.get(id) else {
            return;
        };
        let meta = RequestMeta {
            received_at: now,
            ..exchange.meta.clone()
        };
        let refusal = self.unproven(&meta);
        self.latest_refusal = Some((meta.peer.id, refusal.code));
        self.respond(now, id, refusal);
    }
}
