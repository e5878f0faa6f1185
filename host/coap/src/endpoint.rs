//! The server endpoint: the functions that its caller polls, and its timers. `receive` handles datagrams.

use std::collections::VecDeque;
use std::time::Instant;

use crate::block1::Block1Reassembler;
use crate::block2::Block2Cache;
use crate::counters::Counters;
use crate::dedup::DedupCache;
use crate::deferred::Deferred;
use crate::echo::Echo;
use crate::exchange::Exchanges;
use crate::first_block::FirstBlock;
use crate::incoming::Incoming;
use crate::known_options::KnownOptions;
use crate::last_numbers::LastNumbers;
use crate::leisure::LeisureQueue;
use crate::limits::Limits;
use crate::message::MessageType;
use crate::observer_table::Observations;
use crate::outbound::Due;
use crate::peer_id::PeerId;
use crate::peer_table::{PeerTable, Separate};
use crate::protection::{MessageProtection, NoProtection};
use crate::rate::Rate;
use crate::reliability::Reliability;
use crate::secret::Secret;

/// A datagram to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmit<P> {
    /// The receiver.
    pub peer: P,
    /// The whole datagram.
    pub bytes: Vec<u8>,
}

/// A CoAP server without socket and clock. `P` identifies peers, and `X` protects messages.
///
/// After each call that takes `now`, poll [`poll_request`](Self::poll_request), [`poll_transmit`](Self::poll_transmit)
/// and [`poll_observe_event`](Self::poll_observe_event) until they return `None`, and call
/// [`handle_timeout`](Self::handle_timeout) at [`next_timeout`](Self::next_timeout). `now` must not go back.
pub struct Endpoint<P, X = NoProtection>
where
    X: MessageProtection<P>,
{
    pub(super) limits: Limits,
    pub(super) secret: Secret,
    pub(super) protection: X,
    pub(super) exchanges: Exchanges<P, X::Context>,
    pub(super) dedup: DedupCache<P>,
    pub(super) deferred: Deferred<P, X::Context>,
    pub(super) reliability: Reliability<P>,
    pub(super) block1: Block1Reassembler<P>,
    pub(super) block2: Block2Cache<P>,
    pub(super) observations: Observations<P, X::Context>,
    pub(super) peers: PeerTable,
    pub(super) echo: Echo,
    /// Rate of RSTs to malformed messages, and its account.
    pub(super) resets: Option<Rate>,
    pub(super) resets_full_at: Option<Instant>,
    pub(super) leisure: LeisureQueue<P>,
    pub(super) requests: VecDeque<Incoming<P, X::Context>>,
    /// First blocks that the caller judges; none if it does not.
    pub(super) first_blocks: Option<VecDeque<FirstBlock<P, X::Context>>>,
    pub(super) transmits: VecDeque<Transmit<P>>,
    pub(super) counters: Counters,
    pub(super) latest_refusal: Option<(P, u8)>,
    pub(super) latest_reused_id: Option<P>,
    pub(super) last_numbers: LastNumbers,
    pub(super) known_options: KnownOptions,
}

impl<P: PeerId> Endpoint<P> {
    /// An endpoint without state that sends and receives messages unprotected. `seed` must be random and secret:
    /// message IDs, Echo values and hashes come from it.
    pub fn new(limits: Limits, seed: [u8; 16]) -> Self {
        Self::with_protection(limits, seed, NoProtection)
    }
}

impl<P: PeerId, X: MessageProtection<P>> Endpoint<P, X> {
    /// An endpoint that passes its messages through `protection`. See [`new`](Endpoint::new) for `seed`.
    pub fn with_protection(limits: Limits, seed: [u8; 16], protection: X) -> Self {
        let secret = Secret::new(seed);
        Self {
            protection,
            exchanges: Exchanges::new(),
            dedup: DedupCache::new(&limits),
            deferred: Deferred::new(),
            reliability: Reliability::new(&limits, secret.clone()),
            block1: Block1Reassembler::new(&limits),
            block2: Block2Cache::new(&limits),
            observations: Observations::new(&limits),
            peers: PeerTable::new(&limits),
            echo: Echo::new(secret.clone()),
            resets: Rate::per_second(limits.resets_per_second),
            resets_full_at: None,
            leisure: LeisureQueue::new(limits.multicast_responses),
            requests: VecDeque::new(),
            first_blocks: None,
            transmits: VecDeque::new(),
            counters: Counters::default(),
            latest_refusal: None,
            latest_reused_id: None,
            last_numbers: LastNumbers::default(),
            known_options: KnownOptions::default(),
            secret,
            limits,
        }
    }

