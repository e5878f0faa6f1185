//! From a request's datagrams to the whole request (RFC 7959): blocks of its body, blocks of an answer that is stored,
//! and the bounds on what is in progress.

use std::fmt::Debug;
use std::hash::Hash;

use super::allowance::{self, TooLarge};
use super::block::{Block, ReservedSize};
use super::block1::{Block1Error, Progress, RequestBlock};
use super::block2::BeyondEnd;
use super::cache_key::{ResponseKey, request_body_key, response_body_key};
use super::code::{self, GET};
use super::endpoint::{Endpoint, Incoming};
use super::exchange::{Exchange, RequestMeta};
use super::message::Message;
use super::option::{
    BLOCK1, BLOCK2, ECHO, MAX_AGE, NO_RESPONSE, OBSERVE, REQUEST_TAG, SIZE1, SIZE2,
};
use super::peer::Peer;

/// What a request says about blocks.
struct Blocks {
    block1: Option<Block>,
    block2: Option<Block>,
    announced: Option<u32>,
    /// Size2 in a request asks for the size of the answer (RFC 7959 §4).
    wants_size: bool,
}

impl Blocks {
    fn read(request: &Message) -> Result<Self, ReservedSize> {
        let block = |number| request.option(number).map(Block::decode).transpose();
        let announced = request.uint_option(SIZE1);
        Ok(Self {
            block1: block(BLOCK1)?,
            block2: block(BLOCK2)?,
            announced,
            wants_size: request.option(SIZE2).is_some(),
        })
    }
}

impl<P: Copy + Eq + Hash + Debug> Endpoint<P> {
    /// The request once its body is whole; none where the block was answered without the caller. The error is
    /// the answer that refuses it.
    pub(super) fn assemble(
        &mut self,
        arrival: &RequestMeta<P>,
        mut request: Message,
        wire_bytes: usize,
    ) -> Result<Option<Incoming<P>>, Message> {
        let Blocks {
            block1,
            block2,
            announced,
            wants_size,
        } = Blocks::read(&request)
            .map_err(|error| Message::diagnostic(code::BAD_REQUEST, error.to_string()))?;
        let mut response_key = response_body_key(&self.secret, arrival.peer, &request);
        if let Some(wanted) = block2.filter(|wanted| wanted.number > 0 && block1.is_none()) {
            match self.stored_slice(arrival, &response_key, wanted) {
                Some(slice) => {
                    let slice = slice.map_err(|error| {
                        Message::diagnostic(code::BAD_REQUEST, error.to_string())
                    })?;
                    let sent = slice.option(BLOCK2).map(Block::decode);
                    let is_last = sent.is_some_and(|block| block.is_ok_and(|block| !block.more));
                    // Serving it again is as good as remembering it, unless another body takes this one's place now.
                    let body = &response_key.body;
                    let retain = self.observations.fetched(arrival.at, body, is_last);
                    self.answer(arrival.at, arrival, false, slice, retain);
                    return Ok(None);
                }
                // Executed once more, to be sliced where the client wants it (RFC 7959 §2.4): it changes nothing. A FETCH
                // without its body would be another one.
                None if arrival.method == GET || response_key.request_body.is_some() => {}
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
                    response_key = response_body_key(&self.secret, arrival.peer, &request);
                }
                Progress::Continue => {
                    // Smaller blocks are asked for by naming their size (RFC 7959 §2.3).
                    let size_exponent = block.size_exponent.min(self.limits.block_size_exponent);
                    let block = Block {
                        size_exponent,
                        ..block
                    };
                    let response = Message::new(code::CONTINUE).with_option(BLOCK1, block.encode());
                    self.answer(arrival.at, arrival, false, response, true);
                    return Ok(None);
                }
            }
        } else if request.payload.len() > self.limits.request_body {
            return Err(self.refusal(Block1Error::TooLarge));
        }
        // Only for GET, and for a body's first block (RFC 7641 §2, RFC 7959 §2.6); other values mean nothing.
        let observe = request
            .uint_option(OBSERVE)
            .filter(|_| request.code == GET && block2.is_none_or(|block| block.number == 0));
        if observe == Some(1) {
            self.deregister(arrival);
        }
        let taken_out = [
            BLOCK1,
            BLOCK2,
            SIZE1,
            SIZE2,
            REQUEST_TAG,
            ECHO,
            NO_RESPONSE,
            OBSERVE,
        ];
        request
            .options
            .retain(|option| !taken_out.contains(&option.number));

        let exchange = Exchange {
            arrival: *arrival,
            acknowledged: false,
            response_key,
            block1,
            block2,
            wants_size,
            observes: observe == Some(0) && !arrival.terms.multicast,
        };
        let observes = exchange.observes;
        let id = self
            .exchanges
            .begin(exchange, arrival.at + self.limits.ack_delay);
        let RequestMeta {
            peer, message_type, ..
        } = *arrival;
        Ok(Some(Incoming {
            id,
            peer: peer.address,
            message_type,
            request,
            observes,
            wire_bytes: total_bytes,
            multicast: arrival.terms.multicast,
        }))
    }

    /// The slice of a stored answer that a request asks for, in smaller blocks where the peer's allowance has no more.
    fn stored_slice(
        &mut self,
        arrival: &RequestMeta<P>,
        key: &ResponseKey<P>,
        wanted: Block,
    ) -> Option<Result<Message, BeyondEnd>> {
        let slice = self.responses.slice(arrival.at, key, wanted)?;
        let Ok(whole) = &slice else {
            return Some(slice);
        };
        match allowance::smaller(arrival.terms.allowance, arrival.token, wanted, whole) {
            Ok(None) => Some(slice),
            Ok(Some(wanted)) => self.responses.slice(arrival.at, key, wanted),
            Err(TooLarge) => Some(Ok(self.challenge(arrival.at, &arrival.peer))),
        }
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

    fn refusal(&mut self, refusal: Block1Error) -> Message {
        let text = refusal.to_string();
        match refusal {
            Block1Error::Incomplete => {
                self.counters.incomplete += 1;
                Message::diagnostic(code::REQUEST_ENTITY_INCOMPLETE, text)
            }
            Block1Error::TooLarge => {
                self.counters.too_large += 1;
                let limit = u32::try_from(self.limits.request_body).unwrap_or(u32::MAX);
                Message::diagnostic(code::REQUEST_ENTITY_TOO_LARGE, text)
                    .with_uint_option(SIZE1, limit)
            }
            Block1Error::WrongLength => Message::diagnostic(code::BAD_REQUEST, text),
            Block1Error::Full => {
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
