//! Responses to a group's requests until their moment within the leisure (RFC 7252 §8.2).

use std::collections::BTreeMap;
use std::time::Instant;

use crate::peer::Peer;
use share::{Amount, Bounds, Shares};

/// Datagrams in the order of their time. The second part of the key distinguishes those of one moment.
pub(super) struct LeisureQueue<P> {
    waiting: BTreeMap<(Instant, u64), (Peer<P>, Vec<u8>)>,
    next: u64,
    shares: Shares,
}

/// Datagrams that one host may have waiting in a small queue: it may discover several resources at once.
const OF_HOST: usize = 16;

/// A datagram with its entry.
fn piece<P>(bytes: &Vec<u8>) -> Amount {
    Amount::piece(bytes.capacity() + 2 * size_of::<(Instant, u64, Peer<P>, Vec<u8>)>())
}

impl<P> LeisureQueue<P> {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            waiting: BTreeMap::new(),
            next: 0,
            shares: Shares::new(Bounds::of_pieces(limit).at_least(OF_HOST)),
        }
    }

    /// Keeps a datagram until `until`; false if the queue is full, or the host of its peer has its share of it.
    pub(super) fn push(&mut self, until: Instant, peer: Peer<P>, bytes: Vec<u8>) -> bool {
        if self.shares.take(peer.owner, piece::<P>(&bytes)).is_err() {
            return false;
        }
        self.waiting.insert((until, self.next), (peer, bytes));
        self.next += 1;
        true
    }

    pub(super) fn pop_due(&mut self, now: Instant) -> Option<(Peer<P>, Vec<u8>)> {
        self.next_timeout().filter(|due| *due <= now)?;
        let (_, (peer, bytes)) = self.waiting.pop_first()?;
        self.shares.give_back(peer.owner, piece::<P>(&bytes));
        Some((peer, bytes))
    }

    pub(super) fn shares(&self) -> &Shares {
        &self.shares
    }

    /// The peer of each datagram.
    pub(super) fn peers(&self) -> impl Iterator<Item = &Peer<P>> {
        self.waiting.values().map(|(peer, _)| peer)
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.waiting.first_key_value().map(|((until, _), _)| *until)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }
}
