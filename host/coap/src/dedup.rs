//! DedupCache retained for duplicates (RFC 7252 §4.5): a retransmitted request gets the same bytes again and is
//! not processed again. Bounded per peer and in all, oldest out.

use std::collections::VecDeque;
use std::hash::Hash;
use std::time::Instant;

use super::limits::Limits;
use super::message::MessageType;
use super::peer::{Map, Peer};

/// An answered request.
struct RetainedResponse {
    message_type: MessageType,
    message_id: u16,
    expires: Instant,
    turn: u64,
    /// Sent again for a duplicate CON; empty for a NON, whose duplicates are dropped.
    bytes: Vec<u8>,
}

/// The answer's number and peer, and when it expires.
type Turn<P> = (u64, Peer<P>, Instant);

/// The answers of all peers.
pub(super) struct DedupCache<P> {
    peers: Map<Peer<P>, VecDeque<RetainedResponse>>,
    /// Every answer in the order of its age. What left early through its peer's bound stays here until its
    /// turn comes or until such entries are more than the others.
    turns: VecDeque<Turn<P>>,
    next_turn: u64,
    kept: usize,
    bytes: usize,
    per_peer: usize,
    budget: usize,
    dropped: u64,
}

impl<P: Copy + Eq + Hash> DedupCache<P> {
    /// What an answer costs beside its bytes: its entry and its turn, in lists that have twice the room when they have grown.
    const OVERHEAD: usize = 2 * (size_of::<RetainedResponse>() + size_of::<Turn<P>>());
    /// What a peer costs beside its answers: its place in a table that is half empty when it has grown, and the least room
    /// of a list, which is four entries.
    const PEER: usize =
        2 * size_of::<(Peer<P>, VecDeque<RetainedResponse>)>() + 4 * size_of::<RetainedResponse>();

    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            peers: Map::default(),
            turns: VecDeque::new(),
            next_turn: 0,
            kept: 0,
            bytes: 0,
            per_peer: limits.answers_per_peer,
            budget: limits.answer_bytes,
            dropped: 0,
        }
    }

    /// The answer to this very message, if it was answered within the lifetime of its message ID.
    pub(super) fn find(
        &self,
        now: Instant,
        peer: &Peer<P>,
        message_type: MessageType,
        message_id: u16,
    ) -> Option<&[u8]> {
        let answers = self.peers.get(peer)?;
        let same = |answer: &&RetainedResponse| {
            answer.message_id == message_id && answer.message_type == message_type
        };
        let answer = answers.iter().rev().find(same)?;
        (now < answer.expires).then_some(answer.bytes.as_slice())
    }

    /// Retains an answer until `expires`.
    pub(super) fn keep(
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
        let answers = self.peers.entry(peer).or_insert_with(|| {
            self.bytes += Self::PEER;
            VecDeque::new()
        });
        answers.push_back(RetainedResponse {
            message_type,
            message_id,
            expires,
            turn,
            bytes,
        });
        self.turns.push_back((turn, peer, expires));
        if answers.len() > self.per_peer {
            self.drop_oldest_of(&peer);
            self.dropped += 1;
        }
        while self.bytes > self.budget && self.take_turn() {
            self.dropped += 1;
        }
        if self.turns.len() > 2 * self.kept + 1024 {
            let peers = &self.peers;
            self.turns.retain(|(turn, peer, _)| {
                let oldest = peers.get(peer).and_then(VecDeque::front);
                oldest.is_some_and(|answer| answer.turn <= *turn)
            });
        }
    }

    fn drop_oldest_of(&mut self, peer: &Peer<P>) {
        let Some(answers) = self.peers.get_mut(peer) else {
            return;
        };
        if let Some(answer) = answers.pop_front() {
            self.kept -= 1;
            self.bytes -= answer.bytes.capacity() + Self::OVERHEAD;
        }
        if answers.is_empty() {
            self.bytes -= Self::PEER;
            self.peers.remove(peer);
        }
    }

    /// Drops the answer whose turn it is, unless it is gone already. False where no turn is left.
    fn take_turn(&mut self) -> bool {
        let Some((turn, peer, _)) = self.turns.pop_front() else {
            return false;
        };
        let oldest = self.peers.get(&peer).and_then(VecDeque::front);
        if oldest.is_some_and(|answer| answer.turn == turn) {
            self.drop_oldest_of(&peer);
        }
        true
    }

    /// Drops what can have no duplicates any more.
    pub(super) fn expire(&mut self, now: Instant) {
        while self.next_timeout().is_some_and(|expires| expires <= now) {
            self.take_turn();
        }
    }

    /// When the oldest answer expires.
    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.turns.front().map(|(_, _, expires)| *expires)
    }

    /// DedupCache dropped before their time, ever.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
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
            answers_per_peer: per_peer,
            answer_bytes: budget,
            ..Limits::default()
        };
        (DedupCache::new(&limits), Instant::now())
    }

    #[test]
    fn an_answer_is_found_until_its_message_id_may_come_again() {
        let (mut answers, start) = bounded(64, 1 << 20);
        answers.keep(
            test_peer(1),
            Confirmable,
            7,
            start + LIFETIME,
            b"answer".to_vec(),
        );
        let found = |now, peer, message_type, id| {
            answers
                .find(now, &test_peer(peer), message_type, id)
                .map(<[u8]>::to_vec)
        };
        let last = start + LIFETIME - Duration::from_millis(1);
        assert_eq!(found(last, 1, Confirmable, 7), Some(b"answer".to_vec()));
        assert_eq!(found(last, 2, Confirmable, 7), None);
        assert_eq!(found(last, 1, NonConfirmable, 7), None);
        assert_eq!(found(last, 1, Confirmable, 8), None);
        assert_eq!(found(start + LIFETIME, 1, Confirmable, 7), None);
        answers.expire(start + LIFETIME);
        assert_eq!(
            (answers.len(), answers.bytes, answers.peers.len()),
            (0, 0, 0)
        );
    }

    #[test]
    fn the_oldest_of_a_peer_leaves_and_other_peers_keep_theirs() {
        let (mut answers, start) = bounded(2, 1 << 20);
        answers.keep(
            test_peer(9),
            Confirmable,
            0,
            start + LIFETIME,
            b"other".to_vec(),
        );
        for id in 0..3 {
            answers.keep(
                test_peer(1),
                Confirmable,
                id,
                start + LIFETIME,
                b"answer".to_vec(),
            );
        }
        assert_eq!(answers.find(start, &test_peer(1), Confirmable, 0), None);
        assert!(answers.find(start, &test_peer(1), Confirmable, 1).is_some());
        assert!(answers.find(start, &test_peer(9), Confirmable, 0).is_some());
        assert_eq!((answers.len(), answers.dropped()), (3, 1));
    }

    #[test]
    fn the_oldest_of_all_leaves_when_the_bytes_are_used_up() {
        let (mut answers, start) = bounded(
            64,
            3 * (DedupCache::<u32>::OVERHEAD + DedupCache::<u32>::PEER + 100),
        );
        for peer in 0..5 {
            answers.keep(
                test_peer(peer),
                Confirmable,
                0,
                start + LIFETIME,
                vec![0; 100],
            );
        }
        let kept: Vec<u32> = (0..5)
            .filter(|peer| {
                answers
                    .find(start, &test_peer(*peer), Confirmable, 0)
                    .is_some()
            })
            .collect();
        assert_eq!(kept, [2, 3, 4]);
        answers.expire(start + LIFETIME);
        assert_eq!((answers.len(), answers.bytes), (0, 0));
    }

    #[test]
    fn a_busy_peer_leaves_no_growing_trail() {
        let (mut answers, start) = bounded(4, 1 << 20);
        for id in 0..60_000 {
            answers.keep(test_peer(1), Confirmable, id, start + LIFETIME, vec![0; 10]);
        }
        assert_eq!(answers.len(), 4);
        assert!(
            answers.turns.len() <= 2 * 4 + 1025,
            "{}",
            answers.turns.len()
        );
        answers.expire(start + LIFETIME);
        assert_eq!(
            (answers.len(), answers.bytes, answers.turns.len()),
            (0, 0, 0)
        );
    }
}
