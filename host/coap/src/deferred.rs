//! The store of requests that wait until their peer has proven its address.

use std::hash::Hash;

use crate::incoming::Incoming;
use crate::message::{CoapOption, Message};
use crate::peer::{Map, Peer};

/// Requests that wait in all. A proof takes a round trip, so a hundred new devices a second on a slow network need a
/// few hundred. The rest is for forged addresses, whose requests stay for one to two minutes.
const MOST: usize = 1024;
/// Their bytes in all: one frame of IEEE 802.15.4 each, and some of the largest bodies.
const MOST_BYTES: usize = 2 * 1024 * 1024;
/// Bytes of one peer: the largest body. The number of its requests is bounded like that of its exchanges.
const MOST_BYTES_OF_PEER: usize = MOST_BYTES / 8;

/// The requests of all peers.
pub(super) struct Deferred<P, C> {
    by_peer: Map<Peer<P>, Vec<Incoming<P, C>>>,
    number: usize,
    bytes: usize,
}

impl<P: Clone + Eq + Hash, C> Deferred<P, C> {
    pub(super) fn new() -> Self {
        Self {
            by_peer: Map::default(),
            number: 0,
            bytes: 0,
        }
    }

    /// Keeps a request; gives it back if there is no room.
    pub(super) fn push(&mut self, peer: &Peer<P>, incoming: Incoming<P, C>) -> bool {
        let bytes = held_bytes(&incoming.request.message);
        let of_peer = self.by_peer.get(peer).map_or(0, |requests| sum(requests));
        let is_above = self.number >= MOST
            || self.bytes + bytes > MOST_BYTES
            || of_peer + bytes > MOST_BYTES_OF_PEER;
        if is_above {
            return false;
        }
        self.number += 1;
        self.bytes += bytes;
        let requests = self.by_peer.entry(peer.clone()).or_default();
        requests.push(incoming);
        true
    }

    /// Takes the requests of a peer, in the order in which they came.
    pub(super) fn take(&mut self, peer: &Peer<P>) -> Vec<Incoming<P, C>> {
        // Most endpoints defer nothing, and most proofs release nothing.
        if self.number == 0 {
            return Vec::new();
        }
        let requests = self.by_peer.remove(peer).unwrap_or_default();
        self.number -= requests.len();
        self.bytes -= sum(&requests);
        requests
    }

    /// Whether requests of this peer wait.
    pub(super) fn has(&self, peer: &Peer<P>) -> bool {
        self.number > 0 && self.by_peer.contains_key(peer)
    }

    pub(super) fn len(&self) -> usize {
        self.number
    }
}

fn sum<P, C>(requests: &[Incoming<P, C>]) -> usize {
    let requests = requests.iter();
    requests
        .map(|incoming| held_bytes(&incoming.request.message))
        .sum()
}

/// Bytes of a request in memory: its options and its payload.
fn held_bytes(message: &Message) -> usize {
    let values = message.options.iter().map(|option| option.value.capacity());
    let options = message.options.capacity() * size_of::<CoapOption>();
    values.sum::<usize>() + options + message.payload.capacity()
}
