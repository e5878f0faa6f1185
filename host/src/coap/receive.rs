//! What happens to a datagram: message layer first (RFC 7252 §4), then options (§5.4), then blocks (RFC 7959).

use std::fmt::Debug;
use std::hash::Hash;
use std::time::Instant;

use super::block::{Block, ReservedSize};
use super::block1::{Progress, Refusal, RequestBlock};
use super::cache_key::{request_body_key, response_body_key};
use super::code::{self, GET};
use super::codec::{self, DecodeError};
use super::endpoint::{Endpoint, Incoming};
use super::exchange::{Arrival, Exchange};
use super::message::{Datagram, Message, MessageType};
use super::observe::Ended;
use super::option::{BLOCK1, BLOCK2, MAX_AGE, OBSERVE, REQUEST_TAG, SIZE1, SIZE2};
use super::options;
use super::peer::Peer;
use super::reliability::Owner;

/// What a request says about blocks.
struct Blocks {
    block1: Option<Block>,
    block2: Option<Block>,
    announced: Option<u32>,
}

impl Blocks {
    fn read(request: &Message) -> Result<Self, ReservedSize> {
        let block = |number| request.option(number).map(Block::decode).transpose();
        let announced = request.uint_option(SIZE1);
        Ok(Self {
            block1: block(BLOCK1)?,
            block2: block(BLOCK2)?,
            announced,
        })
    }
}

impl<P: Copy + Eq + Hash + Debug> Endpoint<P> {
    /// Takes one datagram as it came from the network; whatever it holds, this never fails.
    pub fn handle_datagram(&mut self, now: Instant, peer: P, bytes: &[u8]) {
        self.counters.datagrams += 1;
        let peer = Peer::new(peer, &self.secret);
        let datagram = match codec::decode(bytes) {
            Ok(datagram) => datagram,
            Err(error) => return self.reject(peer, error),
        };
        let (code, message_id) = (datagram.message.code, datagram.message_id);
        match datagram.message_type {
            MessageType::Confirmable | MessageType::NonConfirmable if code::is_request(code) => {
                self.handle_request(now, peer, datagram, bytes.len());
            }
            MessageType::Confirmable => {
                // A ping (RFC 7252 §4.3), or a response to a request never made.
                let count = if code == code::EMPTY {
                    &mut self.counters.pings
                } else {
                    &mut self.counters.unexpected
                };
                *count += 1;
                self.transmit_empty(peer, MessageType::Reset, message_id);
            }
            MessageType::Acknowledgement if !code::is_request(code) => {
                match self.settle(now, peer, message_id) {
                    Some(Owner::Notification(id)) => self.notification_arrived(now, id),
                    Some(Owner::Response) => {}
                    None => self.counters.unexpected += 1,
                }
            }
            MessageType::Reset if code == code::EMPTY => self.reset(now, peer, message_id),
            // Rejecting these is ignoring them (RFC 7252 §4.2, §4.3).
            _ => self.counters.unexpected += 1,
        }
    }

    fn reject(&mut self, peer: Peer<P>, error: DecodeError) {
        self.counters.malformed += 1;
        if let DecodeError::Malformed {
            message_type: MessageType::Confirmable,
            message_id,
            ..
        } = error
        {
            self.transmit_empty(peer, MessageType::Reset, message_id);
        }
    }

    /// Whose message was waiting for this ACK or RST.
    fn settle(&mut self, now: Instant, peer: Peer<P>, message_id: u16) -> Option<Owner> {
        let (owner, outcome) = self.reliability.settle(now, peer, message_id)?;
        self.proceed(now, peer, outcome);
        Some(owner)
    }

    fn reset(&mut self, now: Instant, peer: Peer<P>, message_id: u16) {
        let observation = match self.settle(now, peer, message_id) {
            Some(Owner::Response) => return self.counters.reset_by_peer += 1,
            Some(Owner::Notification(id)) => Some(id),
            None => self.observations.find_non(&peer, message_id),
        };
        let Some(id) = observation else {
            return self.counters.unexpected += 1;
        };
        self.counters.reset_by_peer += 1;
        self.end(now, id, Ended::Reset);
    }

    fn handle_request(
        &mut self,
        now: Instant,
        peer: Peer<P>,
        datagram: Datagram,
        wire_bytes: usize,
    ) {
        let Datagram {
            message_type,
            message_id,
            token,
            message: mut request,
        } = datagram;
        let arrival = Arrival {
            peer,
            message_type,
            message_id,
            token,
            method: request.code,
            at: now,
        };
        if self.is_duplicate(&arrival) {
            self.counters.duplicates += 1;
            return;
        }
        if let Err(error) = options::recognise(&mut request) {
            self.counters.bad_options += 1;
            // A non-confirmable one is rejected by silence (RFC 7252 §5.4.1).
            if message_type == MessageType::Confirmable {
                self.refuse(
                    &arrival,
                    Message::diagnostic(code::BAD_OPTION, error.to_string()),
                );
            }
            return;
        }
        match self.assemble(&arrival, request, wire_bytes) {
            Ok(Some(incoming)) => {
                self.counters.requests += 1;
                self.requests.push_back(incoming);
            }
            Ok(None) => {}
            Err(refusal) => self.refuse(&arrival, refusal),
        }
    }

    /// Answers a request that nobody else will see. Kept for duplicates like any answer.
    fn refuse(&mut self, arrival: &Arrival<P>, response: Message) {
        self.latest_refusal = Some((arrival.peer.address, response.code));
        self.answer(arrival.at, arrival, false, response, arrival.method != GET);
    }

