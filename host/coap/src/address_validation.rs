//! Validation of addresses that may be spoofed (RFC 9175 §2.4).
//!
//! A peer proves its address by a message that requires one from the endpoint: the ACK or RST of a confirmable message,
//! whose message ID is not predictable, or a fresh Echo value. After three message IDs that name no message, only Echo
//! proves the address for a minute: somebody may be guessing. A request for a later block proves nothing, because a
//! sender that does not receive can send both requests blindly. Some transports prove addresses themselves
//! ([`PeerId::has_proven_address`]).
//!
//! PROBING_RATE (RFC 7252 §4.7) bounds the traffic to a peer that never responds. A server sends only responses, so
//! this endpoint bounds the bytes instead: three times the bytes of the peer. Beyond that it sends no retransmission,
//! only a ping, until the peer has responded to one.

use std::time::Instant;

use crate::code;
use crate::endpoint::Endpoint;
use crate::exchange::RequestMeta;
use crate::guesses;
use crate::message::{Datagram, Message, MessageType};
use crate::option::{ECHO, MAX_AGE};
use crate::outbound::{Outbound, Purpose};
use crate::peer::Peer;
use crate::peer_id::PeerId;
use crate::protection::MessageProtection;

/// The diagnostic to a client that may not understand Echo.
const UNPROVEN: &str = "send it again after Max-Age; your address is not proven";

impl<P: PeerId, X: MessageProtection<P>> Endpoint<P, X> {
    /// Whether the peer's address is proven: by its transport, or to this endpoint within the last hour. A notification
    /// to an unproven address must be confirmable (RFC 9175 §2.4).
    pub fn is_proven(&self, now: Instant, peer: &P) -> bool {
        self.is_peer_proven(now, &self.peer(peer.clone()))
    }

    pub(super) fn is_peer_proven(&self, now: Instant, peer: &Peer<P>) -> bool {
        peer.id.has_proven_address() || self.peers.is_proven(now, peer.hash)
    }

    /// The most bytes of a response to a datagram of this many bytes.
    pub(super) fn allowance(&self, now: Instant, peer: &Peer<P>, bytes: usize) -> usize {
        if peer.id.has_proven_address() {
            usize::MAX
        } else {
            self.peers.allowance(now, peer.hash, bytes)
        }
    }

    /// Bytes that may go to the peer although it did not request them again, besides the responses to its requests in
    /// progress.
    pub(super) fn credit(&self, now: Instant, peer: &Peer<P>) -> usize {
        if self.is_peer_proven(now, peer) {
            return usize::MAX;
        }
        let reserved = self.exchanges.reserved(peer);
        self.peers.credit(peer.hash).saturating_sub(reserved)
    }

    /// Whether this many bytes may go to the peer although it did not request them again. The responses to its requests
    /// in progress, and those that wait for their turn, keep their share.
    pub(super) fn may_repeat(&self, now: Instant, peer: &Peer<P>, bytes: usize) -> bool {
        let outbound = self.reliability.outbound(peer);
        let unsent = || outbound.map_or(0, Outbound::unsent_bytes);
        let credit = self.credit(now, peer);
        credit == usize::MAX || credit >= bytes + unsent()
    }

    /// The peer has sent a message that proves its address.
    pub(super) fn prove(&mut self, now: Instant, peer: &Peer<P>) {
        if !self.is_peer_proven(now, peer) {
            self.counters.proofs += 1;
            self.observations.mark_proven(peer);
        }
        self.peers.prove(now, peer.hash, peer.owner.holder());
        self.release_held(now, peer);
        self.release_deferred(peer);
    }

    /// The error for a request that needs a proof of the address which no ping can give now: 4.01 with a value to send
    /// back (RFC 9175 §2.3), or 5.03 to a client that may not understand Echo.
    pub(super) fn unproven(&mut self, meta: &RequestMeta<P, X::Context>) -> Message {
        self.counters.challenges += 1;
        if !meta.constraints.high_options {
            let is_blocked = self.is_blocked(meta.received_at, &meta.peer);
            let max_age = if is_blocked {
                guesses::LIFETIME.as_secs() as u32
            } else {
                self.limits.retry_after
            };
            return Message::diagnostic(code::SERVICE_UNAVAILABLE, UNPROVEN)
                .with_uint_option(MAX_AGE, max_age);
        }
        let value = self.echo.value(meta.received_at, &meta.peer);
        Message::new(code::UNAUTHORIZED).with_option(ECHO, value)
    }

    /// Sends a ping if the peer's address is not proven: its RST proves the address (RFC 7252 §4.3). A registration may
    /// be spoofed, and its victim must not receive the notifications, so they wait behind the ping (NSTART).
    pub(super) fn ping_unless_proven(&mut self, now: Instant, peer: &Peer<P>) {
        let is_needed = !self.is_peer_proven(now, peer) && !self.is_proving(peer);
        if is_needed && !self.is_blocked(now, peer) {
            let ping = Datagram::empty(MessageType::Confirmable, 0);
            let outcome = self
                .reliability
                .send(now, peer, ping, Purpose::AddressProof);
            self.proceed(now, peer, outcome);
        }
    }

    /// Drops the ping to a peer unless something waits for its RST.
    pub(super) fn drop_idle_ping(&mut self, peer: &Peer<P>) {
        let is_idle = self.observations.ids_of(peer).is_empty()
            && self.exchanges.held_of(peer).is_empty()
            && !self.deferred.has(peer);
        if is_idle {
            self.reliability.drop_idle_ping(peer);
        }
    }

    /// Whether a ping to the peer waits for its RST.
    pub(super) fn is_proving(&self, peer: &Peer<P>) -> bool {
        let outbound = self.reliability.outbound(peer);
        outbound.is_some_and(Outbound::is_proving)
    }

    /// Whether no ACK and no RST proves the peer's address now, and so no ping is worth its bytes.
    pub(super) fn is_blocked(&self, now: Instant, peer: &Peer<P>) -> bool {
        !self.is_peer_proven(now, peer) && self.peers.is_blocked(now, peer.hash)
    }

    /// Counts an ACK or RST with a message ID that names no message, if it may be a guess: the address is not proven,
    /// and a message waits that could be named. A proven peer repeats its ACKs as often as it likes.
    ///
    /// After one guess too many, what waits for the proof is dropped: the ping, the observations, and the requests,
    /// which get an Echo instead. Responses go on, within the bytes that the address has, because their ACKs prove
    /// nothing now: three forged datagrams must not cost a device the response to a request that was processed.
    pub(super) fn count_guess(&mut self, now: Instant, peer: &Peer<P>, message_id: u16) {
        let waits = self.reliability.outbound(peer).is_some();
        if !waits || self.is_peer_proven(now, peer) {
            return;
        }
        if self
            .peers
            .count_guess(now, peer.hash, peer.owner.holder(), message_id)
        {
            self.counters.proofs_blocked += 1;
            self.end_unproven(now, peer);
            let outcome = self.reliability.drop_ping(now, peer);
            self.proceed(now, peer, outcome);
            self.challenge_deferred(now, peer);
        }
    }
}
