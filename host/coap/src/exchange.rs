//! Requests whose answer is owed: by exchange for the caller, by peer and message ID for duplicates, and by
//! time for the empty ACK that a slow answer needs.

use std::collections::VecDeque;
use std::hash::Hash;
use std::time::Instant;

use super::block::Block;
use super::cache_key::ResponseKey;
use super::message::{MessageType, Token};
use super::peer::{Map, Peer};
use super::response_constraints::ResponseConstraints;

/// Names one request of one endpoint; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExchangeId(u64);

/// How a request came, which is all that an answer to it needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct RequestMeta<P> {
    pub(super) peer: Peer<P>,
    pub(super) message_type: MessageType,
    pub(super) message_id: u16,
    pub(super) token: Token,
    pub(super) method: u8,
    pub(super) at: Instant,
    pub(super) terms: ResponseConstraints,
}

/// A request handed to the caller.
pub(super) struct Exchange<P> {
    pub(super) arrival: RequestMeta<P>,
    /// Whether the empty ACK has left: then the response is separate (RFC 7252 §5.2.2).
    pub(super) acknowledged: bool,
    /// Under which the response's body is stored if it leaves in blocks.
    pub(super) response_key: ResponseKey<P>,
    /// The last block of its body, which the response names (RFC 7959 §2.3).
    pub(super) block1: Option<Block>,
    /// Which block of the response it asks for.
    pub(super) block2: Option<Block>,
    /// Whether it asks for an observation (RFC 7641 §3.1).
    pub(super) observes: bool,
    /// Whether it asks for the size of the response (Size2).
    pub(super) wants_size: bool,
}

struct InProgress {
    message_type: MessageType,
    message_id: u16,
    id: ExchangeId,
}

pub(super) struct Exchanges<P> {
    by_id: Map<ExchangeId, Exchange<P>>,
    by_peer: Map<Peer<P>, Vec<InProgress>>,
    /// The delay is the same for all, so the order of arrival is the order of time. What was answered in
    /// time is skipped.
    ack_deadlines: VecDeque<(Instant, ExchangeId)>,
    next_id: u64,
}

impl<P: Copy + Eq + Hash> Exchanges<P> {
    pub(super) fn new() -> Self {
        Self {
            by_id: Map::default(),
            by_peer: Map::default(),
            ack_deadlines: VecDeque::new(),
            next_id: 0,
        }
    }

    /// Begins an exchange. A confirmable one is due for its empty ACK at `ack_deadline`.
    pub(super) fn begin(&mut self, exchange: Exchange<P>, ack_deadline: Instant) -> ExchangeId {
        let id = ExchangeId(self.next_id);
        self.next_id += 1;
        let RequestMeta {
            peer,
            message_type,
            message_id,
            ..
        } = exchange.arrival;
        self.by_peer.entry(peer).or_default().push(InProgress {
            message_type,
            message_id,
            id,
        });
        if message_type == MessageType::Confirmable {
            self.ack_deadlines.push_back((ack_deadline, id));
        }
        self.by_id.insert(id, exchange);
        id
    }

    /// Ends an exchange; none where it has ended before.
    pub(super) fn finish(&mut self, id: ExchangeId) -> Option<Exchange<P>> {
        let exchange = self.by_id.remove(&id)?;
        if let Some(requests) = self.by_peer.get_mut(&exchange.arrival.peer) {
            requests.retain(|request| request.id != id);
            if requests.is_empty() {
                self.by_peer.remove(&exchange.arrival.peer);
            }
        }
        self.skip_answered();
        Some(exchange)
    }

    fn skip_answered(&mut self) {
        while self
            .ack_deadlines
            .front()
            .is_some_and(|(_, id)| !self.by_id.contains_key(id))
        {
            self.ack_deadlines.pop_front();
        }
    }

    /// An exchange in progress.
    pub(super) fn get(&self, id: ExchangeId) -> Option<&Exchange<P>> {
        self.by_id.get(&id)
    }

    /// The exchange that this very message began, if it is still in progress.
    pub(super) fn find(
        &self,
        peer: &Peer<P>,
        message_type: MessageType,
        message_id: u16,
    ) -> Option<&Exchange<P>> {
        let requests = self.by_peer.get(peer)?;
        let same = |request: &&InProgress| {
            request.message_id == message_id && request.message_type == message_type
        };
        requests
            .iter()
            .find(same)
            .and_then(|request| self.by_id.get(&request.id))
    }

    /// One exchange whose empty ACK is due; it counts as acknowledged from now on.
    pub(super) fn poll_ack_due(&mut self, now: Instant) -> Option<RequestMeta<P>> {
        while let Some((deadline, id)) = self.ack_deadlines.front().copied() {
            if deadline > now {
                return None;
            }
            self.ack_deadlines.pop_front();
            if let Some(exchange) = self.by_id.get_mut(&id) {
                exchange.acknowledged = true;
                let arrival = exchange.arrival;
                self.skip_answered();
                return Some(arrival);
            }
        }
        None
    }

    /// When the next empty ACK is due.
    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.ack_deadlines.front().map(|(deadline, _)| *deadline)
    }

    /// Exchanges of one peer.
    pub(super) fn of_peer(&self, peer: &Peer<P>) -> usize {
        self.by_peer.get(peer).map_or(0, Vec::len)
    }

    /// Exchanges in all.
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }
}
