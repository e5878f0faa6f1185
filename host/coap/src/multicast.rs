//! Requests to a group (RFC 7252 §8): never confirmable, answered only where there is something to tell, and each answer at
//! a random moment, so that the members of a group do not all speak at once.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::hash::Hash;
use std::time::Instant;

use super::code;
use super::endpoint::Endpoint;
use super::peer::Peer;

/// DedupCache that wait for their time. The second part of the key keeps those of one moment apart.
pub(super) struct LeisureQueue<P> {
    waiting: BTreeMap<(Instant, u64), (Peer<P>, Vec<u8>)>,
    next: u64,
    most: usize,
}

impl<P> LeisureQueue<P> {
    pub(super) fn new(most: usize) -> Self {
        Self {
            waiting: BTreeMap::new(),
            next: 0,
            most,
        }
    }

    /// Lets an answer wait; false where too many do.
    fn wait(&mut self, until: Instant, peer: Peer<P>, bytes: Vec<u8>) -> bool {
        if self.waiting.len() >= self.most {
            return false;
        }
        self.waiting.insert((until, self.next), (peer, bytes));
        self.next += 1;
        true
    }

    pub(super) fn poll_due(&mut self, now: Instant) -> Option<(Peer<P>, Vec<u8>)> {
        self.next_timeout().filter(|due| *due <= now)?;
        self.waiting.pop_first().map(|(_, answer)| answer)
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.waiting.first_key_value().map(|((until, _), _)| *until)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }
}

impl<P: Copy + Eq + Hash + Debug> Endpoint<P> {
    /// Takes one datagram that came to a group's address. `peer` is whom a unicast answer goes to. Whatever is no
    /// non-confirmable request is ignored (RFC 7252 §8.1); an error and an empty answer are not sent (§8.2).
    pub fn handle_multicast(&mut self, now: Instant, peer: P, bytes: &[u8]) {
        self.counters.multicasts += 1;
        let type_and_code = (bytes.first().map(|first| (first >> 4) & 3), bytes.get(1));
        let is_request = match type_and_code {
            (Some(1), Some(code)) => code::is_request(*code),
            _ => false,
        };
        if is_request {
            self.receive(now, peer, bytes, true);
        } else {
            self.counters.unexpected += 1;
        }
    }

    /// Sends the answer to a request: at once, or within the leisure where a group was asked.
    pub(super) fn transmit_answer(
        &mut self,
        now: Instant,
        peer: Peer<P>,
        multicast: bool,
        bytes: Vec<u8>,
    ) {
        if !multicast {
            return self.transmit(peer, bytes);
        }
        let until = now + self.limits.leisure.mul_f64(self.secret.fraction());
        if !self.leisurely.wait(until, peer, bytes) {
            self.counters.multicast_responses_dropped += 1;
        }
    }
}
