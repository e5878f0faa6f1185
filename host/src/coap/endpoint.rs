//! The server endpoint: what callers feed and poll. What happens to a datagram is in `receive`.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::hash::Hash;
use std::time::Instant;

use super::block::Block;
use super::block1::Assemblies;
use super::block2::Responses;
use super::cache_key::BodyKey;
use super::code::{self, BAD_REQUEST, GET, INTERNAL_SERVER_ERROR};
use super::codec;
use super::counters::Counters;
use super::dedup::Answers;
use super::exchange::{Arrival, Exchange, ExchangeId, Exchanges};
use super::limits::Limits;
use super::message::{Datagram, Message, MessageType};
use super::observe::{Ended, Observations};
use super::option::{BLOCK1, BLOCK2, OBSERVE};
use super::peer::Peer;
use super::reliability::{Due, Outcome, Owner, Reliability};
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
    pub(super) answers: Answers<P>,
    pub(super) reliability: Reliability<P>,
    pub(super) assemblies: Assemblies<P>,
    pub(super) responses: Responses<P>,
    pub(super) observations: Observations<P>,
    pub(super) requests: VecDeque<Incoming<P>>,
    transmits: VecDeque<Transmit<P>>,
    pub(super) counters: Counters,
    pub(super) latest_refusal: Option<(P, u8)>,
}

