//! Requests without their response: by exchange for the caller, by peer and message ID for duplicates, and by time for
//! the empty ACK that a slow response needs (RFC 7252 §5.2.2).

use std::collections::VecDeque;
use std::hash::Hash;
use std::time::Instant;

use crate::block::Block;
use crate::cache_key::ResponseKey;
use crate::message::{MessageType, Token};
use crate::peer::{Map, Peer};
use crate::response_constraints::ResponseConstraints;
use share::{Amount, Bounds, Held, Owner, Shares};

/// Identifies one request of one endpoint. An endpoint never uses one twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExchangeId(u64);

/// How a datagram came.
#[derive(Clone, Copy)]
pub(super) struct Arrival {
    /// Its bytes.
    pub(super) wire_bytes: usize,
    /// Its peer is above its rate: it gets 4.29, and the request is not processed.
    pub(super) limited: bool,
    /// It came to a group.
    pub(super) multicast: bool,
}

/// The parts of a request that its response needs. `C` is the context of a protected request, see
/// [`MessageProtection`](crate::MessageProtection).
#[derive(Clone, Debug)]
pub(super) struct RequestMeta<P, C> {
    pub(super) peer: Peer<P>,
    pub(super) message_type: MessageType,
    pub(super) message_id: u16,
    pub(super) token: Token,
    pub(super) method: u8,
    pub(super) received_at: Instant,
    pub(super) protection: Option<C>,
    pub(super) constraints: ResponseConstraints,
}

/// A request handed to the caller.
pub(super) struct Exchange<P, C> {
    pub(super) meta: RequestMeta<P, C>,
    /// Whether the empty ACK has left: then the response is separate (RFC 7252 §5.2.2).
    pub(super) acknowledged: bool,
    /// Key of the response's body if it leaves in blocks.
    pub(super) response_key: ResponseKey<P>,
    /// The last block of its body. The response repeats it (RFC 7959 §2.3).
    pub(super) block1: Option<Block>,
    /// The block of the response that it asks for.
    pub(super) block2: Option<Block>,
    /// Whether it asks for an observation (RFC 7641 §3.1).
    pub(super) observes: bool,
    /// Whether it asks for the size of the response (Size2).
    pub(super) wants_size: bool,
    /// Bytes of the request, which the caller has until it responds.
    pub(super) bytes: usize,
}

impl<P, C> Exchange<P, C> {
    /// Bytes of its entries: two maps and the list of its peer, which have twice the room after they have grown.
    pub(super) const OVERHEAD: usize =
        2 * (size_of::<(ExchangeId, Self)>() + 2 * size_of::<Peer<P>>()) + 64;

    fn amount(&self) -> Amount {
        Amount::piece(Self::OVERHEAD + self.bytes)
    }
}

/// Entries of finished exchanges that need no removal: to remove them one by one would cost more than their bytes.
const FEW_FINISHED: usize = 64;

struct InProgress {
    message_type: MessageType,
    message_id: u16,
    id: ExchangeId,
}

pub(super) struct Exchanges<P, C> {
    by_id: Map<ExchangeId, Exchange<P, C>>,
    by_peer: Map<Peer<P>, Vec<InProgress>>,
    /// The delay is the same for all, so the order of arrival is the order of time. Finished exchanges are skipped, and
    /// removed before they are more than those in progress.
    ack_deadlines: VecDeque<(Instant, ExchangeId)>,
    next_id: u64,
    /// Only counts: the bound is one of exchanges and waiting responses together.
    shares: Shares,
}

impl<P: Clone + Eq + Hash, C> Exchanges<P, C> {
    pub(super) fn new() -> Self {
        Self {
            by_id: Map::default(),
            by_peer: Map::default(),
            ack_deadlines: VecDeque::new(),
            next_id: 0,
            shares: Shares::new(Bounds::NONE),
        }
    }

