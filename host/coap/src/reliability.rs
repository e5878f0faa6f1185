//! Own confirmable messages (RFC 7252 §4.2): retransmitted until acknowledged, reset or given up, one at a time toward
//! each peer (NSTART = 1, §4.7); the others wait. Among them are as many responses as a peer may have exchanges; the
//! oldest makes room for another one, so that a peer that acknowledges none is not shut out by them.

use std::collections::{BTreeMap, VecDeque};
use std::hash::Hash;
use std::time::{Duration, Instant};

use crate::codec;
use crate::limits::Limits;
use crate::message::{Datagram, MessageType, Token};
use crate::message_id::MessageIds;
use crate::outbound::{Content, Outbound, Outcome, Purpose, Waiting};
use crate::outstanding::Outstanding;
use crate::peer::{Map, Peer};
use crate::secret::Secret;
use share::Shares;

/// Confirmable messages of all peers.
pub(super) struct Reliability<P> {
    pub(super) peers: Map<Peer<P>, Outbound>,
    pub(super) timers: BTreeMap<(Instant, u64), Peer<P>>,
    next_timer: u64,
    pub(super) outstanding: Outstanding,
    message_ids: MessageIds,
    secret: Secret,
    timeout: Duration,
    random_factor: f64,
    pub(super) max_retransmit: u32,
    responses_per_peer: usize,
}

impl<P: Clone + Eq + Hash> Reliability<P> {
    pub(super) fn new(limits: &Limits, secret: Secret) -> Self {
        Self {
            peers: Map::default(),
            timers: BTreeMap::new(),
            next_timer: 0,
            outstanding: Outstanding::new(),
            message_ids: MessageIds::new(secret.clone(), limits.exchange_lifetime),
            secret,
            timeout: limits.ack_timeout,
            random_factor: limits.ack_random_factor,
            max_retransmit: limits.max_retransmit,
            responses_per_peer: limits.exchanges_per_peer,
        }
    }

    /// A message ID for a message that is not retransmitted.
    pub(super) fn message_id(&mut self, now: Instant, peer: &Peer<P>) -> Option<u16> {
        self.message_ids.next(now, peer.hash)
    }

    /// A message ID for a non-confirmable response, unless only those reserved for confirmable messages are left.
    pub(super) fn spare_message_id(&mut self, now: Instant, peer: &Peer<P>) -> Option<u16> {
        self.message_ids
            .next_spare(now, peer.hash, peer.owner.holder())
    }

    /// Sends a confirmable message, or lets it wait for the current one. It gets its message ID when it leaves, because
    /// the ID's lifetime begins then.
    pub(super) fn send(
        &mut self,
        now: Instant,
        peer: &Peer<P>,
        datagram: Datagram,
        purpose: Purpose,
    ) -> Outcome {
        let bytes = datagram.message.held_bytes();
        let held = self.outstanding.hold(peer, purpose, datagram.token, bytes);
        let content = Content::New(datagram);
        let waiting = Waiting {
            purpose,
            held,
            content,
        };
        if let Some(outbound) = self.peers.get_mut(peer) {
            let mut outcome = Outcome::default();
            if purpose.is_response() && outbound.responses() >= self.responses_per_peer.max(1) {
                outcome.displaced = self.outstanding.drop_oldest_response(&mut outbound.waiting);
            }
            outbound.waiting.push_back(waiting);
            return outcome;
        }
        self.start(now, peer, VecDeque::from([waiting]))
    }

    /// Holds the current message back until the peer has proven its address: a ping leaves before it.
    pub(super) fn prove_before(&mut self, now: Instant, peer: &Peer<P>) -> Outcome {
        let Some(message_id) = self.message_ids.next(now, peer.hash) else {
            return Outcome::default();
        };
        let Some(mut outbound) = self.remove(peer) else {
            return Outcome::default();
        };
        // A ping that waits already leaves now instead.
        self.outstanding
            .drop_waiting(&mut outbound.waiting, Purpose::AddressProof);
        outbound.waiting.push_front(Waiting {
            purpose: outbound.purpose,
            held: outbound.held,
            content: Content::Again {
                message_id: outbound.message_id,
                bytes: outbound.bytes,
            },
        });
        let ping = Datagram::empty(MessageType::Confirmable, message_id);
        outbound.waiting.push_front(Waiting {
            purpose: Purpose::AddressProof,
            held: self
                .outstanding
                .hold(peer, Purpose::AddressProof, Token::default(), 0),
            content: Content::Again {
                message_id,
                bytes: codec::encode(&ping),
            },
        });
        self.start(now, peer, outbound.waiting)
    }

