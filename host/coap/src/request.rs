//! From a request's message to its exchange: duplicates (RFC 7252 §4.5), protection (RFC 8613 §8.2), options
//! (RFC 7252 §5.4), then blocks, in `assemble`.

use std::time::Instant;

use crate::code;
use crate::dedup::Found;
use crate::endpoint::Endpoint;
use crate::exchange::{Ack, Arrival, RequestMeta};
use crate::fitting::{in_accepted_format, no_longer_than};
use crate::message::{Datagram, Message, MessageType};
use crate::option::{ECHO, MAX_AGE};
use crate::option_bounds;
use crate::options;
use crate::peer::Peer;
use crate::peer_id::PeerId;
use crate::protection::MessageProtection;
use crate::response_constraints::ResponseConstraints;
use crate::wanted::Wanted;

impl<P: PeerId, X: MessageProtection<P>> Endpoint<P, X> {
    pub(super) fn handle_request(
        &mut self,
        now: Instant,
        peer: Peer<P>,
        datagram: Datagram,
        arrival: Arrival,
    ) {
        let Datagram {
            message_type,
            message_id,
            token,
            message: mut request,
        } = datagram;
        let constraints = self.constraints(now, &peer, &request, arrival);
        let mut meta = RequestMeta {
            peer,
            message_type,
            message_id,
            digest: arrival.digest,
            token,
            method: request.code,
            received_at: now,
            protection: None,
            association: None,
            constraints,
        };
        if self.is_duplicate(&meta) {
            self.counters.duplicates += 1;
            return;
        }
        if arrival.limited {
            return self.refuse(&meta, too_many());
        }
        self.note_unacknowledged(&meta.peer);
        match self.protection.unprotect(now, &meta.peer.id, &mut request) {
            Ok(None) => {}
            Ok(Some(context)) => {
                let overhead = self.protection.overhead(&context);
                meta.association = Some(self.protection.association(&context));
                meta.protection = Some(context);
                meta.method = request.code;
                meta.constraints = self.constraints(now, &meta.peer, &request, arrival);
                meta.constraints.reserve(overhead);
                // The options inside were not part of the datagram's.
                if let Err(excess) = option_bounds::check_parsed(&request.options) {
                    self.counters.excessive_options += 1;
                    let refusal = Message::diagnostic(code::BAD_OPTION, excess.to_string());
                    return self.refuse_and_retain(&meta, refusal, true);
                }
            }
            Err(response) => {
                self.latest_refusal = Some((meta.peer.id.clone(), response.code));
                let Some(response) = no_longer_than(arrival.wire_bytes, &meta, response) else {
                    // The next transmission of the request gets it, once the peer has responded to the ping.
                    return self.ping_unless_proven(now, &meta.peer);
                };
                // Retained, so that a duplicate is not unprotected again: it would count as a replay.
                return self.send_response(now, &meta, Ack::Due, response, true);
            }
        }
        if let Err(error) = options::recognise(&mut request, &self.known_options.critical) {
            self.counters.bad_options += 1;
            // RFC 7252 §5.4.1: a non-confirmable request is rejected silently.
            if message_type == MessageType::Confirmable {
                self.refuse(
                    &meta,
                    Message::diagnostic(code::BAD_OPTION, error.to_string()),
                );
            }
            return;
        }
        match self.assemble(&meta, request, arrival.wire_bytes) {
            Ok(Some(incoming)) => {
                self.counters.requests += 1;
                let ready = if self.limits.echo {
                    self.prove_then(now, incoming)
                } else {
                    Some(incoming)
                };
                self.requests.extend(ready);
            }
            Ok(None) => {}
            Err(refusal) => self.refuse(&meta, refusal),
        }
    }

    /// The constraints of a response to this request. A fresh Echo value proves the peer's address first.
    fn constraints(
        &mut self,
        now: Instant,
        peer: &Peer<P>,
        request: &Message,
        arrival: Arrival,
    ) -> ResponseConstraints {
        if let Some(value) = request.option(ECHO)
            && self.echo.is_fresh(now, peer, value)
        {
            self.prove(now, peer);
        }
        let allowance = self.allowance(now, peer, arrival.wire_bytes);
        ResponseConstraints::of(request, arrival.multicast, allowance)
    }

