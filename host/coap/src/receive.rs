//! From a datagram to its message (RFC 7252 §4): rate, decoding, and the message layer. `request` handles requests.

use std::time::Instant;

use crate::allowance;
use crate::block::MAX_SIZE_EXPONENT;
use crate::code;
use crate::codec::{self, DecodeError};
use crate::endpoint::Endpoint;
use crate::exchange::Arrival;
use crate::message::{Datagram, Message, MessageType, Token};
use crate::observation::Ended;
use crate::option_bounds::OptionExcess;
use crate::outbound::Purpose;
use crate::peer::Peer;
use crate::peer_id::PeerId;
use crate::peer_table::{Admission, Separate};
use crate::protection::MessageProtection;
use crate::wanted::Wanted;

impl<P: PeerId, X: MessageProtection<P>> Endpoint<P, X> {
    /// Takes one datagram from the network. Never fails: the endpoint ignores bytes that are no CoAP message, or resets
    /// them (RFC 7252 §4.2, §4.3).
    pub fn handle_datagram(&mut self, now: Instant, peer: P, bytes: &[u8]) {
        self.receive(now, self.peer(peer), bytes, false);
    }

    pub(super) fn receive(&mut self, now: Instant, peer: Peer<P>, bytes: &[u8], multicast: bool) {
        self.counters.datagrams += 1;
        self.dispatch(now, peer, bytes, multicast);
        self.collect_counters();
    }

    fn dispatch(&mut self, now: Instant, peer: Peer<P>, bytes: &[u8], multicast: bool) {
        // Before any work that costs time.
        let admission = self
            .peers
            .receive(now, peer.hash, peer.owner.holder(), bytes.len());
        let limited = admission != Admission::Within;
        self.counters.rate_limited += u64::from(limited);
        if admission == Admission::Ignored {
            return;
        }
        let datagram = match codec::decode(bytes) {
            Ok(datagram) => datagram,
            Err(error) => return self.reject(now, &peer, bytes.len(), limited || multicast, error),
        };
        let (code, message_id) = (datagram.message.code, datagram.message_id);
        match datagram.message_type {
            MessageType::Confirmable | MessageType::NonConfirmable if code::is_request(code) => {
                let arrival = Arrival {
                    wire_bytes: bytes.len(),
                    limited,
                    multicast,
                    digest: self.secret.hash(bytes),
                };
                self.handle_request(now, peer, datagram, arrival);
            }
            MessageType::Confirmable => {
                // A ping (RFC 7252 §4.3), or a response without a request.
                let count = if code == code::EMPTY {
                    &mut self.counters.pings
                } else {
                    &mut self.counters.unexpected
                };
                *count += 1;
                if !limited {
                    self.transmit_empty(&peer, MessageType::Reset, message_id);
                }
            }
            MessageType::Acknowledgement if !code::is_request(code) => {
                self.on_acknowledgement(now, &peer, message_id, code);
            }
            MessageType::Reset if code == code::EMPTY => self.on_reset(now, &peer, message_id),
            // RFC 7252 §4.2, §4.3: to reject these is to ignore them.
            _ => self.counters.unexpected += 1,
        }
    }

    /// Rejects a datagram that is no CoAP message, or has too many options: with RST or 4.02 if it is confirmable and
    /// such rejections are within their rate, else silently (RFC 7252 §4.2, §4.3).
    fn reject(
        &mut self,
        now: Instant,
        peer: &Peer<P>,
        bytes: usize,
        silently: bool,
        error: DecodeError,
    ) {
        let count = match error {
            DecodeError::ExcessiveOptions { .. } => &mut self.counters.excessive_options,
            _ => &mut self.counters.malformed,
        };
        *count += 1;
        let (DecodeError::Malformed {
            message_type: MessageType::Confirmable,
            message_id,
            ..
        }
        | DecodeError::ExcessiveOptions {
            message_type: MessageType::Confirmable,
            message_id,
            ..
        }) = error
        else {
            return;
        };
        let account = self.resets_full_at.get_or_insert(now);
        if silently || self.resets.is_some_and(|rate| !rate.take(now, account)) {
            self.counters.resets_withheld += 1;
            return;
        }
        match error {
            DecodeError::ExcessiveOptions {
                token,
                code,
                excess,
                ..
            } if code::is_request(code) => {
                self.latest_refusal = Some((peer.id.clone(), code::BAD_OPTION));
                let allowance = self.allowance(now, peer, bytes);
                let refusal = excessive_options(message_id, token, excess, allowance);
                self.transmit(peer, refusal);
            }
            _ => self.transmit_empty(peer, MessageType::Reset, message_id),
        }
    }

