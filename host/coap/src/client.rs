//! One exchange of a CoAP client, sans-I/O: no socket, no clock, no randomness of its own.
//!
//! Feed [`ClientExchange::handle_datagram`] and [`ClientExchange::handle_timeout`]; then poll
//! [`ClientExchange::poll_transmit`], [`ClientExchange::next_timeout`] and [`ClientExchange::outcome`].
//! Supports CON with retransmission, NON, piggybacked and separate responses (RFC 7252 §4, §5.2), and block-wise bodies
//! (RFC 7959, in `transfer`). Blocks leave one after the other, so NSTART is 1 (§4.7) if the caller makes one exchange
//! at a time. [`ClientObservation`] is an exchange that goes on.

mod error;
mod observation;
mod observation_event;
mod observed;
mod settings;
#[cfg(test)]
mod tests;
mod transfer;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

pub use error::ExchangeError;
pub use observation::ClientObservation;
pub use observation_event::ObservationEvent;
pub use settings::{BlockSize, Settings};

use crate::code::{EMPTY, is_response};
use crate::codec::{DecodeError, decode, encode};
use crate::message::{Datagram, Message, MessageType, Token};
use crate::option::{BLOCK1, BLOCK2, is_critical};
use crate::secret::Secret;
use transfer::{Step, Transfer};

/// ACK_TIMEOUT (RFC 7252 §4.8): the least time to wait for an acknowledgement.
const ACK_TIMEOUT: Duration = Duration::from_secs(2);

/// MAX_RETRANSMIT (RFC 7252 §4.8).
const MAX_RETRANSMIT: u32 = 4;

/// Bytes of a token: 32 random bits against spoofed responses (RFC 7252 §5.3.1).
const TOKEN_LENGTH: usize = 4;

/// One request and its response, with all blocks and retransmissions.
pub struct ClientExchange {
    settings: Settings,
    deadline: Instant,
    secret: Secret,
    next_message_id: u16,
    transfer: Transfer,
    in_flight: InFlight,
    retransmissions: u32,
    /// Message ID of the separate response that was acknowledged last.
    acknowledged: Option<u16>,
    /// At most one datagram per datagram taken, and one per timeout.
    outbox: VecDeque<Vec<u8>>,
    outcome: Option<Result<Message, ExchangeError>>,
}

/// The request message that waits for its response.
#[derive(Default)]
struct InFlight {
    message_id: u16,
    token: Token,
    bytes: Vec<u8>,
    /// When to send it again, and the timeout then. None if acknowledged or non-confirmable.
    retransmit: Option<(Instant, Duration)>,
    retransmissions: u32,
}

impl ClientExchange {
    /// Begins an exchange. The first datagram is ready to be polled.
    ///
    /// `request` has its whole body, and no block options. `seed` must be unpredictable, because tokens come from it
    /// (RFC 7252 §5.3.1), and new for each exchange. `first_message_id` is [`ClientExchange::next_message_id`] of the
    /// last exchange with this peer, so that no ID is used twice within EXCHANGE_LIFETIME (§4.4).
    pub fn new(
        request: Message,
        settings: Settings,
        seed: [u8; 16],
        first_message_id: u16,
        now: Instant,
    ) -> Self {
        let (transfer, first) = Transfer::new(request, &settings);
        let mut exchange = Self::idle(transfer, settings, seed, first_message_id, now);
        exchange.send(first, now);
        exchange
    }

    fn idle(
        transfer: Transfer,
        settings: Settings,
        seed: [u8; 16],
        first_message_id: u16,
        now: Instant,
    ) -> Self {
        Self {
            settings,
            deadline: now + settings.timeout,
            secret: Secret::new(seed),
            next_message_id: first_message_id,
            transfer,
            in_flight: InFlight::default(),
            retransmissions: 0,
            acknowledged: None,
            outbox: VecDeque::new(),
            outcome: None,
        }
    }

    /// Takes a datagram of the peer. A datagram of another exchange is ignored or reset.
    pub fn handle_datagram(&mut self, bytes: &[u8], now: Instant) {
        let datagram = match decode(bytes) {
            Ok(datagram) => datagram,
            Err(error) => return self.reject(error),
        };
        let Datagram {
            message_type,
            message_id,
            token,
            message,
        } = datagram;
        let pending = self.outcome.is_none();
        let for_message_id = pending && message_id == self.in_flight.message_id;
        let for_token = pending && is_response(message.code) && token == self.in_flight.token;
        match message_type {
            MessageType::Acknowledgement if for_message_id && for_token => {
                self.respond(message, now)
            }
            MessageType::Acknowledgement if for_message_id && message.code == EMPTY => {
                self.in_flight.retransmit = None;
                self.in_flight.bytes.clear();
            }
            MessageType::Reset if for_message_id => self.outcome = Some(Err(ExchangeError::Reset)),
            MessageType::NonConfirmable if for_token => self.respond(message, now),
            MessageType::Confirmable if for_token && unknown_critical(&message).is_none() => {
                self.acknowledged = Some(message_id);
                self.send_empty(MessageType::Acknowledgement, message_id);
                self.respond(message, now);
            }
            // The acknowledgement of a separate response was lost (RFC 7252 §4.5).
            MessageType::Confirmable if self.acknowledged == Some(message_id) => {
                self.send_empty(MessageType::Acknowledgement, message_id);
            }
            MessageType::Confirmable => {
                // A ping, a request, or a response to no request of this exchange (RFC 7252 §4.2, §5.3.2).
                self.send_empty(MessageType::Reset, message_id);
                if for_token {
                    self.respond(message, now);
                }
            }
            _ => {}
        }
    }

