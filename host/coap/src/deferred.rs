//! The store of requests that wait until their peer has proven its address. Their bytes count as those of exchanges in
//! progress, in the account of all bytes.

use std::hash::Hash;

use crate::incoming::Incoming;
use crate::peer::{Map, Peer};
use share::{Amount, Bound, Bounds, Owner, Shares};

/// Requests that wait in all. A proof takes a round trip, so a hundred new devices a second on a slow network need a
/// few hundred. The rest is for forged addresses, whose requests stay for one to two minutes.
const MOST: usize = 1024;
/// Their bytes in all: one frame of IEEE 802.15.4 each, and some of the largest bodies.
const MOST_BYTES: usize = 2 * 1024 * 1024;

/// A request, who holds it, and its bytes.
struct Waiting<P, C> {
    incoming: Incoming<P, C>,
    owner: Owner,
    amount: Amount,
}

/// The requests of all peers.
pub(super) struct Deferred<P, C> {
    by_peer: Map<Peer<P>, Vec<Waiting<P, C>>>,
    shares: Shares,
}

impl<P: Clone + Eq + Hash, C> Deferred<P, C> {
    pub(super) fn new() -> Self {
        Self {
            by_peer: Map::default(),
            shares: Shares::new(Bounds {
                pieces: Bound::eighth(MOST),
                bytes: Bound::eighth(MOST_BYTES),
            }),
        }
    }

    /// Keeps a request; false if there is no room, or the host of its peer has its share of it.
    pub(super) fn push(&mut self, peer: &Peer<P>, incoming: Incoming<P, C>) -> bool {
        let amount = Amount::piece(incoming.request.message.held_bytes());
        if self.shares.take(peer.owner, amount).is_err() {
            return false;
        }
        let waiting = Waiting {
            incoming,
            owner: peer.owner,
            amount,
        };
        self.by_peer.entry(peer.clone()).or_default().push(waiting);
        true
    }

    /// Takes the requests of a peer, in the order in which they came.
    pub(super) fn take(&mut self, peer: &Peer<P>) -> Vec<Incoming<P, C>> {
        // Most endpoints defer nothing, and most proofs release nothing.
        if self.by_peer.is_empty() {
            return Vec::new();
        }
        let taken = self.by_peer.remove(peer).unwrap_or_default();
        let shares = &mut self.shares;
        let given_back = taken.into_iter().map(|waiting| {
            shares.give_back(waiting.owner, waiting.amount);
            waiting.incoming
        });
        given_back.collect()
    }

    /// Whether requests of this peer wait.
    pub(super) fn has(&self, peer: &Peer<P>) -> bool {
        !self.by_peer.is_empty() && self.by_peer.contains_key(peer)
    }

    pub(super) fn len(&self) -> usize {
        self.shares.in_all().pieces
    }
}
