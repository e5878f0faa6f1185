//! Datagrams for the caller to send.

use std::time::Instant;

use crate::codec;
use crate::endpoint::{Endpoint, Transmit};
use crate::message::{Datagram, MessageType};
use crate::observation::Ended;
use crate::outbound::{Outcome, Purpose};
use crate::peer::Peer;
use crate::peer_id::PeerId;
use crate::peer_table::Separate;
use crate::protection::MessageProtection;

/// Bytes of an empty message (RFC 7252 §3).
const EMPTY_BYTES: usize = 4;

impl<P: PeerId, X: MessageProtection<P>> Endpoint<P, X> {
    /// Sends the next confirmable message, and ends the observations whose message has no message ID.
    pub(super) fn proceed(&mut self, now: Instant, peer: &Peer<P>, outcome: Outcome) {
        for purpose in outcome.without_id {
            self.counters.message_ids_exhausted += 1;
            match purpose {
                Purpose::Notification(id) | Purpose::FirstResponse(id) => {
                    self.end(now, id, Ended::WithoutMessageId);
                }
                Purpose::AddressProof => self.drop_deferred(peer),
                Purpose::Response => {}
            }
        }
        if let Some(displaced) = outcome.displaced {
            self.on_given_up(now, peer, displaced);
        }
        if let Some(bytes) = outcome.transmit {
            self.transmit(peer, bytes);
        }
    }

    pub(super) fn transmit(&mut self, peer: &Peer<P>, bytes: Vec<u8>) {
        self.peers.spend(peer.hash, bytes.len());
        self.transmits.push_back(Transmit {
            peer: peer.id.clone(),
            bytes,
        });
    }

    pub(super) fn transmit_empty(
        &mut self,
        peer: &Peer<P>,
        message_type: MessageType,
        message_id: u16,
    ) {
        self.transmit(
            peer,
            codec::encode(&Datagram::empty(message_type, message_id)),
        );
    }

    /// Sends a retransmission, unless the peer has received its bytes. A response then waits until the peer has proven
    /// its address, which takes a ping of four bytes: the device may be there, and the response may be lost.
    pub(super) fn retransmit(
        &mut self,
        now: Instant,
        peer: &Peer<P>,
        bytes: Vec<u8>,
        purpose: Purpose,
    ) {
        // Without protection no notification leaves before the peer's address is proven.
        let is_notification = match purpose {
            Purpose::Notification(id) => !self.observations.is_unproven(id),
            _ => false,
        };
        if is_notification || self.may_repeat(now, peer, bytes.len()) {
            self.counters.retransmissions += 1;
            return self.transmit(peer, bytes);
        }
        self.counters.retransmissions_withheld += 1;
        let is_provable = purpose != Purpose::AddressProof && !self.is_blocked(now, peer);
        if is_provable && self.may_repeat(now, peer, EMPTY_BYTES) {
            let outcome = self.reliability.prove_before(now, peer);
            self.proceed(now, peer, outcome);
        }
    }

    /// The peer did not acknowledge its current message, which has this purpose.
    pub(super) fn give_up(&mut self, now: Instant, peer: &Peer<P>, purpose: Purpose) {
        if purpose == Purpose::AddressProof {
            // Before the messages behind the ping leave: notifications may not.
            self.end_proof(now, peer);
        }
        let credit = self.credit(now, peer);
        let (dropped, outcome) = self.reliability.give_up(now, peer, credit);
        self.proceed(now, peer, outcome);
        for purpose in dropped {
            self.on_given_up(now, peer, purpose);
        }
    }

    /// A message to the peer was dropped, because it acknowledges none.
    pub(super) fn on_given_up(&mut self, now: Instant, peer: &Peer<P>, purpose: Purpose) {
        if purpose.is_response() {
            self.peers.set_separate(peer.hash, Separate::Ignored);
        }
        self.on_dropped(now, peer, purpose);
    }

    /// A message was dropped that its peer had not acknowledged.
    pub(super) fn on_dropped(&mut self, now: Instant, peer: &Peer<P>, purpose: Purpose) {
        self.counters.given_up += u64::from(purpose != Purpose::AddressProof);
        match purpose {
            Purpose::Notification(id) | Purpose::FirstResponse(id) => {
                self.end(now, id, Ended::Unacknowledged);
            }
            Purpose::AddressProof => self.end_proof(now, peer),
            Purpose::Response => {}
        }
    }

    /// The peer will not prove its address: what waits for the proof ends.
    fn end_proof(&mut self, now: Instant, peer: &Peer<P>) {
        self.end_unproven(now, peer);
        self.drop_deferred(peer);
    }
}