    /// Responds to a request that the caller does not get.
    pub(super) fn refuse(&mut self, meta: &RequestMeta<P, X::Context>, response: Message) {
        self.refuse_and_retain(meta, response, !code::is_safe(meta.method));
    }

    fn refuse_and_retain(
        &mut self,
        meta: &RequestMeta<P, X::Context>,
        response: Message,
        retain: bool,
    ) {
        self.latest_refusal = Some((meta.peer.id.clone(), response.code));
        let response = in_accepted_format(meta, response);
        // An error of this endpoint is short.
        let wanted = Wanted::First(self.limits.block_size_exponent);
        let (response, _) = self.within_allowance(meta, false, wanted, response);
        self.send_response(meta.received_at, meta, Ack::Due, response, retain);
    }

    /// Handles a duplicate (RFC 7252 §4.5): silence while its request is in progress and not acknowledged, else the
    /// same datagram again. A duplicate of a non-confirmable request is dropped.
    ///
    /// Another message with an ID that is still in use is a new request: its peer has restarted, and forgotten the IDs
    /// that it had used.
    fn is_duplicate(&mut self, meta: &RequestMeta<P, X::Context>) -> bool {
        let (peer, key) = (&meta.peer, meta.key());
        if let Some(exchange) = self.exchanges.find(peer, &key) {
            if exchange.ack == Ack::Sent {
                self.transmit_empty(peer, MessageType::Acknowledgement, meta.message_id);
            }
            return true;
        }
        match self.dedup.find(meta.received_at, peer, &key) {
            Found::Same(retained) => {
                // The observation that began with it may have ended: the device asks for one again.
                let has_ended = |id| self.observations.get(id).is_none();
                let begins_again = retained.observation.is_some_and(has_ended);
                // The separate response to a safe request is over: a device that has restarted sends the same bytes for
                // another one.
                let is_over = retained.is_empty_ack()
                    && code::is_safe(meta.method)
                    && !self.reliability.has_response(peer, meta.token);
                if (begins_again || is_over) && !retained.is_protected {
                    return false;
                }
                let bytes = retained.bytes.clone();
                // The proof of the address may have expired since.
                if !bytes.is_empty() && bytes.len() <= meta.constraints.allowance {
                    self.transmit(peer, bytes);
                }
                return true;
            }
            Found::OtherWithItsId => self.note_reused_id(meta),
            Found::Nothing if self.exchanges.has_id_of(peer, &key) => self.note_reused_id(meta),
            Found::Nothing => {}
        }
        self.supersede(meta);
        false
    }

    fn note_reused_id(&mut self, meta: &RequestMeta<P, X::Context>) {
        self.counters.message_ids_reused += 1;
        self.latest_reused_id = Some(meta.peer.id.clone());
    }

    /// A new request: no response to an earlier one may leave any more that the device could take for that of this one.
    /// Its device uses the message ID or the token again, because it has restarted, or because it knows one token only.
    fn supersede(&mut self, meta: &RequestMeta<P, X::Context>) {
        let (now, peer) = (meta.received_at, &meta.peer);
        self.exchanges.supersede(peer, &meta.key(), meta.token);
        // Most requests have none: the credit costs two look-ups.
        if !self.reliability.has_response(peer, meta.token) {
            return;
        }
        let credit = self.credit(now, peer);
        let (dropped, outcome) = self
            .reliability
            .drop_responses(now, peer, meta.token, credit);
        self.proceed(now, peer, outcome);
        for purpose in dropped {
            self.on_dropped(now, peer, purpose);
        }
    }
}

/// RFC 8516: the peer may send again within a second.
fn too_many() -> Message {
    let text = "send it again after Max-Age: too many requests";
    Message::diagnostic(code::TOO_MANY_REQUESTS, text).with_uint_option(MAX_AGE, 1)
}
