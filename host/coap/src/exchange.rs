//! Requests without their response: by exchange for the caller, by peer and message ID for duplicates, and by time for
//! the empty ACK that a slow response needs (RFC 7252 §5.2.2).

use std::collections::BTreeSet;
use std::hash::Hash;
use std::time::Instant;

use crate::block::Block;
use crate::cache_key::ResponseKey;
use crate::message::{Message, MessageType, Token};
use crate::message_key::MessageKey;
use crate::observation::Begun;
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
    /// Keyed hash of its bytes, see [`MessageKey`].
    pub(super) digest: u64,
}

/// The parts of a request that its response needs. `C` is the context of a protected request, see
/// [`MessageProtection`](crate::MessageProtection).
#[derive(Clone, Debug)]
pub(super) struct RequestMeta<P, C> {
    pub(super) peer: Peer<P>,
    pub(super) message_type: MessageType,
    pub(super) message_id: u16,
    /// Of the datagram, see [`MessageKey`].
    pub(super) digest: u64,
    pub(super) token: Token,
    pub(super) method: u8,
    pub(super) received_at: Instant,
    pub(super) protection: Option<C>,
    /// The security association of a protected request.
    pub(super) association: Option<u64>,
    pub(super) constraints: ResponseConstraints,
}

impl<P, C> RequestMeta<P, C> {
    pub(super) fn key(&self) -> MessageKey {
        MessageKey {
            message_type: self.message_type,
            message_id: self.message_id,
            digest: self.digest,
        }
    }
}

/// The acknowledgement of a confirmable request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ack {
    /// The response bears it (RFC 7252 §5.2.1).
    Due,
    /// It has left empty: the response is separate (RFC 7252 §5.2.2).
    Sent,
    /// Another request came with its message ID: an ACK with this ID would be taken for that one's. So would a response
    /// of another kind if the other request has its token as well.
    Superseded,
}

/// A request handed to the caller.
pub(super) struct Exchange<P, C> {
    pub(super) meta: RequestMeta<P, C>,
    pub(super) ack: Ack,
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
    /// When its empty ACK is due, if it is confirmable.
    pub(super) ack_due: Instant,
    /// Its response, which waits for the proof of the peer's address.
    pub(super) held: Option<HeldResponse>,
}

/// A response of the caller that does not fit into the bytes that an unproven address may get.
pub(super) struct HeldResponse {
    pub(super) message: Message,
    /// The observation that it begins.
    pub(super) begun: Option<Begun>,
    /// As much of it as fits leaves then.
    pub(super) until: Instant,
}

impl<P, C> Exchange<P, C> {
    /// Bytes of its entries: two maps and the list of its peer, which have twice the room after they have grown.
    pub(super) const OVERHEAD: usize =
        2 * (size_of::<(ExchangeId, Self)>() + 2 * size_of::<Peer<P>>()) + 64;

    fn amount(&self) -> Amount {
        Amount::piece(Self::OVERHEAD + self.bytes)
    }
}

pub(super) struct InProgress {
    key: MessageKey,
    pub(super) id: ExchangeId,
}

pub(super) struct Exchanges<P, C> {
    pub(super) by_id: Map<ExchangeId, Exchange<P, C>>,
    pub(super) by_peer: Map<Peer<P>, Vec<InProgress>>,
    /// Those whose empty ACK has not left.
    pub(super) ack_deadlines: BTreeSet<(Instant, ExchangeId)>,
    /// Those whose response waits for a proof.
    pub(super) proof_deadlines: BTreeSet<(Instant, ExchangeId)>,
    /// Bytes of these responses.
    pub(super) proof_bytes: usize,
    next_id: u64,
    /// Only counts: the bound is in [`Endpoint::admit`](crate::Endpoint).
    shares: Shares,
}

