//! The server endpoint: what callers feed and poll. What happens to a datagram is in `receive`.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::hash::Hash;
use std::time::Instant;

use super::block1::Block1Reassembler;
use super::block2::Block2Cache;
use super::counters::Counters;
use super::dedup::DedupCache;
use super::echo::Echo;
use super::exchange::{ExchangeId, Exchanges};
use super::limits::Limits;
use super::message::{Message, MessageType};
use super::multicast::LeisureQueue;
use super::observer_table::{Ended, Observations};
use super::peer_table::PeerTable;
use super::rate::Rate;
use super::reliability::{Due, Purpose, Reliability};
use super::secret::Secret;

/// A request for the caller, seen once however often it was transmitted. It must be answered with
/// [`Endpoint::respond`] sooner or later: until then it counts against the bounds.
#[derive(Debug)]
pub struct Incoming<P> {
    /// Names it when it is answered.
    pub id: ExchangeId,
    /// Who asks.
    pub peer: P,
    /// Confirmable or not; the answer follows it.
    pub message_type: MessageType,
    /// What is asked. The body is whole; Block1, Block2, Size1, Size2, Request-Tag and Observe are taken out.
    pub request: Message,
    /// Whether it asks for an observation: then [`Endpoint::respond_observing`] may begin one.
    pub observes: bool,
    /// Bytes of all its datagrams.
    pub wire_bytes: usize,
    /// It came to a group: answers other than a success with a payload are not sent.
    pub multicast: bool,
}

/// A datagram to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmit<P> {
    /// To whom.
    pub peer: P,
    /// The whole datagram.
    pub bytes: Vec<u8>,
}

/// A CoAP server without socket and clock. `P` names a peer: an address pair, or a session.
///
/// After each call that takes `now`, poll [`poll_request`](Self::poll_request) and
/// [`poll_transmit`](Self::poll_transmit) until they are empty, and call
/// [`handle_timeout`](Self::handle_timeout) at [`next_timeout`](Self::next_timeout). Time never goes back.
pub struct Endpoint<P> {
    pub(super) limits: Limits,
    pub(super) secret: Secret,
    pub(super) exchanges: Exchanges<P>,
    pub(super) answers: DedupCache<P>,
    pub(super) reliability: Reliability<P>,
    pub(super) assemblies: Block1Reassembler<P>,
    pub(super) responses: Block2Cache<P>,
    pub(super) observations: Observations<P>,
    pub(super) known: PeerTable,
    pub(super) echo: Echo,
    /// Of RSTs to malformed messages, and its account.
    pub(super) resets: Option<Rate>,
    pub(super) resets_full_at: Option<Instant>,
    pub(super) leisurely: LeisureQueue<P>,
    pub(super) requests: VecDeque<Incoming<P>>,
    pub(super) transmits: VecDeque<Transmit<P>>,
    pub(super) counters: Counters,
    pub(super) latest_refusal: Option<(P, u8)>,
}

impl<P: Copy + Eq + Hash + Debug> Endpoint<P> {
    /// An endpoint that has met nobody. `seed` must be random: message IDs come from it.
    pub fn new(limits: Limits, seed: [u8; 16]) -> Self {
        let secret = Secret::new(seed);
        Self {
            exchanges: Exchanges::new(),
            answers: DedupCache::new(&limits),
            reliability: Reliability::new(&limits, secret.clone()),
            assemblies: Block1Reassembler::new(&limits),
            responses: Block2Cache::new(&limits),
            observations: Observations::new(&limits),
            known: PeerTable::new(&limits),
            echo: Echo::new(secret.clone()),
            resets: Rate::per_second(limits.resets_per_second),
            resets_full_at: None,
            leisurely: LeisureQueue::new(limits.leisurely_answers),
            requests: VecDeque::new(),
            transmits: VecDeque::new(),
            counters: Counters::default(),
            latest_refusal: None,
            secret,
            limits,
        }
    }

    /// The next request to answer.
    pub fn poll_request(&mut self) -> Option<Incoming<P>> {
        self.requests.pop_front()
    }

    /// The next datagram to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit<P>> {
        self.transmits.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do; none while nothing is pending.
    pub fn next_timeout(&self) -> Option<Instant> {
        [
            self.exchanges.next_timeout(),
            self.reliability.next_timeout(),
            self.answers.next_timeout(),
            self.assemblies.next_timeout(),
            self.responses.next_timeout(),
            self.leisurely.next_timeout(),
            self.observations.next_timeout(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Sends what is due (empty ACKs, retransmissions) and forgets what is over. Harmless when called early.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(arrival) = self.exchanges.poll_ack_due(now) {
            self.transmit_empty(
                arrival.peer,
                MessageType::Acknowledgement,
                arrival.message_id,
            );
        }
        while let Some(due) = self.reliability.poll_due(now) {
            match due {
                Due::Retransmit(peer, bytes, owner) => self.retransmit(now, peer, bytes, owner),
                Due::GivenUp(peer, owners) => {
                    for owner in owners {
                        self.counters.given_up += u64::from(owner != Purpose::Proof);
                        match owner {
                            Purpose::Notification(id) | Purpose::FirstAnswer(id) => {
                                self.end(now, id, Ended::Unacknowledged);
                            }
                            Purpose::Proof => self.is_gone(now, &peer),
                            Purpose::Response => {}
                        }
                    }
                }
            }
        }
        while let Some((peer, bytes)) = self.leisurely.poll_due(now) {
            self.transmit(peer, bytes);
        }
        self.answers.expire(now);
        self.assemblies.expire(now);
        self.responses.expire(now);
        self.observations.expire_fetches(now);
    }

    /// Exchanges that are not finished: the caller owes an answer, or the peer has not acknowledged a
    /// separate one. Zero means that a draining gateway may stop.
    pub fn in_flight(&self) -> usize {
        self.exchanges.len() + self.reliability.outstanding()
    }

    /// What happened so far.
    pub fn counters(&self) -> Counters {
        Counters {
            bodies_refused: self.counters.bodies_refused + self.responses.refused(),
            bodies_dropped: self.assemblies.dropped() + self.responses.dropped(),
            retained_responses_evicted: self.answers.dropped(),
            peers_forgotten: self.known.forgotten(),
            ..self.counters.clone()
        }
    }

    /// The last request that was refused here and not handed to the caller: its peer, and the code of the answer.
    pub fn latest_refusal(&self) -> Option<(P, u8)> {
        self.latest_refusal
    }

    /// Entries of every store together.
    #[cfg(test)]
    pub(super) fn state_left(&self) -> usize {
        let bodies = self.assemblies.len() + self.responses.len();
        self.in_flight()
            + self.observations.len()
            + self.answers.len()
            + bodies
            + self.leisurely.len()
            + self.requests.len()
            + self.transmits.len()
    }
}