    /// The next request to respond to.
    pub fn poll_request(&mut self) -> Option<Incoming<P, X::Context>> {
        self.requests.pop_front()
    }

    /// The next datagram to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit<P>> {
        self.transmits.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) has work; none if nothing is pending.
    pub fn next_timeout(&self) -> Option<Instant> {
        [
            self.exchanges.next_timeout(),
            self.reliability.next_timeout(),
            self.dedup.next_timeout(),
            self.block1.bodies.next_timeout(),
            self.block2.bodies.next_timeout(),
            self.leisure.next_timeout(),
            self.observations.next_timeout(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Sends due empty ACKs and retransmissions, and drops expired state. An early call does no harm.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.respond_unproven(now);
        while let Some((peer, message_id)) = self.exchanges.poll_ack_due(now) {
            self.transmit_empty(&peer, MessageType::Acknowledgement, message_id);
        }
        loop {
            let peers = &self.peers;
            let due = self
                .reliability
                .poll_due(now, |peer| peers.separate(peer.hash) == Separate::Ignored);
            let Some(due) = due else {
                break;
            };
            match due {
                Due::Retransmit(peer, bytes, purpose) => {
                    self.retransmit(now, &peer, bytes, purpose);
                }
                Due::Unacknowledged(peer, purpose) => self.give_up(now, &peer, purpose),
            }
        }
        while let Some((peer, bytes)) = self.leisure.pop_due(now) {
            self.transmit(&peer, bytes);
        }
        self.dedup.expire(now);
        self.block1.bodies.expire(now);
        self.block2.bodies.expire(now);
        self.observations.expire_fetches(now);
        self.collect_counters();
    }

    /// Exchanges that have not finished: the caller has not responded, or the peer has not acknowledged a separate
    /// response, a notification or a ping. At zero, a server that shuts down may stop.
    pub fn in_flight(&self) -> usize {
        self.exchanges.len() + self.reliability.outstanding()
    }

    /// Counts of events since the endpoint was made.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Takes over the counts that the stores keep.
    pub(super) fn collect_counters(&mut self) {
        self.counters.bodies_refused = self.block1.bodies.refused() + self.block2.bodies.refused();
        self.counters.bodies_dropped = self.block1.bodies.dropped() + self.block2.bodies.dropped();
        let [block1, block2] = [
            self.block1.bodies.refused_by_share(),
            self.block2.bodies.refused_by_share(),
        ];
        self.counters.bodies_above_share = block1 + block2;
        self.counters.observations_above_share = self.observations.refused_by_share();
        self.counters.retained_responses_evicted = self.dedup.evicted();
        self.counters.peers_forgotten = self.peers.forgotten();
    }

    /// The last request that the endpoint refused without its caller: the peer, and the code of the response.
    pub fn latest_refusal(&self) -> Option<(&P, u8)> {
        self.latest_refusal
            .as_ref()
            .map(|(peer, code)| (peer, *code))
    }

    /// The last peer since the last call that used a message ID again for another request
    /// ([`Counters::message_ids_reused`]).
    pub fn take_reused_id(&mut self) -> Option<P> {
        self.latest_reused_id.take()
    }

    /// The protection that the endpoint was made with.
    pub fn protection(&self) -> &X {
        &self.protection
    }

    /// The same, to change its contexts.
    pub fn protection_mut(&mut self) -> &mut X {
        &mut self.protection
    }

    /// Entries of every store together.
    #[cfg(test)]
    pub(super) fn state_left(&self) -> usize {
        let bodies = self.block1.bodies.len() + self.block2.bodies.len();
        self.in_flight()
            + self.observations.len()
            + self.dedup.len()
            + bodies
            + self.leisure.len()
            + self.requests.len()
            + self.transmits.len()
    }
}
