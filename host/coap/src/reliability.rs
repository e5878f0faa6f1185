//! Own confirmable messages (RFC 7252 §4.2): retransmitted until acknowledged, reset or given up, one at a time
//! toward each peer (NSTART = 1, §4.7); the others wait. How many may wait is bounded by who sends them: the
//! exchanges in flight per peer count them.

use std::collections::{BTreeMap, VecDeque};
use std::hash::Hash;
use std::time::{Duration, Instant};

use super::codec;
use super::limits::Limits;
use super::message::{Datagram, MessageType};
use super::message_id::MessageIds;
use super::observer_table::ObservationId;
use super::peer::{Map, Peer};
use super::secret::Secret;

/// Whom a confirmable message belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The exchange that it answers; whatever becomes of it, nobody waits for it.
    Response,
    /// An exchange that has begun an observation.
    FirstAnswer(ObservationId),
    /// An observation, which goes on or ends with it.
    Notification(ObservationId),
    /// Nobody: its answer proves the peer's address.
    Proof,
}

impl Purpose {
    fn is_response(self) -> bool {
        matches!(self, Self::Response | Self::FirstAnswer(_))
    }
}

/// A message that waits for the one under way.
struct Waiting {
    owner: Purpose,
    content: Content,
}

enum Content {
    /// Never sent.
    New(Datagram),
    /// Sent before, and to be sent again as it was: whoever has received it knows it by its message ID.
    Again { message_id: u16, bytes: Vec<u8> },
}

impl Waiting {
    fn was_sent_as(&self, id: u16) -> bool {
        matches!(self.content, Content::Again { message_id, .. } if message_id == id)
    }
}

/// The one confirmable message under way toward a peer, and those behind it.
struct Outbound {
    owner: Purpose,
    message_id: u16,
    bytes: Vec<u8>,
    timer: (Instant, u64),
    timeout: Duration,
    retransmissions: u32,
    waiting: VecDeque<Waiting>,
}

impl Outbound {
    fn owners(&self) -> impl Iterator<Item = Purpose> {
        let waiting = self.waiting.iter().map(|waiting| waiting.owner);
        [self.owner].into_iter().chain(waiting)
    }

    fn responses(&self) -> usize {
        self.owners().filter(|owner| owner.is_response()).count()
    }
}

/// What came of the messages toward a peer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// Bytes to send now.
    pub(super) transmit: Option<Vec<u8>>,
    /// Messages dropped because no message ID was free.
    pub(super) without_id: Vec<Purpose>,
}

/// Confirmable messages of all peers.
pub(super) struct Reliability<P> {
    peers: Map<Peer<P>, Outbound>,
    timers: BTreeMap<(Instant, u64), Peer<P>>,
    next_timer: u64,
    outstanding: usize,
    responses: usize,
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
    Retransmit(Peer<P>, Vec<u8>, Purpose),
    /// The peer never answered: these messages to it are dropped.
    GivenUp(Peer<P>, Vec<Purpose>),
}

