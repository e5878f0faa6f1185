//! How a request is answered: in which message, in which blocks, and what is kept for its duplicates.

use std::fmt::Debug;
use std::hash::Hash;
use std::time::Instant;

use super::block::Block;
use super::cache_key::ResponseKey;
use super::code::{self, BAD_REQUEST};
use super::codec;
use super::endpoint::Endpoint;
use super::exchange::{Exchange, ExchangeId, RequestMeta};
use super::message::{Datagram, Message, MessageType};
use super::option::{BLOCK1, CONTENT_FORMAT, OBSERVE, SIZE2};
use super::reliability::Purpose;

impl<P: Copy + Eq + Hash + Debug> Endpoint<P> {
    /// DedupCache a request: piggybacked if its empty ACK has not left, else in a message of its own; in blocks
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
        let response = self.sendable(response);
        let mut response = self.as_wanted(&exchange.arrival, response);
        if exchange.wants_size && code::class(response.code) == 2 {
            let size = u32::try_from(response.payload.len()).unwrap_or(u32::MAX);
            response.set_uint_option(SIZE2, size);
        }
        let (response, block2) = self.within_allowance(
            &exchange.arrival,
            exchange.acknowledged,
            exchange.block2,
            response,
        );
        let mut response = self.fitted(now, exchange.response_key, block2, response);
        // What did not fit was replaced.
        if code::class(response.code) == 4 && response.option(CONTENT_FORMAT).is_none() {
            response = self.as_wanted(&exchange.arrival, response);
        }
        if observing {
            response.set_uint_option(OBSERVE, self.observations.next_sequence());
        }
        if let Some(block) = exchange.block1 {
            response.push_option(BLOCK1, block.encode());
        }
        let terms = exchange.arrival.terms;
        // What changes nothing may be executed again, but not to begin its observation again.
        let retain = !code::is_safe(exchange.arrival.method)
            || exchange.acknowledged
            || terms.multicast
            || observing;
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
        key: ResponseKey<P>,
        wanted: Option<Block>,
        response: Message,
    ) -> Message {
        let secret = &self.secret;
        let tag = |body: &[u8]| (secret.hash(body) >> 32) as u32;
        let fitted = self.responses.fit(now, key, wanted, response, tag);
        fitted.unwrap_or_else(|error| Message::diagnostic(BAD_REQUEST, error.to_string()))
    }

    /// Sends a response the way its request came. `retain` keeps what a duplicate of the request gets.
    pub(super) fn answer(
        &mut self,
        now: Instant,
        arrival: &RequestMeta<P>,
        acknowledged: bool,
        message: Message,
        retain: bool,
    ) {
        let RequestMeta {
            peer,
            message_id,
            token,
            ..
        } = *arrival;
        if arrival.terms.silences(&message) {
            return self.answer_silently(arrival, acknowledged, retain);
        }
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
                let begun = datagram.message.option(OBSERVE);
                let begun = begun.and_then(|_| self.observations.find(&peer, token));
                let owner = begun.map_or(Purpose::Response, Purpose::FirstAnswer);
                let outcome = self.reliability.send(now, peer, datagram, owner);
                self.proceed(now, peer, outcome);
            }
            _ => match self.reliability.spare_message_id(now, peer) {
                Some(own) => {
                    self.counters.non_confirmable += 1;
                    let bytes = codec::encode(&datagram(MessageType::NonConfirmable, own));
                    self.transmit_answer(now, peer, arrival.terms.multicast, bytes);
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
}