impl<P: Copy + Eq + Hash + Debug> Endpoint<P> {
    /// An endpoint that has met nobody. `seed` must be random: message IDs come from it.
    pub fn new(limits: Limits, seed: [u8; 16]) -> Self {
        let secret = Secret::new(seed);
        Self {
            exchanges: Exchanges::new(),
            answers: Answers::new(&limits),
            reliability: Reliability::new(&limits, secret.clone()),
            assemblies: Assemblies::new(&limits),
            responses: Responses::new(&limits),
            observations: Observations::new(&limits),
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

    /// Answers a request: piggybacked if its empty ACK has not left, else in a message of its own; in blocks
    /// if it is too large for one. The second answer to a request is ignored.
    ///
    /// An answer that cannot be sent (no response code, above a limit) is replaced by 5.00.
    pub fn respond(&mut self, now: Instant, id: ExchangeId, response: Message) {
        let Some(exchange) = self.exchanges.finish(id) else {
            return;
        };
        self.replace(now, &exchange);
        self.respond_to(now, exchange, response, false);
    }

    /// Sends the answer of an exchange; `observing`: it is the first of an observation.
    pub(super) fn respond_to(
        &mut self,
        now: Instant,
        exchange: Exchange<P>,
        response: Message,
        observing: bool,
    ) {
        let mut response = self.fitted(now, exchange.response_key, exchange.block2, response);
        if observing {
            response.set_uint_option(OBSERVE, self.observations.next_sequence());
        }
        if let Some(block) = exchange.block1 {
            response.push_option(BLOCK1, block.encode());
        }
        // A GET may be executed again, but not to begin its observation again.
        let retain = exchange.arrival.method != GET || exchange.acknowledged || observing;
        self.answer(
            now,
            &exchange.arrival,
            exchange.acknowledged,
            response,
            retain,
        );
    }

    /// A response as it fits into one message, its rest stored for later requests.
    pub(super) fn fitted(
        &mut self,
        now: Instant,
        key: BodyKey<P>,
        wanted: Option<Block>,
        response: Message,
    ) -> Message {
        let response = self.sendable(response);
        let secret = &self.secret;
        let tag = |body: &[u8]| (secret.hash(body) >> 32) as u32;
        let fitted = self.responses.fit(now, key, wanted, response, tag);
        fitted.unwrap_or_else(|error| Message::diagnostic(BAD_REQUEST, error.to_string()))
    }

    fn sendable(&mut self, mut response: Message) -> Message {
        // A rule may have listed its options in any order; blocks are not its business.
        response
            .options
            .retain(|option| !matches!(option.number, BLOCK1 | BLOCK2 | OBSERVE));
        response.options.sort_by_key(|option| option.number);
        let problem = if !code::is_response(response.code) {
            "the answer made here has no response code; see the gateway's log"
        } else if codec::encoded_length(&response.options) > self.limits.response_options {
            "the options of the answer made here are above the gateway's limit"
        } else if response.payload.len() > self.limits.response_body {
            "the body of the answer made here is above the gateway's limit"
        } else {
            return response;
        };
        self.counters.bad_responses += 1;
        Message::diagnostic(INTERNAL_SERVER_ERROR, problem)
    }

    /// Sends a response the way its request came. `retain` keeps what a duplicate of the request gets.
    pub(super) fn answer(
        &mut self,
        now: Instant,
        arrival: &Arrival<P>,
        acknowledged: bool,
        message: Message,
        retain: bool,
    ) {
        let Arrival {
            peer,
            message_id,
            token,
            ..
        } = *arrival;
        let datagram = |message_type, message_id| Datagram {
            message_type,
            message_id,
            token,
            message,
        };
        let mut for_duplicates = Vec::new();
        let lifetime = match arrival.message_type {
            MessageType::Confirmable => self.limits.exchange_lifetime,
            _ => self.limits.non_lifetime,
        };
        match (arrival.message_type, acknowledged) {
            (MessageType::Confirmable, false) => {
                self.counters.piggybacked += 1;
                let bytes = codec::encode(&datagram(MessageType::Acknowledgement, message_id));
                if retain {
                    for_duplicates.clone_from(&bytes);
                }
                self.transmit(peer, bytes);
            }
            (MessageType::Confirmable, true) => {
                self.counters.separate += 1;
                for_duplicates =
                    codec::encode(&Datagram::empty(MessageType::Acknowledgement, message_id));
                let datagram = datagram(MessageType::Confirmable, 0);
                let outcome = self.reliability.send(now, peer, datagram, Owner::Response);
                self.proceed(now, peer, outcome);
            }
            _ => match self.reliability.message_id(now, peer) {
                Some(own) => {
                    self.counters.non_confirmable += 1;
                    self.transmit(
                        peer,
                        codec::encode(&datagram(MessageType::NonConfirmable, own)),
                    );
                }
                None => self.counters.message_ids_exhausted += 1,
            },
        }
        if retain {
            let expires = arrival.at + lifetime;
            self.answers.keep(
                peer,
                arrival.message_type,
                message_id,
                expires,
                for_duplicates,
            );
        }
    }

    pub(super) fn proceed(&mut self, now: Instant, peer: Peer<P>, outcome: Outcome) {
        for owner in outcome.without_id {
            self.counters.message_ids_exhausted += 1;
            if let Owner::Notification(id) = owner {
                self.end(now, id, Ended::WithoutMessageId);
            }
        }
        if let Some(bytes) = outcome.transmit {
            self.transmit(peer, bytes);
        }
    }

    pub(super) fn transmit(&mut self, peer: Peer<P>, bytes: Vec<u8>) {
        self.transmits.push_back(Transmit {
            peer: peer.address,
            bytes,
        });
    }

    pub(super) fn transmit_empty(
        &mut self,
        peer: Peer<P>,
        message_type: MessageType,
        message_id: u16,
    ) {
        self.transmit(
            peer,
            codec::encode(&Datagram::empty(message_type, message_id)),
        );
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do; none while nothing is pending.
    pub fn next_timeout(&self) -> Option<Instant> {
        [
            self.exchanges.next_timeout(),
            self.reliability.next_timeout(),
            self.answers.next_timeout(),
            self.assemblies.next_timeout(),
            self.responses.next_timeout(),
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
                Due::Retransmit(peer, bytes) => {
                    self.counters.retransmissions += 1;
                    self.transmit(peer, bytes);
                }
                Due::GivenUp(owners) => {
                    self.counters.given_up += owners.len() as u64;
                    for owner in owners {
                        if let Owner::Notification(id) = owner {
                            self.end(now, id, Ended::Unacknowledged);
                        }
                    }
                }
            }
        }
        self.answers.expire(now);
        self.assemblies.expire(now);
        self.responses.expire(now);
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
            answers_dropped: self.answers.dropped(),
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
        let observations = self.observations.len();
        self.in_flight()
            + observations
            + self.answers.len()
            + bodies
            + self.requests.len()
            + self.transmits.len()
    }
}