impl<P: Copy + Eq + Hash> Reliability<P> {
    pub(super) fn new(limits: &Limits, secret: Secret) -> Self {
        Self {
            peers: Map::default(),
            timers: BTreeMap::new(),
            next_timer: 0,
            outstanding: 0,
            responses: 0,
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

    /// A message ID for a non-confirmable answer, while there are more than confirmable messages need.
    pub(super) fn spare_message_id(&mut self, now: Instant, peer: Peer<P>) -> Option<u16> {
        self.message_ids.next_spare(now, peer.hash)
    }

    /// Sends a confirmable message, or lets it wait for the one under way. Its message ID is set when it leaves,
    /// so that the ID's lifetime begins then.
    pub(super) fn send(
        &mut self,
        now: Instant,
        peer: Peer<P>,
        datagram: Datagram,
        owner: Purpose,
    ) -> Outcome {
        self.outstanding += 1;
        self.responses += usize::from(owner.is_response());
        let content = Content::New(datagram);
        let waiting = Waiting { owner, content };
        if let Some(outbound) = self.peers.get_mut(&peer) {
            outbound.waiting.push_back(waiting);
            return Outcome::default();
        }
        self.start(now, peer, VecDeque::from([waiting]))
    }

    /// Lets the message under way wait until the peer has proven its address: an empty confirmable message takes its turn.
    pub(super) fn prove_before(&mut self, now: Instant, peer: Peer<P>) -> Outcome {
        let Some(message_id) = self.message_ids.next(now, peer.hash) else {
            return Outcome::default();
        };
        let Some(mut outbound) = self.remove(&peer) else {
            return Outcome::default();
        };
        // One that waits already comes now.
        let before = outbound.waiting.len();
        let is_proof = |waiting: &Waiting| waiting.owner == Purpose::Proof;
        outbound.waiting.retain(|waiting| !is_proof(waiting));
        self.outstanding -= before - outbound.waiting.len();
        outbound.waiting.push_front(Waiting {
            owner: outbound.owner,
            content: Content::Again {
                message_id: outbound.message_id,
                bytes: outbound.bytes,
            },
        });
        let ping = Datagram::empty(MessageType::Confirmable, message_id);
        outbound.waiting.push_front(Waiting {
            owner: Purpose::Proof,
            content: Content::Again {
                message_id,
                bytes: codec::encode(&ping),
            },
        });
        self.outstanding += 1;
        self.start(now, peer, outbound.waiting)
    }

    /// Sends the first of these messages that gets an ID; the rest waits.
    fn start(&mut self, now: Instant, peer: Peer<P>, mut waiting: VecDeque<Waiting>) -> Outcome {
        let mut outcome = Outcome::default();
        while let Some(Waiting { owner, content }) = waiting.pop_front() {
            let (message_id, bytes) = match content {
                Content::Again { message_id, bytes } => (message_id, bytes),
                Content::New(mut datagram) => {
                    let Some(message_id) = self.message_ids.next(now, peer.hash) else {
                        self.forget(owner);
                        outcome.without_id.push(owner);
                        continue;
                    };
                    datagram.message_id = message_id;
                    (message_id, codec::encode(&datagram))
                }
            };
            let spread = (self.random_factor - 1.0).max(0.0);
            let timeout = self.timeout.mul_f64(1.0 + spread * self.secret.fraction());
            let timer = self.set_timer(now + timeout, peer);
            outcome.transmit = Some(bytes.clone());
            self.peers.insert(
                peer,
                Outbound {
                    owner,
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

    fn forget(&mut self, owner: Purpose) {
        self.outstanding -= 1;
        self.responses -= usize::from(owner.is_response());
    }

    fn set_timer(&mut self, at: Instant, peer: Peer<P>) -> (Instant, u64) {
        let timer = (at, self.next_timer);
        self.next_timer += 1;
        self.timers.insert(timer, peer);
        timer
    }

    /// An ACK or RST came. None where it answers nothing that is under way; else whose message it was, and the next one
    /// leaves.
    pub(super) fn on_ack_or_reset(
        &mut self,
        now: Instant,
        peer: Peer<P>,
        message_id: u16,
    ) -> Option<(Purpose, Outcome)> {
        let outbound = self.peers.get_mut(&peer)?;
        if outbound.message_id == message_id {
            return self.finish(now, peer);
        }
        let mut waiting = outbound.waiting.iter();
        let place = waiting.position(|waiting| waiting.was_sent_as(message_id))?;
        let owner = outbound.waiting.remove(place)?.owner;
        self.forget(owner);
        Some((owner, Outcome::default()))
    }

    /// Ends the message under way; the next one leaves.
    fn finish(&mut self, now: Instant, peer: Peer<P>) -> Option<(Purpose, Outcome)> {
        let outbound = self.remove(&peer)?;
        self.forget(outbound.owner);
        Some((outbound.owner, self.start(now, peer, outbound.waiting)))
    }

    /// Stops the notifications of an observation that is over.
    pub(super) fn cancel(
        &mut self,
        now: Instant,
        peer: Peer<P>,
        observation: ObservationId,
    ) -> Outcome {
        let ended = Purpose::Notification(observation);
        let Some(outbound) = self.peers.get_mut(&peer) else {
            return Outcome::default();
        };
        let before = outbound.waiting.len();
        outbound.waiting.retain(|waiting| waiting.owner != ended);
        self.outstanding -= before - outbound.waiting.len();
        if outbound.owner != ended {
            return Outcome::default();
        }
        self.finish(now, peer)
            .map(|(_, outcome)| outcome)
            .unwrap_or_default()
    }

    /// Nobody waits for this peer's proof any more: it is not asked for again, unless something waits behind it.
    pub(super) fn drop_idle_proof(&mut self, peer: &Peer<P>) {
        let outbound = self.peers.get(peer);
        let is_idle = outbound.is_some_and(|outbound| {
            outbound.owner == Purpose::Proof && outbound.waiting.is_empty()
        });
        if is_idle && let Some(outbound) = self.remove(peer) {
            self.forget(outbound.owner);
        }
    }

    fn remove(&mut self, peer: &Peer<P>) -> Option<Outbound> {
        let outbound = self.peers.remove(peer)?;
        self.timers.remove(&outbound.timer);
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
                Some(Due::Retransmit(
                    peer,
                    outbound.bytes.clone(),
                    outbound.owner,
                ))
            }
            _ => {
                let dropped: Vec<_> = self
                    .remove(&peer)
                    .map_or_else(Vec::new, |outbound| outbound.owners().collect());
                dropped.iter().for_each(|owner| self.forget(*owner));
                Some(Due::GivenUp(peer, dropped))
            }
        }
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.timers.first_key_value().map(|((at, _), _)| *at)
    }

    /// Whether the peer owes a proof of its address.
    pub(super) fn is_proving(&self, peer: &Peer<P>) -> bool {
        let outbound = self.peers.get(peer);
        outbound.is_some_and(|outbound| outbound.owners().any(|owner| owner == Purpose::Proof))
    }

    /// Responses toward this peer that are under way or waiting.
    pub(super) fn responses_of_peer(&self, peer: &Peer<P>) -> usize {
        self.peers.get(peer).map_or(0, Outbound::responses)
    }

    /// Responses under way or waiting in all.
    pub(super) fn responses(&self) -> usize {
        self.responses
    }

    /// Messages under way or waiting in all.
    pub(super) fn outstanding(&self) -> usize {
        self.outstanding
    }
}
