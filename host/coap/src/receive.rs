//! What happens to a datagram: message layer first (RFC 7252 §4), then options (§5.4), then blocks (RFC 7959).

use std::fmt::Debug;
use std::hash::Hash;
use std::time::Instant;

use super::code;
use super::codec::{self, DecodeError};
use super::endpoint::Endpoint;
use super::exchange::RequestMeta;
use super::message::{Datagram, Message, MessageType};
use super::observer_table::Ended;
use super::option::MAX_AGE;
use super::options;
use super::peer::Peer;
use super::peer_table::Admission;
use super::reliability::Purpose;

/// How a datagram came.
#[derive(Clone, Copy)]
pub(super) struct Way {
    /// Its bytes.
    pub(super) wire_bytes: usize,
    /// Its peer is above its rate: it is told so, and nothing is done for it.
    pub(super) limited: bool,
    /// It came to a group.
    pub(super) multicast: bool,
}

impl<P: Copy + Eq + Hash + Debug> Endpoint<P> {
    /// Takes one datagram as it came from the network; whatever it holds, this never fails.
    pub fn handle_datagram(&mut self, now: Instant, peer: P, bytes: &[u8]) {
        self.receive(now, peer, bytes, false);
    }

    pub(super) fn receive(&mut self, now: Instant, peer: P, bytes: &[u8], multicast: bool) {
        self.counters.datagrams += 1;
        let peer = Peer::new(peer, &self.secret);
        // Before anything that costs time.
        let admission = self.known.receive(now, peer.hash, bytes.len());
        let limited = admission != Admission::Within;
        self.counters.rate_limited += u64::from(limited);
        if admission == Admission::Ignored {
            return;
        }
        let datagram = match codec::decode(bytes) {
            Ok(datagram) => datagram,
            Err(error) => return self.reject(now, peer, limited || multicast, error),
        };
        let way = Way {
            wire_bytes: bytes.len(),
            limited,
            multicast,
        };
        let (code, message_id) = (datagram.message.code, datagram.message_id);
        match datagram.message_type {
            MessageType::Confirmable | MessageType::NonConfirmable if code::is_request(code) => {
                self.handle_request(now, peer, datagram, way);
            }
            MessageType::Confirmable => {
                // A ping (RFC 7252 §4.3), or a response to a request never made.
                let count = if code == code::EMPTY {
                    &mut self.counters.pings
                } else {
                    &mut self.counters.unexpected
                };
                *count += 1;
                if !limited {
                    self.transmit_empty(peer, MessageType::Reset, message_id);
                }
            }
            MessageType::Acknowledgement if !code::is_request(code) => {
                match self.on_ack_or_reset(now, peer, message_id) {
                    Some(Purpose::Notification(id)) => self.notification_arrived(now, id),
                    Some(Purpose::Response | Purpose::FirstAnswer(_) | Purpose::Proof) => {}
                    None => self.counters.unexpected += 1,
                }
            }
            MessageType::Reset if code == code::EMPTY => self.reset(now, peer, message_id),
            // Rejecting these is ignoring them (RFC 7252 §4.2, §4.3).
            _ => self.counters.unexpected += 1,
        }
    }

    fn reject(&mut self, now: Instant, peer: Peer<P>, silently: bool, error: DecodeError) {
        self.counters.malformed += 1;
        let DecodeError::Malformed {
            message_type: MessageType::Confirmable,
            message_id,
            ..
        } = error
        else {
            return;
        };
        let account = self.resets_full_at.get_or_insert(now);
        if silently || self.resets.is_some_and(|rate| !rate.take(now, account)) {
            self.counters.resets_withheld += 1;
        } else {
            self.transmit_empty(peer, MessageType::Reset, message_id);
        }
    }

    /// Whose message was waiting for this ACK or RST.
    fn on_ack_or_reset(&mut self, now: Instant, peer: Peer<P>, message_id: u16) -> Option<Purpose> {
        let (owner, outcome) = self.reliability.on_ack_or_reset(now, peer, message_id)?;
        // Whoever answers a message of ours has received it.
        self.prove(now, peer);
        self.proceed(now, peer, outcome);
        Some(owner)
    }

    fn reset(&mut self, now: Instant, peer: Peer<P>, message_id: u16) {
        let observation = match self.on_ack_or_reset(now, peer, message_id) {
            Some(Purpose::Response) => return self.counters.reset_by_peer += 1,
            // That is how a ping is answered.
            Some(Purpose::Proof) => return,
            Some(Purpose::Notification(id) | Purpose::FirstAnswer(id)) => Some(id),
            None => self.observations.find_non(&peer, message_id),
        };
        let Some(id) = observation else {
            return self.counters.unexpected += 1;
        };
        self.counters.reset_by_peer += 1;
        self.end(now, id, Ended::Reset);
    }

    fn handle_request(&mut self, now: Instant, peer: Peer<P>, datagram: Datagram, way: Way) {
        let Datagram {
            message_type,
            message_id,
            token,
            message: mut request,
        } = datagram;
        let arrival = RequestMeta {
            peer,
            message_type,
            message_id,
            token,
            method: request.code,
            at: now,
            terms: self.terms(now, peer, &request, way),
        };
        if self.is_duplicate(&arrival) {
            self.counters.duplicates += 1;
            return;
        }
        if way.limited {
            return self.refuse(&arrival, too_many());
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
        if self.limits.echo && !self.known.is_proven(now, peer.hash) {
            let challenge = self.challenge(now, &peer);
            return self.refuse(&arrival, challenge);
        }
        match self.assemble(&arrival, request, way.wire_bytes) {
            Ok(Some(incoming)) => {
                self.counters.requests += 1;
                self.requests.push_back(incoming);
            }
            Ok(None) => {}
            Err(refusal) => self.refuse(&arrival, refusal),
        }
    }

    /// DedupCache a request that nobody else will see. Kept for duplicates like any answer.
    fn refuse(&mut self, arrival: &RequestMeta<P>, response: Message) {
        self.latest_refusal = Some((arrival.peer.address, response.code));
        let response = self.as_wanted(arrival, response);
        let (response, _) = self.within_allowance(arrival, false, None, response);
        let retain = !code::is_safe(arrival.method);
        self.answer(arrival.at, arrival, false, response, retain);
    }

    /// Deals with a message seen before (RFC 7252 §4.5): silence while it is in progress and not yet acknowledged,
    /// else the same acknowledgement again. Duplicates of a non-confirmable one are dropped.
    fn is_duplicate(&mut self, arrival: &RequestMeta<P>) -> bool {
        let RequestMeta {
            peer,
            message_type,
            message_id,
            at,
            terms,
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
        // What repeats only the message ID is not the request that the answer was measured by.
        if !answer.is_empty() && answer.len() <= terms.allowance {
            let bytes = answer.to_vec();
            self.transmit(peer, bytes);
        }
        true
    }
}

/// RFC 8516: the peer's account has room again within a second.
fn too_many() -> Message {
    let text = "too many requests; send it again after Max-Age seconds";
    Message::diagnostic(code::TOO_MANY_REQUESTS, text).with_uint_option(MAX_AGE, 1)
}
