//! One exchange of a CoAP client, sans-I/O: no socket, no clock, no randomness of its own.
//!
//! Feed [`ClientExchange::handle_datagram`] and [`ClientExchange::handle_timeout`]; then poll
//! [`ClientExchange::poll_transmit`], [`ClientExchange::next_timeout`] and [`ClientExchange::outcome`].
//!
//! It speaks CON with retransmission and NON, takes piggybacked and separate responses (RFC 7252 §4, §5.2), and
//! moves large bodies block by block (RFC 7959, in `transfer`). Blocks go one after the other, so NSTART = 1
//! (§4.7) holds as long as the caller makes one exchange at a time.

#[cfg(test)]
mod tests;
mod transfer;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

pub use transfer::BlockSize;

use crate::code::{EMPTY, is_response};
use crate::codec::{DecodeError, decode, encode};
use crate::message::{Datagram, Message, MessageType, Token};
use crate::option::{BLOCK1, BLOCK2, is_critical};
use crate::secret::Secret;
use transfer::{Step, Transfer};

/// ACK_TIMEOUT (RFC 7252 §4.8): wait at least this long for an acknowledgement.
const ACK_TIMEOUT: Duration = Duration::from_secs(2);

/// MAX_RETRANSMIT (RFC 7252 §4.8).
const MAX_RETRANSMIT: u32 = 4;

/// Bytes of a token: 32 bits of randomness against answers of spoofers (RFC 7252 §5.3.1).
const TOKEN_LENGTH: usize = 4;

/// How an exchange is made.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// CON, or NON: without acknowledgement and retransmission.
    pub confirmable: bool,
    /// Largest block to send; the server may ask for smaller ones.
    pub block_size: BlockSize,
    /// Ask for answers in blocks of that size from the start (RFC 7959 §2.4, early negotiation), and not only
    /// take what the server chooses.
    pub ask_block_size: bool,
    /// Bound of the whole exchange, blocks and retransmissions included.
    pub timeout: Duration,
    /// Most bytes of an answer that are kept.
    pub max_answer: usize,
}

/// Why an exchange ended without an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeError {
    /// No acknowledgement and no response, after every retransmission or the whole time.
    #[error("no answer after {retransmissions} retransmissions")]
    Silent {
        /// Of the message that was not answered.
        retransmissions: u32,
    },
    /// The request was acknowledged, and then no response came in time.
    #[error("the request was acknowledged, but no response followed in time")]
    NoResponse,
    /// RFC 7252 §4.2: the peer has no use for the message.
    #[error("the peer reset the message: it does not understand it, or has restarted")]
    Reset,
    /// The body is above [`Settings::max_answer`].
    #[error("the answer is larger than {limit} bytes, the most that is accepted")]
    TooLarge {
        /// The bound, in bytes.
        limit: usize,
    },
    /// RFC 7252 §5.4.1: a critical option that this client does not know.
    #[error("the answer has the critical option {0}, which is not understood")]
    CriticalOption(u16),
    /// RFC 7959: blocks out of order, of the wrong size or of different answers.
    #[error("the block-wise transfer went wrong: {0}")]
    Blocks(&'static str),
}

/// One request and its response: all its blocks, all its retransmissions.
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
    /// When to send it again and how long to wait then; none: acknowledged or non-confirmable.
    retransmit: Option<(Instant, Duration)>,
    retransmissions: u32,
}

impl ClientExchange {
    /// Begins an exchange: the first datagram is ready to be polled.
    ///
    /// `request` is whole, without block options. `seed` must be unpredictable (tokens are made from it, RFC 7252
    /// §5.3.1) and new for each exchange; `first_message_id` continues where the last exchange with this peer ended
    /// ([`ClientExchange::next_message_id`]), so that none is used twice within EXCHANGE_LIFETIME (§4.4).
    pub fn new(
        request: Message,
        settings: Settings,
        seed: [u8; 16],
        first_message_id: u16,
        now: Instant,
    ) -> Self {
        let (transfer, first) = Transfer::new(request, &settings);
        let mut exchange = Self {
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
        };
        exchange.send(first, now);
        exchange
    }

    /// Takes what arrived from the peer. Anything that is not for this exchange is ignored or reset.
    pub fn handle_datagram(&mut self, bytes: &[u8], now: Instant) {
        let datagram = match decode(bytes) {
            Ok(datagram) => datagram,
            Err(DecodeError::Malformed {
                message_type: MessageType::Confirmable,
                message_id,
                ..
            }) => {
                return self.answer_empty(MessageType::Reset, message_id);
            }
            Err(_) => return,
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
                self.answer_empty(MessageType::Acknowledgement, message_id);
                self.respond(message, now);
            }
            // The acknowledgement of a separate response was lost (RFC 7252 §4.5).
            MessageType::Confirmable if self.acknowledged == Some(message_id) => {
                self.answer_empty(MessageType::Acknowledgement, message_id);
            }
            MessageType::Confirmable => {
                // A ping, a request or a response that nobody waits for (RFC 7252 §4.2, §5.3.2).
                self.answer_empty(MessageType::Reset, message_id);
                if for_token {
                    self.respond(message, now);
                }
            }
            _ => {}
        }
    }

    /// Does what is due at `now`: sends again, or gives up.
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

    /// The next datagram to send. To be polled until none is left, also after the outcome: it may be the
    /// acknowledgement of a separate response.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.outbox.pop_front()
    }

    /// When [`ClientExchange::handle_timeout`] has something to do; none once there is an outcome.
    pub fn next_timeout(&self) -> Option<Instant> {
        if self.outcome.is_some() {
            return None;
        }
        let retransmit = self.in_flight.retransmit.map(|(due, _)| due);
        Some(retransmit.map_or(self.deadline, |due| due.min(self.deadline)))
    }

    /// The response with its whole body and without block options, or why there is none.
    pub fn outcome(&self) -> Option<&Result<Message, ExchangeError>> {
        self.outcome.as_ref()
    }

    /// Messages that were sent again so far.
    pub fn retransmissions(&self) -> u32 {
        self.retransmissions
    }

    /// The first message ID that this exchange did not use.
    pub fn next_message_id(&self) -> u16 {
        self.next_message_id
    }

    fn send(&mut self, message: Message, now: Instant) {
        let message_id = self.next_message_id;
        self.next_message_id = message_id.wrapping_add(1);
        // A token per block: a late answer to an earlier block cannot be taken for the awaited one.
        let bits = self.secret.hash(message_id).to_be_bytes();
        let token = Token::new(&bits[..TOKEN_LENGTH]).unwrap_or_default();
        let message_type = match self.settings.confirmable {
            true => MessageType::Confirmable,
            false => MessageType::NonConfirmable,
        };
        // ACK_RANDOM_FACTOR 1.5 (RFC 7252 §4.8), so that devices that start together do not collide for ever.
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
            Ok(Step::Done(answer)) => self.outcome = Some(Ok(answer)),
            Err(error) => self.outcome = Some(Err(error)),
        }
    }

    fn answer_empty(&mut self, message_type: MessageType, message_id: u16) {
        self.outbox
            .push_back(encode(&Datagram::empty(message_type, message_id)));
    }
}

/// The first critical option that this client does not understand (RFC 7252 §5.4.1).
fn unknown_critical(response: &Message) -> Option<u16> {
    let mut numbers = response.options.iter().map(|option| option.number);
    numbers.find(|number| is_critical(*number) && ![BLOCK1, BLOCK2].contains(number))
}
