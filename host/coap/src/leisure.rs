//! Responses to a group's requests until their moment within the leisure (RFC 7252 §8.2).

use std::collections::BTreeMap;
use std::time::Instant;

use crate::peer::Peer;

/// Datagrams in the order of their time. The second part of the key distinguishes those of one moment.
pub(super) struct LeisureQueue<P> {
    waiting: BTreeMap<(Instant, u64), (Peer<P>, Vec<u8>)>,
    next: u64,
    limit: usize,
}

impl<P> LeisureQueue<P> {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            waiting: BTreeMap::new(),
            next: 0,
            limit,
        }
    }

    /// Keeps a datagram until `until`; false if the queue is full.
    pub(super) fn push(&mut self, until: Instant, peer: Peer<P>, bytes: Vec<u8>) -> bool {
        if self.waiting.len() >= self.limit {
            return false;
        }
        self.waiting.insert((until, self.next), (peer, bytes));
        self.next += 1;
        true
    }

    pub(super) fn pop_due(&mut self, now: Instant) -> Option<(Peer<P>, Vec<u8>)> {
        self.next_timeout().filter(|due| *due <= now)?;
        self.waiting.pop_first().map(|(_, datagram)| datagram)
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.waiting.first_key_value().map(|((until, _), _)| *until)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }
}