    /// Rejects a datagram that is no CoAP message, or has too many options. A response that does would come again, and
    /// ends the exchange.
    fn reject(&mut self, error: DecodeError) {
        let (DecodeError::Malformed {
            message_type,
            message_id,
            ..
        }
        | DecodeError::ExcessiveOptions {
            message_type,
            message_id,
            ..
        }) = error
        else {
            return;
        };
        if message_type == MessageType::Confirmable {
            self.send_empty(MessageType::Reset, message_id);
        }
        if let DecodeError::ExcessiveOptions {
            token,
            code,
            excess,
            ..
        } = error
            && self.outcome.is_none()
            && is_response(code)
            && token == self.in_flight.token
        {
            self.outcome = Some(Err(ExchangeError::ExcessiveOptions(excess)));
        }
    }

    /// Sends a due retransmission, or ends the exchange at its timeout.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.outcome.is_some() {
            return;
        }
        let retransmissions = self.in_flight.retransmissions;
        if now >= self.deadline {
            let acknowledged = self.settings.confirmable && self.in_flight.retransmit.is_none();
            self.outcome = Some(Err(if acknowledged {
                ExchangeError::NoResponse
            } else {
                ExchangeError::Silent { retransmissions }
            }));
            return;
        }
        let Some((_, wait)) = self.in_flight.retransmit.filter(|(due, _)| *due <= now) else {
            return;
        };
        if retransmissions == MAX_RETRANSMIT {
            self.outcome = Some(Err(ExchangeError::Silent { retransmissions }));
            return;
        }
        self.in_flight.retransmit = Some((now + 2 * wait, 2 * wait));
        self.in_flight.retransmissions += 1;
        self.retransmissions += 1;
        self.outbox.push_back(self.in_flight.bytes.clone());
    }

    /// The next datagram to send. Poll until it returns `None`, also after the outcome: the last one may acknowledge a
    /// separate response.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.outbox.pop_front()
    }

    /// When [`ClientExchange::handle_timeout`] has work; none after the outcome.
    pub fn next_timeout(&self) -> Option<Instant> {
        if self.outcome.is_some() {
            return None;
        }
        let retransmit = self.in_flight.retransmit.map(|(due, _)| due);
        Some(retransmit.map_or(self.deadline, |due| due.min(self.deadline)))
    }

    /// The response with its whole body and without block options, or the error; none while the exchange is in
    /// progress.
    pub fn outcome(&self) -> Option<&Result<Message, ExchangeError>> {
        self.outcome.as_ref()
    }

    /// Retransmissions so far.
    pub fn retransmissions(&self) -> u32 {
        self.retransmissions
    }

    /// The first message ID that this exchange has not used.
    pub fn next_message_id(&self) -> u16 {
        self.next_message_id
    }

    fn send(&mut self, message: Message, now: Instant) {
        // One token per block, so that a late response to an earlier block does not match.
        let bits = self.secret.hash(self.next_message_id).to_be_bytes();
        let token = Token::new(&bits[..TOKEN_LENGTH]).unwrap_or_default();
        self.send_as(message, token, now);
    }

    fn send_as(&mut self, message: Message, token: Token, now: Instant) {
        let message_id = self.next_message_id;
        self.next_message_id = message_id.wrapping_add(1);
        let message_type = match self.settings.confirmable {
            true => MessageType::Confirmable,
            false => MessageType::NonConfirmable,
        };
        // ACK_RANDOM_FACTOR 1.5 (RFC 7252 §4.8), so that devices that start together do not collide again and again.
        let wait = ACK_TIMEOUT.mul_f64(1.0 + 0.5 * self.secret.fraction());
        let bytes = encode(&Datagram {
            message_type,
            message_id,
            token,
            message,
        });
        self.outbox.push_back(bytes.clone());
        self.in_flight = InFlight {
            message_id,
            token,
            bytes,
            retransmit: self.settings.confirmable.then_some((now + wait, wait)),
            retransmissions: 0,
        };
    }

    fn respond(&mut self, response: Message, now: Instant) {
        if let Some(number) = unknown_critical(&response) {
            self.outcome = Some(Err(ExchangeError::CriticalOption(number)));
            return;
        }
        match self.transfer.take(response) {
            Ok(Step::Send(next)) => self.send(next, now),
            Ok(Step::Done(response)) => self.outcome = Some(Ok(response)),
            Err(error) => self.outcome = Some(Err(error)),
        }
    }

    fn send_empty(&mut self, message_type: MessageType, message_id: u16) {
        self.outbox
            .push_back(encode(&Datagram::empty(message_type, message_id)));
    }
}

/// The first critical option that this client does not understand (RFC 7252 §5.4.1).
fn unknown_critical(response: &Message) -> Option<u16> {
    let mut numbers = response.options.iter().map(|option| option.number);
    numbers.find(|number| is_critical(*number) && ![BLOCK1, BLOCK2].contains(number))
}