    /// Sends the first of these messages that gets an ID; the rest waits.
    pub(super) fn start(
        &mut self,
        now: Instant,
        peer: &Peer<P>,
        mut waiting: VecDeque<Waiting>,
    ) -> Outcome {
        let mut outcome = Outcome::default();
        while let Some(next) = waiting.pop_front() {
            let Waiting {
                purpose,
                held,
                content,
            } = next;
            let (message_id, bytes) = match content {
                Content::Again { message_id, bytes } => (message_id, bytes),
                Content::New(mut datagram) => {
                    let Some(message_id) = self.message_ids.next(now, peer.hash) else {
                        self.outstanding.forget(held);
                        outcome.without_id.push(purpose);
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
                peer.clone(),
                Outbound {
                    purpose,
                    held,
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

    pub(super) fn set_timer(&mut self, at: Instant, peer: &Peer<P>) -> (Instant, u64) {
        let timer = (at, self.next_timer);
        self.next_timer += 1;
        self.timers.insert(timer, peer.clone());
        timer
    }

    /// Handles an ACK or RST: the purpose of its message, and the next message leaves. None if no message waits for it.
    pub(super) fn on_ack_or_reset(
        &mut self,
        now: Instant,
        peer: &Peer<P>,
        message_id: u16,
    ) -> Option<(Purpose, Outcome)> {
        let outbound = self.peers.get_mut(peer)?;
        if outbound.message_id == message_id {
            return self.finish(now, peer);
        }
        let mut waiting = outbound.waiting.iter();
        let place = waiting.position(|waiting| waiting.was_sent_as(message_id))?;
        let Waiting { purpose, held, .. } = outbound.waiting.remove(place)?;
        self.outstanding.forget(held);
        Some((purpose, Outcome::default()))
    }

    /// Ends the current message; the next one leaves.
    fn finish(&mut self, now: Instant, peer: &Peer<P>) -> Option<(Purpose, Outcome)> {
        let outbound = self.remove(peer)?;
        self.outstanding.forget(outbound.held);
        Some((outbound.purpose, self.start(now, peer, outbound.waiting)))
    }

    /// Drops the messages of a purpose that has ended: the notifications of one observation, for example.
    pub(super) fn cancel(&mut self, now: Instant, peer: &Peer<P>, ended: Purpose) -> Outcome {
        let Some(outbound) = self.peers.get_mut(peer) else {
            return Outcome::default();
        };
        self.outstanding.drop_waiting(&mut outbound.waiting, ended);
        if outbound.purpose != ended {
            return Outcome::default();
        }
        self.finish(now, peer)
            .map(|(_, outcome)| outcome)
            .unwrap_or_default()
    }

    /// Drops the ping to a peer, unless a response waits behind it that may not be sent again without a proof.
    pub(super) fn drop_ping(&mut self, now: Instant, peer: &Peer<P>) -> Outcome {
        let outbound = self.peers.get(peer);
        if outbound.is_some_and(Outbound::is_before_repetition) {
            return Outcome::default();
        }
        self.cancel(now, peer, Purpose::AddressProof)
    }

    /// Drops the ping to a peer if no message waits behind it.
    pub(super) fn drop_idle_ping(&mut self, peer: &Peer<P>) {
        let outbound = self.peers.get(peer);
        let is_idle = outbound.is_some_and(|outbound| {
            outbound.purpose == Purpose::AddressProof && outbound.waiting.is_empty()
        });
        if is_idle && let Some(outbound) = self.remove(peer) {
            self.outstanding.forget(outbound.held);
        }
    }

    pub(super) fn remove(&mut self, peer: &Peer<P>) -> Option<Outbound> {
        let outbound = self.peers.remove(peer)?;
        self.timers.remove(&outbound.timer);
        Some(outbound)
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.timers.first_key_value().map(|((at, _), _)| *at)
    }

    /// The message that waits for the peer's acknowledgement, with those behind it.
    pub(super) fn outbound(&self, peer: &Peer<P>) -> Option<&Outbound> {
        self.peers.get(peer)
    }

    /// Whether a response with this token waits for its acknowledgement or for its turn.
    pub(super) fn has_response(&self, peer: &Peer<P>, token: Token) -> bool {
        let outbound = self.peers.get(peer);
        outbound.is_some_and(|outbound| outbound.has_response(token))
    }

    /// Applies another limit to new messages.
    pub(super) fn set_limits(&mut self, limits: &Limits) {
        self.responses_per_peer = limits.exchanges_per_peer;
    }

    /// What the messages hold.
    pub(super) fn shares(&self) -> &Shares {
        self.outstanding.shares()
    }

    /// The peers that messages wait for.
    pub(super) fn peers(&self) -> impl Iterator<Item = &Peer<P>> {
        self.peers.keys()
    }

    /// Messages of all purposes toward all peers.
    pub(super) fn outstanding(&self) -> usize {
        self.outstanding.len()
    }
}
