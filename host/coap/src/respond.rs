//! Responses of the caller: their message, their blocks, and the bytes retained for duplicates.

use std::time::Instant;

use crate::code;
use crate::codec;
use crate::endpoint::Endpoint;
use crate::exchange::{Ack, Exchange, ExchangeId, RequestMeta};
use crate::fitting::in_accepted_format;
use crate::message::{Datagram, Message, MessageType};
use crate::observation::{Begun, Ended, ObservationId};
use crate::option::{BLOCK1, CONTENT_FORMAT, OBSERVE, SIZE2};
use crate::outbound::Purpose;
use crate::peer_id::PeerId;
use crate::protection::{MessageProtection, Reply};
use crate::retained::Retained;

impl<P: PeerId, X: MessageProtection<P>> Endpoint<P, X> {
    /// Responds to a request: piggybacked if its empty ACK has not left, else in a separate message (RFC 7252 §5.2); in
    /// blocks if the body is too large for one message (RFC 7959 §2.4). A second response to a request is ignored.
    ///
    /// A response that cannot be sent (no response code, above a limit) is replaced by 5.00.
    pub fn respond(&mut self, now: Instant, id: ExchangeId, response: Message) {
        if self.is_held(id) {
            return;
        }
        let Some(exchange) = self.exchanges.finish(id) else {
            return;
        };
        self.end_replaced(now, &exchange);
        self.respond_once_proven(now, id, exchange, response, None);
        self.collect_counters();
    }

    /// Fits and sends the response of an exchange; `begun`: the observation that it begins.
    pub(super) fn respond_to(
        &mut self,
        now: Instant,
        exchange: &Exchange<P, X::Context>,
        response: Message,
        begun: Option<Begun>,
    ) {
        let meta = &exchange.meta;
        let response = self.sendable(response);
        let mut response = in_accepted_format(meta, response);
        if exchange.wants_size && code::class(response.code) == 2 {
            let size = u32::try_from(response.payload.len()).unwrap_or(u32::MAX);
            response.set_uint_option(SIZE2, size);
        }
        let beside = exchange.ack == Ack::Sent || exchange.observes || exchange.held.is_some();
        let wanted = self.wanted(now, &meta.peer, exchange.block2);
        let (response, wanted) = self.within_allowance(meta, beside, wanted, response);
        let mut response = self.in_blocks(now, exchange.response_key.clone(), wanted, response);
        // A response that did not fit was replaced by an error.
        if code::class(response.code) >= 4 && response.option(CONTENT_FORMAT).is_none() {
            response = in_accepted_format(meta, response);
        }
        if let Some(begun) = begun {
            self.begin_feed(now, begun, &response);
        }
        // No error registers (RFC 7641 §4.2).
        if let Some(begun) = begun.filter(|_| code::class(response.code) == 2) {
            response.set_uint_option(OBSERVE, begun.sequence);
        }
        if let Some(block) = exchange.block1 {
            response.push_option(BLOCK1, block.encode());
        }
        // A safe request may be executed again for a duplicate, but must not begin its observation again.
        let retain = !code::is_safe(meta.method)
            || exchange.ack != Ack::Due
            || meta.constraints.multicast
            || begun.is_some();
        self.send_response(now, meta, exchange.ack, response, retain);
    }

    /// Protects a fitted response, if its request was protected, and sends it in the message type that the request asks
    /// for. `retain`: a duplicate of the request gets the same bytes.
    pub(super) fn send_response(
        &mut self,
        now: Instant,
        meta: &RequestMeta<P, X::Context>,
        ack: Ack,
        mut message: Message,
        retain: bool,
    ) {
        // A duplicate of a protected request must not be unprotected again: it would count as a replay (RFC 8613 §7.4).
        let retain = retain || meta.protection.is_some();
        if meta.constraints.suppresses(&message) {
            return self.suppress_response(meta, ack, retain, message.code);
        }
        let code = message.code;
        let begins_observation = message.option(OBSERVE).is_some();
        let mut observation = begins_observation
            .then(|| self.observations.find_of(meta))
            .flatten();
        if let Some(context) = &meta.protection {
            let (peer, reply) = (&meta.peer.id, Reply::Response);
            let protected = self
                .protection
                .protect(now, peer, context, reply, &mut message);
            if protected.is_err() {
                message = Message::new(code::SERVICE_UNAVAILABLE);
                if let Some(id) = observation.take() {
                    self.end(now, id, Ended::Unprotectable);
                }
            }
        }
        let datagram = |message_type, message_id| Datagram {
            message_type,
            message_id,
            token: meta.token,
            message,
        };
        let mut for_duplicates = Vec::new();
        match (meta.message_type, ack) {
            (MessageType::Confirmable, Ack::Due | Ack::Superseded) => {
                let bytes = codec::encode(&datagram(MessageType::Acknowledgement, meta.message_id));
                if retain {
                    for_duplicates.clone_from(&bytes);
                }
                if ack == Ack::Due {
                    self.counters.piggybacked += 1;
                    self.transmit(&meta.peer, bytes);
                }
            }
            (MessageType::Confirmable, Ack::Sent) => {
                self.counters.separate += 1;
                let empty = Datagram::empty(MessageType::Acknowledgement, meta.message_id);
                for_duplicates = codec::encode(&empty);
                let purpose = observation.map_or(Purpose::Response, Purpose::FirstResponse);
                let datagram = datagram(MessageType::Confirmable, 0);
                let outcome = self.reliability.send(now, &meta.peer, datagram, purpose);
                self.proceed(now, &meta.peer, outcome);
            }
            (_, Ack::Superseded) => {}
            _ => match self.reliability.spare_message_id(now, &meta.peer) {
                Some(message_id) => {
                    self.counters.non_confirmable += 1;
                    // Else the allowance has no bound: the address is proven.
                    if meta.constraints.allowance != usize::MAX {
                        self.peers.expect_reset(meta.peer.hash, message_id);
                    }
                    let bytes = codec::encode(&datagram(MessageType::NonConfirmable, message_id));
                    let multicast = meta.constraints.multicast;
                    self.transmit_response(now, &meta.peer, multicast, bytes);
                }
                None => self.counters.message_ids_exhausted += 1,
            },
        }
        if retain {
            self.retain(meta, code, observation, for_duplicates);
        }
    }

    /// Retains the bytes that duplicates of a request get, for as long as its message ID stands for it.
    /// `code` is that of the response.
    pub(super) fn retain(
        &mut self,
        meta: &RequestMeta<P, X::Context>,
        code: u8,
        observation: Option<ObservationId>,
        bytes: Vec<u8>,
    ) {
        let lifetime = match meta.message_type {
            MessageType::Confirmable => self.limits.exchange_lifetime,
            _ => self.limits.non_lifetime,
        };
        let response = Retained {
            peer: meta.peer.clone(),
            key: meta.key(),
            observation,
            is_protected: meta.protection.is_some(),
            expires: meta.received_at + lifetime,
            bytes,
        };
        self.dedup.retain(response, code::class(code) != 2);
    }
}