    /// Begins an exchange. A confirmable one is due for its empty ACK at `ack_deadline`.
    pub(super) fn begin(&mut self, exchange: Exchange<P, C>, ack_deadline: Instant) -> ExchangeId {
        let id = ExchangeId(self.next_id);
        self.next_id += 1;
        self.shares.add(exchange.meta.peer.owner, exchange.amount());
        let (message_type, message_id) = (exchange.meta.message_type, exchange.meta.message_id);
        let peer = exchange.meta.peer.clone();
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

    /// Ends an exchange; none if it has ended before.
    pub(super) fn finish(&mut self, id: ExchangeId) -> Option<Exchange<P, C>> {
        let exchange = self.by_id.remove(&id)?;
        self.shares
            .give_back(exchange.meta.peer.owner, exchange.amount());
        if let Some(requests) = self.by_peer.get_mut(&exchange.meta.peer) {
            requests.retain(|request| request.id != id);
            if requests.is_empty() {
                self.by_peer.remove(&exchange.meta.peer);
            }
        }
        self.skip_finished();
        Some(exchange)
    }

    fn skip_finished(&mut self) {
        // One slow request at the front must not keep the entries of all that end within its delay.
        if self.ack_deadlines.len() > 2 * self.by_id.len() + FEW_FINISHED {
            let by_id = &self.by_id;
            self.ack_deadlines.retain(|(_, id)| by_id.contains_key(id));
        }
        while self
            .ack_deadlines
            .front()
            .is_some_and(|(_, id)| !self.by_id.contains_key(id))
        {
            self.ack_deadlines.pop_front();
        }
    }

    /// An exchange in progress.
    pub(super) fn get(&self, id: ExchangeId) -> Option<&Exchange<P, C>> {
        self.by_id.get(&id)
    }

    /// The same, to change it.
    pub(super) fn get_mut(&mut self, id: ExchangeId) -> Option<&mut Exchange<P, C>> {
        self.by_id.get_mut(&id)
    }

    /// The exchange that this message began, if it is in progress.
    pub(super) fn find(
        &self,
        peer: &Peer<P>,
        message_type: MessageType,
        message_id: u16,
    ) -> Option<&Exchange<P, C>> {
        let requests = self.by_peer.get(peer)?;
        let same = |request: &&InProgress| {
            request.message_id == message_id && request.message_type == message_type
        };
        requests
            .iter()
            .find(same)
            .and_then(|request| self.by_id.get(&request.id))
    }

    /// The peer and message ID of a request whose empty ACK is due. It counts as acknowledged from now on.
    pub(super) fn poll_ack_due(&mut self, now: Instant) -> Option<(Peer<P>, u16)> {
        while let Some((deadline, id)) = self.ack_deadlines.front().copied() {
            if deadline > now {
                return None;
            }
            self.ack_deadlines.pop_front();
            if let Some(exchange) = self.by_id.get_mut(&id) {
                exchange.acknowledged = true;
                let due = (exchange.meta.peer.clone(), exchange.meta.message_id);
                self.skip_finished();
                return Some(due);
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

    /// What an owner holds, and all of them.
    pub(super) fn held(&self, owner: Owner) -> Held {
        self.shares.held(owner)
    }

    pub(super) fn shares(&self) -> &Shares {
        &self.shares
    }

    /// The peer of each exchange.
    pub(super) fn peers(&self) -> impl Iterator<Item = &Peer<P>> {
        self.by_id.values().map(|exchange| &exchange.meta.peer)
    }

    /// Bytes that the responses to a peer's requests may take, while its address is not proven.
    pub(super) fn reserved(&self, peer: &Peer<P>) -> usize {
        let requests = self.by_peer.get(peer).into_iter().flatten();
        let exchanges = requests.filter_map(|request| self.by_id.get(&request.id));
        let allowances = exchanges.map(|exchange| exchange.meta.constraints.allowance);
        allowances
            .filter(|allowance| *allowance != usize::MAX)
            .sum()
    }

    /// Entries for empty ACKs.
    #[cfg(test)]
    pub(super) fn ack_entries(&self) -> usize {
        self.ack_deadlines.len()
    }

    /// Exchanges in all.
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }
}