    /// The purpose of the message that this ACK or RST is for; none if no message waits for it. `is_accepted`: it is an
    /// ACK, and not of a response that the peer took for a request.
    fn on_ack_or_reset(
        &mut self,
        now: Instant,
        peer: &Peer<P>,
        message_id: u16,
        is_accepted: bool,
    ) -> Option<Purpose> {
        let is_blocked = self.is_blocked(now, peer);
        // A ping that ends without a proof would let notifications follow it.
        let outbound = self.reliability.outbound(peer);
        if is_blocked && outbound.is_some_and(|outbound| outbound.is_ping(message_id)) {
            return None;
        }
        let (purpose, outcome) = self.reliability.on_ack_or_reset(now, peer, message_id)?;
        if !is_blocked {
            // The peer has received a message of this endpoint.
            self.prove(now, peer);
        }
        if purpose.is_response() {
            let separate = match is_accepted {
                true => Separate::Taken,
                false => Separate::Ignored,
            };
            self.peers.set_separate(peer.hash, separate);
        }
        self.proceed(now, peer, outcome);
        Some(purpose)
    }

    fn on_acknowledgement(&mut self, now: Instant, peer: &Peer<P>, message_id: u16, code: u8) {
        // An ACK with a code is the response to a request: the peer took the message for one.
        let is_accepted = code == code::EMPTY;
        match self.on_ack_or_reset(now, peer, message_id, is_accepted) {
            Some(Purpose::Notification(id)) => self.on_notification_acknowledged(now, id),
            Some(Purpose::Response | Purpose::FirstResponse(_) | Purpose::AddressProof) => {}
            None => self.on_unmatched(now, peer, message_id),
        }
    }

    fn on_reset(&mut self, now: Instant, peer: &Peer<P>, message_id: u16) {
        let observation = match self.on_ack_or_reset(now, peer, message_id, false) {
            Some(Purpose::Response) => return self.counters.reset_by_peer += 1,
            // RFC 7252 §4.3: the response to a ping.
            Some(Purpose::AddressProof) => return,
            Some(Purpose::Notification(id) | Purpose::FirstResponse(id)) => Some(id),
            None => self.observations.find_non(peer, message_id),
        };
        let Some(id) = observation else {
            return self.on_unmatched(now, peer, message_id);
        };
        self.counters.reset_by_peer += 1;
        self.end(now, id, Ended::Reset);
    }

    /// An ACK or RST that names no message.
    fn on_unmatched(&mut self, now: Instant, peer: &Peer<P>, message_id: u16) {
        self.counters.unexpected += 1;
        self.count_guess(now, peer, message_id);
    }
}

/// 4.02, because the request is not to be repeated without another set of options (RFC 7252 §5.9.2.3). Not 4.13, which
/// makes a client send its body in smaller blocks (RFC 7959 §2.9.3), each with the same options again. The response is
/// not retained: a duplicate costs no more than the first one.
fn excessive_options(
    message_id: u16,
    token: Token,
    excess: OptionExcess,
    allowance: usize,
) -> Vec<u8> {
    let mut message = Message::diagnostic(code::BAD_OPTION, excess.to_string());
    // A message with such options is long enough for the diagnostic, if not for all of it.
    let _ = allowance::fit(
        allowance,
        token,
        Wanted::First(MAX_SIZE_EXPONENT),
        &mut message,
    );
    codec::encode(&Datagram {
        message_type: MessageType::Acknowledgement,
        message_id,
        token,
        message,
    })
}
