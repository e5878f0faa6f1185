//! Responses retained for duplicates (RFC 7252 §4.5): a retransmitted request gets the same bytes again and is not
//! processed again. Bounded per peer and in bytes; the oldest leave first.

use std::collections::VecDeque;
use std::hash::Hash;
use std::time::Instant;

use crate::limits::Limits;
use crate::message::MessageType;
use crate::peer::{Map, Peer};

/// A request with its response.
struct RetainedResponse {
    message_type: MessageType,
    message_id: u16,
    expires: Instant,
    turn: u64,
    /// Sent again to a duplicate CON; empty for a NON, whose duplicates are dropped.
    bytes: Vec<u8>,
}

/// A response's number and peer, and when it expires.
type Turn<P> = (u64, Peer<P>, Instant);

/// The retained responses of all peers.
pub(super) struct DedupCache<P> {
    peers: Map<Peer<P>, VecDeque<RetainedResponse>>,
    /// Every response in the order of age. An entry whose response left early through its peer's limit stays until its
    /// turn comes, or until such entries are more than the others.
    turns: VecDeque<Turn<P>>,
    next_turn: u64,
    kept: usize,
    bytes: usize,
    per_peer: usize,
    budget: usize,
    evicted: u64,
}

impl<P: Clone + Eq + Hash> DedupCache<P> {
    /// Bytes of a response's entry and turn, in lists that have twice the room after they have grown.
    const OVERHEAD: usize = 2 * (size_of::<RetainedResponse>() + size_of::<Turn<P>>());
    /// Bytes of a peer's place in a table that is half empty after it has grown, and of the smallest list, which has
    /// four entries.
    const PEER: usize =
        2 * size_of::<(Peer<P>, VecDeque<RetainedResponse>)>() + 4 * size_of::<RetainedResponse>();

    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            peers: Map::default(),
            turns: VecDeque::new(),
            next_turn: 0,
            kept: 0,
            bytes: 0,
            per_peer: limits.retained_responses_per_peer,
            budget: limits.retained_response_bytes,
            evicted: 0,
        }
    }

    /// The response to this message, within the lifetime of its message ID.
    pub(super) fn find(
        &self,
        now: Instant,
        peer: &Peer<P>,
        message_type: MessageType,
        message_id: u16,
    ) -> Option<&[u8]> {
        let responses = self.peers.get(peer)?;
        let same = |response: &&RetainedResponse| {
            response.message_id == message_id && response.message_type == message_type
        };
        let response = responses.iter().rev().find(same)?;
        (now < response.expires).then_some(response.bytes.as_slice())
    }

    /// Retains a response until `expires`.
    pub(super) fn retain(
        &mut self,
        peer: Peer<P>,
        message_type: MessageType,
        message_id: u16,
        expires: Instant,
        bytes: Vec<u8>,
    ) {
        let turn = self.next_turn;
        self.next_turn += 1;
        self.kept += 1;
        self.bytes += bytes.capacity() + Self::OVERHEAD;
        let responses = self.peers.entry(peer.clone()).or_insert_with(|| {
            self.bytes += Self::PEER;
            VecDeque::new()
        });
        responses.push_back(RetainedResponse {
            message_type,
            message_id,
            expires,
            turn,
            bytes,
        });
        let is_above = responses.len() > self.per_peer;
        self.turns.push_back((turn, peer.clone(), expires));
        if is_above {
            self.drop_oldest_of(&peer);
            self.evicted += 1;
        }
        while self.bytes > self.budget && self.take_turn() {
            self.evicted += 1;
        }
        if self.turns.len() > 2 * self.kept + 1024 {
            let peers = &self.peers;
            self.turns.retain(|(turn, peer, _)| {
                let oldest = peers.get(peer).and_then(VecDeque::front);
                oldest.is_some_and(|response| response.turn <= *turn)
            });
        }
    }

    fn drop_oldest_of(&mut self, peer: &Peer<P>) {
        let Some(responses) = self.peers.get_mut(peer) else {
            return;
        };
        if let Some(response) = responses.pop_front() {
            self.kept -= 1;
            self.bytes -= response.bytes.capacity() + Self::OVERHEAD;
        }
        if responses.is_empty() {
            self.bytes -= Self::PEER;
            self.peers.remove(peer);
        }
    }

    /// Drops the next response in turn, unless it has left already. False if no turn is left.
    fn take_turn(&mut self) -> bool {
        let Some((turn, peer, _)) = self.turns.pop_front() else {
            return false;
        };
        let oldest = self.peers.get(&peer).and_then(VecDeque::front);
        if oldest.is_some_and(|response| response.turn == turn) {
            self.drop_oldest_of(&peer);
        }
        true
    }

    /// Drops responses whose requests can have no duplicates any more.
    pub(super) fn expire(&mut self, now: Instant) {
        while self.next_timeout().is_some_and(|expires| expires <= now) {
            self.take_turn();
        }
    }

    /// When the oldest response expires.
    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.turns.front().map(|(_, _, expires)| *expires)
    }

    /// Responses dropped before they expired.
    pub(super) fn evicted(&self) -> u64 {
        self.evicted
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.kept
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::peer::test_peer;
    use MessageType::{Confirmable, NonConfirmable};

    const LIFETIME: Duration = Duration::from_secs(247);

    fn bounded(per_peer: usize, budget: usize) -> (DedupCache<u32>, Instant) {
        let limits = Limits {
            retained_responses_per_peer: per_peer,
            retained_response_bytes: budget,
            ..Limits::default()
        };
        (DedupCache::new(&limits), Instant::now())
    }

    #[test]
    fn a_response_is_found_until_its_message_id_may_come_again() {
        let (mut dedup, start) = bounded(64, 1 << 20);
        dedup.retain(
            test_peer(1),
            Confirmable,
            7,
            start + LIFETIME,
            b"response".to_vec(),
        );
        let found = |now, peer, message_type, id| {
            dedup
                .find(now, &test_peer(peer), message_type, id)
                .map(<[u8]>::to_vec)
        };
        let last = start + LIFETIME - Duration::from_millis(1);
        assert_eq!(found(last, 1, Confirmable, 7), Some(b"response".to_vec()));
        assert_eq!(found(last, 2, Confirmable, 7), None);
        assert_eq!(found(last, 1, NonConfirmable, 7), None);
        assert_eq!(found(last, 1, Confirmable, 8), None);
        assert_eq!(found(start + LIFETIME, 1, Confirmable, 7), None);
        dedup.expire(start + LIFETIME);
        assert_eq!((dedup.len(), dedup.bytes, dedup.peers.len()), (0, 0, 0));
    }

    #[test]
    fn the_oldest_of_a_peer_leaves_and_other_peers_keep_theirs() {
        let (mut dedup, start) = bounded(2, 1 << 20);
        dedup.retain(
            test_peer(9),
            Confirmable,
            0,
            start + LIFETIME,
            b"other".to_vec(),
        );
        for id in 0..3 {
            dedup.retain(
                test_peer(1),
                Confirmable,
                id,
                start + LIFETIME,
                b"response".to_vec(),
            );
        }
        assert_eq!(dedup.find(start, &test_peer(1), Confirmable, 0), None);
        assert!(dedup.find(start, &test_peer(1), Confirmable, 1).is_some());
        assert!(dedup.find(start, &test_peer(9), Confirmable, 0).is_some());
        assert_eq!((dedup.len(), dedup.evicted()), (3, 1));
    }

    #[test]
    fn the_oldest_of_all_leaves_when_the_bytes_are_used_up() {
        let (mut dedup, start) = bounded(
            64,
            3 * (DedupCache::<u32>::OVERHEAD + DedupCache::<u32>::PEER + 100),
        );
        for peer in 0..5 {
            dedup.retain(
                test_peer(peer),
                Confirmable,
                0,
                start + LIFETIME,
                vec![0; 100],
            );
        }
        let kept: Vec<u32> = (0..5)
            .filter(|peer| {
                dedup
                    .find(start, &test_peer(*peer), Confirmable, 0)
                    .is_some()
            })
            .collect();
        assert_eq!(kept, [2, 3, 4]);
        dedup.expire(start + LIFETIME);
        assert_eq!((dedup.len(), dedup.bytes), (0, 0));
    }

    #[test]
    fn a_busy_peer_leaves_no_growing_trail() {
        let (mut dedup, start) = bounded(4, 1 << 20);
        for id in 0..60_000 {
            dedup.retain(test_peer(1), Confirmable, id, start + LIFETIME, vec![0; 10]);
        }
        assert_eq!(dedup.len(), 4);
        assert!(dedup.turns.len() <= 2 * 4 + 1025, "{}", dedup.turns.len());
        dedup.expire(start + LIFETIME);
        assert_eq!((dedup.len(), dedup.bytes, dedup.turns.len()), (0, 0, 0));
    }
}
