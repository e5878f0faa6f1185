//! Own confirmable messages (RFC 7252 §4.2): retransmitted until acknowledged, reset or given up, one at a time
//! toward each peer (NSTART = 1, §4.7); the others wait. How many may wait is bounded by who sends them: the
//! exchanges in flight per peer count them.

use std::collections::{BTreeMap, VecDeque};
use std::hash::Hash;
use std::time::{Duration, Instant};

use super::codec;
use super::limits::Limits;
use super::message::Datagram;
use super::message_id::MessageIds;
use super::peer::{Map, Peer};
use super::secret::Secret;

/// The one confirmable message under way toward a peer, and those behind it.
struct Outbound {
    message_id: u16,
    bytes: Vec<u8>,
    timer: (Instant, u64),
    timeout: Duration,
    retransmissions: u32,
    waiting: VecDeque<Datagram>,
}

/// What came of the messages toward a peer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// Bytes to send now.
    pub(super) transmit: Option<Vec<u8>>,
    /// Messages dropped because no message ID was free.
    pub(super) without_id: u64,
}

/// Confirmable messages of all peers.
pub(super) struct Reliability<P> {
    peers: Map<Peer<P>, Outbound>,
    timers: BTreeMap<(Instant, u64), Peer<P>>,
    next_timer: u64,
    outstanding: usize,
    message_ids: MessageIds,
    secret: Secret,
    timeout: Duration,
    random_factor: f64,
    max_retransmit: u32,
}

/// What a due timer led to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due<P> {
    /// Send again.
    Retransmit(Peer<P>, Vec<u8>),
    /// The peer never answered: this many messages to it are dropped.
    GivenUp(u64),
}

impl<P: Copy + Eq + Hash> Reliability<P> {
    pub(super) fn new(limits: &Limits, secret: Secret) -> Self {
        Self {
            peers: Map::default(),
            timers: BTreeMap::new(),
            next_timer: 0,
            outstanding: 0,
            message_ids: MessageIds::new(secret.clone(), limits.exchange_lifetime),
            secret,
            timeout: limits.ack_timeout,
            random_factor: limits.ack_random_factor,
            max_retransmit: limits.max_retransmit,
        }
    }

    /// A message ID for a message that is not retransmitted.
    pub(super) fn message_id(&mut self, now: Instant, peer: Peer<P>) -> Option<u16> {
        self.message_ids.next(now, peer.hash)
    }

    /// Sends a confirmable message, or lets it wait for the one under way. Its message ID is set when it leaves,
    /// so that the ID's lifetime begins then.
    pub(super) fn send(&mut self, now: Instant, peer: Peer<P>, datagram: Datagram) -> Outcome {
        if let Some(outbound) = self.peers.get_mut(&peer) {
            outbound.waiting.push_back(datagram);
            self.outstanding += 1;
            return Outcome::default();
        }
        self.start(now, peer, VecDeque::from([datagram]))
    }

    /// Sends the first of these messages that gets an ID; the rest waits.
    fn start(&mut self, now: Instant, peer: Peer<P>, mut waiting: VecDeque<Datagram>) -> Outcome {
        let mut outcome = Outcome::default();
        while let Some(mut datagram) = waiting.pop_front() {
            let Some(message_id) = self.message_ids.next(now, peer.hash) else {
                outcome.without_id += 1;
                continue;
            };
            datagram.message_id = message_id;
            let bytes = codec::encode(&datagram);
            let spread = (self.random_factor - 1.0).max(0.0);
            let timeout = self.timeout.mul_f64(1.0 + spread * self.secret.fraction());
            let timer = self.set_timer(now + timeout, peer);
            outcome.transmit = Some(bytes.clone());
            self.outstanding += 1 + waiting.len();
            self.peers.insert(
                peer,
                Outbound {
                    message_id,
                    bytes,
                    timer,
                    timeout,
                    retransmissions: 0,
                    waiting,
                },
            );
            break;
        }
        outcome
    }

    fn set_timer(&mut self, at: Instant, peer: Peer<P>) -> (Instant, u64) {
        let timer = (at, self.next_timer);
        self.next_timer += 1;
        self.timers.insert(timer, peer);
        timer
    }

    /// An ACK or RST came. None where it answers nothing that is under way; else the next message leaves.
    pub(super) fn settle(
        &mut self,
        now: Instant,
        peer: Peer<P>,
        message_id: u16,
    ) -> Option<Outcome> {
        self.peers
            .get(&peer)
            .filter(|outbound| outbound.message_id == message_id)?;
        let outbound = self.remove(&peer)?;
        Some(self.start(now, peer, outbound.waiting))
    }

    fn remove(&mut self, peer: &Peer<P>) -> Option<Outbound> {
        let outbound = self.peers.remove(peer)?;
        self.timers.remove(&outbound.timer);
        self.outstanding -= 1 + outbound.waiting.len();
        Some(outbound)
    }

    /// Handles one due timer. A peer that was silent through every retransmission gets none of the waiting
    /// messages either: they would keep state for minutes each.
    pub(super) fn poll_due(&mut self, now: Instant) -> Option<Due<P>> {
        let (timer, peer) = self
            .timers
            .first_key_value()
            .map(|(timer, peer)| (*timer, *peer))?;
        if timer.0 > now {
            return None;
        }
        self.timers.remove(&timer);
        match self.peers.get_mut(&peer) {
            Some(outbound) if outbound.retransmissions < self.max_retransmit => {
                outbound.retransmissions += 1;
                outbound.timeout *= 2;
                outbound.timer = (now + outbound.timeout, self.next_timer);
                self.next_timer += 1;
                self.timers.insert(outbound.timer, peer);
                Some(Due::Retransmit(peer, outbound.bytes.clone()))
            }
            _ => {
                let dropped = self
                    .remove(&peer)
                    .map_or(0, |outbound| 1 + outbound.waiting.len());
                Some(Due::GivenUp(dropped as u64))
            }
        }
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.timers.first_key_value().map(|((at, _), _)| *at)
    }

    /// Messages toward this peer that are under way or waiting.
    pub(super) fn of_peer(&self, peer: &Peer<P>) -> usize {
        self.peers
            .get(peer)
            .map_or(0, |outbound| 1 + outbound.waiting.len())
    }

    /// Messages under way or waiting in all.
    pub(super) fn outstanding(&self) -> usize {
        self.outstanding
    }
}
