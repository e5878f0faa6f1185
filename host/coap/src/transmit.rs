//! Datagrams on their way to the caller, which sends them.

use std::fmt::Debug;
use std::hash::Hash;
use std::time::Instant;

use super::codec;
use super::endpoint::{Endpoint, Transmit};
use super::message::{Datagram, MessageType};
use super::observer_table::Ended;
use super::peer::Peer;
use super::reliability::{Outcome, Purpose};

impl<P: Copy + Eq + Hash + Debug> Endpoint<P> {
    pub(super) fn proceed(&mut self, now: Instant, peer: Peer<P>, outcome: Outcome) {
        for owner in outcome.without_id {
            self.counters.message_ids_exhausted += 1;
            if let Purpose::Notification(id) | Purpose::FirstAnswer(id) = owner {
                self.end(now, id, Ended::WithoutMessageId);
            }
        }
        if let Some(bytes) = outcome.transmit {
            self.transmit(peer, bytes);
        }
    }

    pub(super) fn transmit(&mut self, peer: Peer<P>, bytes: Vec<u8>) {
        self.known.spend(peer.hash, bytes.len());
        self.transmits.push_back(Transmit {
            peer: peer.address,
            bytes,
        });
    }

    pub(super) fn transmit_empty(
        &mut self,
        peer: Peer<P>,
        message_type: MessageType,
        message_id: u16,
    ) {
        self.transmit(
            peer,
            codec::encode(&Datagram::empty(message_type, message_id)),
        );
    }
}