    /// Deals with a message seen before (RFC 7252 §4.5): silence while it is in progress and not yet acknowledged,
    /// else the same acknowledgement again. Duplicates of a non-confirmable one are dropped.
    fn is_duplicate(&mut self, arrival: &Arrival<P>) -> bool {
        let Arrival {
            peer,
            message_type,
            message_id,
            at,
            ..
        } = *arrival;
        if let Some(exchange) = self.exchanges.find(&peer, message_type, message_id) {
            if exchange.acknowledged {
                self.transmit_empty(peer, MessageType::Acknowledgement, message_id);
            }
            return true;
        }
        let Some(answer) = self.answers.find(at, &peer, message_type, message_id) else {
            return false;
        };
        if !answer.is_empty() {
            let bytes = answer.to_vec();
            self.transmit(peer, bytes);
        }
        true
    }

    /// The request once its body is whole; none where the block was answered without the caller. The error is
    /// the answer that refuses it.
    fn assemble(
        &mut self,
        arrival: &Arrival<P>,
        mut request: Message,
        wire_bytes: usize,
    ) -> Result<Option<Incoming<P>>, Message> {
        let Blocks {
            block1,
            block2,
            announced,
        } = Blocks::read(&request)
            .map_err(|error| Message::diagnostic(code::BAD_REQUEST, error.to_string()))?;
        let response_key = response_body_key(&self.secret, arrival.peer, &request);
        if let Some(wanted) = block2.filter(|wanted| wanted.number > 0 && block1.is_none()) {
            match self.responses.slice(arrival.at, &response_key, wanted) {
                Some(slice) => {
                    let slice = slice.map_err(|error| {
                        Message::diagnostic(code::BAD_REQUEST, error.to_string())
                    })?;
                    // Serving it again is as good as remembering it.
                    self.answer(arrival.at, arrival, false, slice, false);
                    return Ok(None);
                }
                // Executed once more, to be sliced where the client wants it (RFC 7959 §2.4): a GET changes nothing.
                None if arrival.method == GET => {}
                None => {
                    let text =
                        "the rest of this answer is no longer stored; send the request again";
                    self.counters.incomplete += 1;
                    return Err(Message::diagnostic(code::REQUEST_ENTITY_INCOMPLETE, text));
                }
            }
        }
        self.admit(&arrival.peer)?;
        let mut total_bytes = wire_bytes;
        if let Some(block) = block1 {
            let key = request_body_key(&self.secret, arrival.peer, &request);
            let payload = std::mem::take(&mut request.payload);
            let part = RequestBlock {
                block,
                announced,
                payload,
                wire_bytes,
            };
            let progress = self.assemblies.accept(arrival.at, key, part);
            match progress.map_err(|refusal| self.refusal(refusal))? {
                Progress::Complete { body, wire_bytes } => {
                    request.payload = body;
                    total_bytes = wire_bytes;
                }
                Progress::Continue => {
                    let response = Message::new(code::CONTINUE).with_option(BLOCK1, block.encode());
                    self.answer(arrival.at, arrival, false, response, true);
                    return Ok(None);
                }
            }
        } else if request.payload.len() > self.limits.request_body {
            return Err(self.refusal(Refusal::TooLarge));
        }
        // Only for GET, and for a body's first block (RFC 7641 §2, RFC 7959 §2.6); other values mean nothing.
        let observe = request
            .uint_option(OBSERVE)
            .filter(|_| request.code == GET && block2.is_none_or(|block| block.number == 0));
        if observe == Some(1) {
            self.deregister(arrival);
        }
        let observes = observe == Some(0);
        let taken_out = [BLOCK1, BLOCK2, SIZE1, SIZE2, REQUEST_TAG, OBSERVE];
        request
            .options
            .retain(|option| !taken_out.contains(&option.number));

        let exchange = Exchange {
            arrival: *arrival,
            acknowledged: false,
            response_key,
            block1,
            block2,
            observes,
        };
        let id = self
            .exchanges
            .begin(exchange, arrival.at + self.limits.ack_delay);
        let Arrival {
            peer, message_type, ..
        } = *arrival;
        Ok(Some(Incoming {
            id,
            peer: peer.address,
            message_type,
            request,
            observes,
            wire_bytes: total_bytes,
        }))
    }

    /// Whether one more exchange is within the bounds. Separate answers under way count too, so that a peer that
    /// never acknowledges cannot pile them up.
    fn admit(&mut self, peer: &Peer<P>) -> Result<(), Message> {
        let of_peer = self.exchanges.of_peer(peer) + self.reliability.responses_of_peer(peer);
        let in_all = self.exchanges.len() + self.reliability.responses();
        if of_peer < self.limits.exchanges_per_peer && in_all < self.limits.exchanges {
            return Ok(());
        }
        self.counters.overloaded += 1;
        Err(self
            .unavailable("too many requests are in progress; send it again after Max-Age seconds"))
    }

    fn refusal(&mut self, refusal: Refusal) -> Message {
        let text = refusal.to_string();
        match refusal {
            Refusal::Incomplete => {
                self.counters.incomplete += 1;
                Message::diagnostic(code::REQUEST_ENTITY_INCOMPLETE, text)
            }
            Refusal::TooLarge => {
                self.counters.too_large += 1;
                let limit = u32::try_from(self.limits.request_body).unwrap_or(u32::MAX);
                Message::diagnostic(code::REQUEST_ENTITY_TOO_LARGE, text)
                    .with_uint_option(SIZE1, limit)
            }
            Refusal::WrongLength => Message::diagnostic(code::BAD_REQUEST, text),
            Refusal::Full => {
                self.counters.bodies_refused += 1;
                self.unavailable(&text)
            }
        }
    }

    fn unavailable(&self, text: &str) -> Message {
        Message::diagnostic(code::SERVICE_UNAVAILABLE, text)
            .with_uint_option(MAX_AGE, self.limits.retry_after)
    }
}
