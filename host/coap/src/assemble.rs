//! From a request's blocks to the whole request (RFC 7959): blocks of its body, blocks of a stored response, and the
//! limits on exchanges in progress.

use crate::account::NotAdmitted;
use crate::allowance::{self, TooLarge};
use crate::block::{Block, ReservedSize};
use crate::block1::{Progress, RequestBlock};
use crate::block1_error::Block1Error;
use crate::block2::BeyondEnd;
use crate::cache_key::{ResponseKey, request_body_key, response_body_key};
use crate::code::{self, GET};
use crate::endpoint::Endpoint;
use crate::exchange::{Ack, Exchange, RequestMeta};
use crate::first_block::FirstBlock;
use crate::incoming::{Incoming, Request};
use crate::message::Message;
use crate::option::{BLOCK1, BLOCK2, ECHO, ETAG, NO_RESPONSE, OBSERVE, REQUEST_TAG, SIZE1, SIZE2};
use crate::peer_id::PeerId;
use crate::protection::MessageProtection;

/// The block options of a request.
struct Blocks {
    block1: Option<Block>,
    block2: Option<Block>,
    announced: Option<u32>,
    /// Size2 in a request asks for the size of the response (RFC 7959 §4).
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

/// Options of a request that its caller does not get.
const TAKEN_OUT: [u16; 8] = [
    BLOCK1,
    BLOCK2,
    SIZE1,
    SIZE2,
    REQUEST_TAG,
    ECHO,
    NO_RESPONSE,
    OBSERVE,
];

fn take_out(request: &mut Message) {
    let options = &mut request.options;
    options.retain(|option| !TAKEN_OUT.contains(&option.number));
}

impl<P: Clone, C> RequestMeta<P, C> {
    /// The request for the caller.
    fn request(&self, message: Message, wire_bytes: usize) -> Request<P> {
        Request {
            peer: self.peer.id.clone(),
            message_type: self.message_type,
            message_id: self.message_id,
            token: self.token,
            message,
            observes: false,
            wire_bytes,
            multicast: self.constraints.multicast,
        }
    }
}

impl<P: PeerId, X: MessageProtection<P>> Endpoint<P, X> {
    fn response_key(&self, meta: &RequestMeta<P, X::Context>, request: &Message) -> ResponseKey<P> {
        let (peer, sticky) = (&meta.peer, self.sticky_options(meta));
        response_body_key(&self.secret, peer, meta.association, sticky, request)
    }