impl<P: Clone + Eq + Hash, C> Exchanges<P, C> {
    pub(super) fn new() -> Self {
        Self {
            by_id: Map::default(),
            by_peer: Map::default(),
            ack_deadlines: BTreeSet::new(),
            proof_deadlines: BTreeSet::new(),
            proof_bytes: 0,
            next_id: 0,
            shares: Shares::new(Bounds::NONE),
        }
    }

    /// Begins an exchange.
    pub(super) fn begin(&mut self, exchange: Exchange<P, C>) -> ExchangeId {
        let id = ExchangeId(self.next_id);
        self.next_id += 1;
        self.insert(id, exchange);
        id
    }

    pub(super) fn insert(&mut self, id: ExchangeId, exchange: Exchange<P, C>) {
        self.shares.add(exchange.meta.peer.owner, exchange.amount());
        let key = exchange.meta.key();
        let peer = exchange.meta.peer.clone();
        self.by_peer
            .entry(peer)
            .or_default()
            .push(InProgress { key, id });
        if key.message_type == MessageType::Confirmable {
            self.ack_deadlines.insert((exchange.ack_due, id));
        }
        self.by_id.insert(id, exchange);
    }

    /// Another request of this peer has the message ID or the token of these exchanges: no response may leave for them
    /// that the peer could take for that request's. An ACK with another ID may, and a separate response with another
    /// token: its device no longer sends its request again, and somebody may have forged the other one.
    pub(super) fn supersede(&mut self, peer: &Peer<P>, key: &MessageKey, token: Token) {
        for request in self.by_peer.get(peer).into_iter().flatten() {
            let Some(exchange) = self.by_id.get_mut(&request.id) else {
                continue;
            };
            let is_piggybacked =
                exchange.meta.message_type == MessageType::Confirmable && exchange.ack == Ack::Due;
            let has_id = request.key.has_id_of(key);
            let has_token = exchange.meta.token == token && (has_id || !is_piggybacked);
            if has_token {
                // Its notifications would be taken for that message's response too.
                exchange.observes = false;
            }
            if has_token || (has_id && is_piggybacked) {
                self.ack_deadlines.remove(&(exchange.ack_due, request.id));
                exchange.ack = Ack::Superseded;
            }
        }
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
        self.ack_deadlines.remove(&(exchange.ack_due, id));
        if let Some(held) = &exchange.held {
            self.proof_deadlines.remove(&(held.until, id));
            self.proof_bytes -= held.message.held_bytes();
        }
        Some(exchange)
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
    pub(super) fn find(&self, peer: &Peer<P>, key: &MessageKey) -> Option<&Exchange<P, C>> {
        let requests = self.by_peer.get(peer)?;
        let same = requests.iter().find(|request| request.key == *key);
        same.and_then(|request| self.by_id.get(&request.id))
    }

    /// Whether an exchange in progress has the ID of this message.
    pub(super) fn has_id_of(&self, peer: &Peer<P>, key: &MessageKey) -> bool {
        let requests = self.by_peer.get(peer).into_iter().flatten();
        requests
            .into_iter()
            .any(|request| request.key.has_id_of(key))
    }

    /// The peer and message ID of a request whose empty ACK is due. It counts as acknowledged from now on.
    pub(super) fn poll_ack_due(&mut self, now: Instant) -> Option<(Peer<P>, u16)> {
        let first = self.ack_deadlines.first().copied();
        let (due, id) = first.filter(|(due, _)| *due <= now)?;
        self.ack_deadlines.remove(&(due, id));
        let exchange = self.by_id.get_mut(&id)?;
        exchange.ack = Ack::Sent;
        Some((exchange.meta.peer.clone(), exchange.meta.message_id))
    }

    /// When the next empty ACK or response is due.
    pub(super) fn next_timeout(&self) -> Option<Instant> {
        let first = [&self.ack_deadlines, &self.proof_deadlines].map(BTreeSet::first);
        first.into_iter().flatten().map(|(due, _)| *due).min()
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