    /// The request once its body is whole; none if the endpoint has responded to the block itself.
    ///
    /// # Errors
    /// The error response.
    pub(super) fn assemble(
        &mut self,
        meta: &RequestMeta<P, X::Context>,
        mut request: Message,
        wire_bytes: usize,
    ) -> Result<Option<Incoming<P, X::Context>>, Message> {
        let Blocks {
            block1,
            block2,
            announced,
            wants_size,
        } = Blocks::read(&request)
            .map_err(|error| Message::diagnostic(code::BAD_REQUEST, error.to_string()))?;
        if let Some(block) = block2.or(block1) {
            self.peers
                .set_block_exponent(meta.received_at, meta.peer.hash, block.size_exponent);
        }
        let mut response_key = self.response_key(meta, &request);
        if let Some(wanted) = block2.filter(|wanted| wanted.number > 0 && block1.is_none()) {
            match self.stored_slice(meta, &response_key, wanted) {
                Some(slice) => {
                    let slice = slice.map_err(|error| {
                        Message::diagnostic(code::BAD_REQUEST, error.to_string())
                    })?;
                    let sent = slice.option(BLOCK2).map(Block::decode);
                    let is_last = sent.is_some_and(|block| block.is_ok_and(|block| !block.more));
                    // A duplicate can be served from the stored body, unless a newer notification may replace it.
                    let body = (&response_key.body, slice.option(ETAG));
                    let retain = self
                        .observations
                        .on_fetched(meta.received_at, body, is_last);
                    self.send_response(meta.received_at, meta, Ack::Due, slice, retain);
                    return Ok(None);
                }
                // A safe request is executed again, and its response sliced at this block (RFC 7959 §2.4). A FETCH
                // without its body would be a different request.
                None if meta.method == GET || response_key.request_body.is_some() => {}
                None => {
                    // What changes something was done when its first block left.
                    let text = if code::is_safe(meta.method) {
                        "send the request again: this response is no longer stored"
                    } else {
                        "it was done: the rest of this response is no longer stored"
                    };
                    self.counters.incomplete += 1;
                    return Err(Message::diagnostic(code::REQUEST_ENTITY_INCOMPLETE, text));
                }
            }
        }
        let bytes = request.held_bytes();
        match self.admit(meta, bytes) {
            Ok(()) => {}
            Err(NotAdmitted::Silence) => return Ok(None),
            Err(NotAdmitted::Response(refusal)) => return Err(refusal),
        }
        let mut total_bytes = wire_bytes;
        if let Some(block) = block1 {
            let sticky = self.sticky_options(meta);
            let key =
                request_body_key(&self.secret, &meta.peer, meta.association, sticky, &request);
            let payload = std::mem::take(&mut request.payload);
            let part = RequestBlock {
                block,
                announced,
                payload,
                wire_bytes,
            };
            let progress = self.block1.accept(meta.received_at, key.clone(), part);
            match progress.map_err(|refusal| self.refusal(refusal))? {
                Progress::Complete { body, wire_bytes } => {
                    request.payload = body;
                    total_bytes = wire_bytes;
                    response_key = self.response_key(meta, &request);
                }
                Progress::Continue => {
                    match &mut self.first_blocks {
                        Some(first_blocks) if block.number == 0 => {
                            take_out(&mut request);
                            first_blocks.push_back(FirstBlock {
                                request: meta.request(request, wire_bytes),
                                protection: meta.protection.clone(),
                                announced,
                                meta: meta.clone(),
                                key,
                                block,
                            });
                        }
                        _ => self.send_continue(meta, block),
                    }
                    return Ok(None);
                }
            }
        } else if request.payload.len() > self.limits.request_body {
            return Err(self.refusal(Block1Error::TooLarge));
        }
        // Only GET, and only for a body's first block (RFC 7641 §2, RFC 7959 §2.6). Other values have no meaning.
        let observe = request
            .uint_option(OBSERVE)
            .filter(|_| request.code == GET && block2.is_none_or(|block| block.number == 0));
        if block2.is_none_or(|block| block.number == 0) {
            let registering = (observe == Some(0)).then_some(meta.token);
            self.observations
                .on_requested(&response_key.body, registering);
        }
        if observe == Some(1) {
            self.deregister(meta);
        }
        take_out(&mut request);

        let exchange = Exchange {
            meta: meta.clone(),
            ack: Ack::Due,
            response_key,
            block1,
            block2,
            wants_size,
            observes: observe == Some(0) && !meta.constraints.multicast,
            bytes: request.held_bytes(),
            ack_due: meta.received_at + self.ack_delay(&meta.peer),
            held: None,
        };
        let observes = exchange.observes;
        let id = self.exchanges.begin(exchange);
        Ok(Some(Incoming {
            id,
            protection: meta.protection.clone(),
            request: Request {
                observes,
                ..meta.request(request, total_bytes)
            },
        }))
    }

    /// The slice of a stored response that a request asks for, in smaller blocks if the peer's allowance requires it.
    fn stored_slice(
        &mut self,
        meta: &RequestMeta<P, X::Context>,
        key: &ResponseKey<P>,
        wanted: Block,
    ) -> Option<Result<Message, BeyondEnd>> {
        let slice = self.block2.slice(meta.received_at, key, wanted)?;
        let Ok(whole) = &slice else {
            return Some(slice);
        };
        match allowance::smaller(meta.constraints.allowance, meta.token, wanted, whole) {
            Ok(None) => Some(slice),
            Ok(Some(wanted)) => self.block2.slice(meta.received_at, key, wanted),
            Err(TooLarge) => Some(Ok(self.unproven(meta))),
        }
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
            Block1Error::Full => self.unavailable(&text),
        }
    }
}
