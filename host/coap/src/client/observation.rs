//! One observation of a CoAP client (RFC 7641), sans-I/O, with the same kind of interface as an exchange.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::{ClientExchange, ExchangeError, ObservationEvent, Settings};
use crate::code::{class, is_response};
use crate::codec::{decode, encode};
use crate::message::{Datagram, Message, MessageType, Token};
use crate::option::{MAX_AGE, OBSERVE};

/// Values of Observe in a request (RFC 7641 §2).
const REGISTER: u32 = 0;
const DEREGISTER: u32 = 1;

/// Max-Age without the option (RFC 7252 §5.10.5).
const DEFAULT_MAX_AGE: u32 = 60;

/// Beyond Max-Age, before the client registers again: the notification may be on its way (RFC 7641 §3.3.1).
const GRACE: Duration = Duration::from_secs(15);

/// A notification so much later than the last is newer, whatever its number says (RFC 7641 §3.4).
const NUMBERS_LAST: Duration = Duration::from_secs(128);

/// Events that nobody has polled: each has a body. The oldest makes room, since the newest state counts.
const MOST_EVENTS: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Registering,
    Observing,
    Ending,
    Over,
}

/// An observation, from its registration on. A notification in blocks is fetched as a whole, and a newer one takes its
/// place meanwhile. When no notification has come until the last one is too old, the client registers again, with the
/// same token.
pub struct ClientObservation {
    request: Message,
    settings: Settings,
    seed: [u8; 16],
    next_message_id: u16,
    token: Token,
    phase: Phase,
    /// The registration, the blocks of a notification, or the deregistration.
    exchange: Option<ClientExchange>,
    newest: Option<(u32, Instant)>,
    fresh_until: Option<Instant>,
    retransmissions: u32,
    outbox: VecDeque<Vec<u8>>,
    events: VecDeque<ObservationEvent>,
}

impl ClientObservation {
    /// Registers. `request` is a GET without Observe; the rest is as of [`ClientExchange::new`]. The timeout of the
    /// settings is that of each exchange, not of the observation.
    pub fn new(
        request: Message,
        settings: Settings,
        seed: [u8; 16],
        first_message_id: u16,
        now: Instant,
    ) -> Self {
        let mut registration = request.clone();
        registration.set_uint_option(OBSERVE, REGISTER);
        let exchange = ClientExchange::new(registration, settings, seed, first_message_id, now);
        let mut observation = Self {
            request,
            settings,
            seed,
            next_message_id: exchange.next_message_id(),
            token: exchange.token(),
            phase: Phase::Registering,
            exchange: Some(exchange),
            newest: None,
            fresh_until: None,
            retransmissions: 0,
            outbox: VecDeque::new(),
            events: VecDeque::new(),
        };
        observation.advance(now);
        observation
    }

    /// Takes a datagram of the peer.
    pub fn handle_datagram(&mut self, bytes: &[u8], now: Instant) {
        let notification = decode(bytes)
            .ok()
            .filter(|datagram| datagram.token == self.token && is_response(datagram.message.code));
        let observe = notification
            .as_ref()
            .and_then(|one| one.message.uint_option(OBSERVE));
        let is_awaited = self
            .exchange
            .as_ref()
            .is_some_and(|exchange| exchange.awaits(self.token));
        match notification {
            // Its response has no Observe: this is a notification that was on its way.
            Some(datagram) if self.phase == Phase::Ending && observe.is_some() => {
                self.answer(&datagram, MessageType::Reset);
            }
            Some(datagram) if self.phase == Phase::Observing && !is_awaited => {
                self.answer(&datagram, MessageType::Acknowledgement);
                self.notified(datagram.message, observe, now);
            }
            _ => {
                // The server has registered it, whatever becomes of the other blocks.
                if let (Some(number), true) = (observe, is_awaited) {
                    self.newest = Some((number, now));
                    self.phase = Phase::Observing;
                }
                match &mut self.exchange {
                    Some(exchange) => exchange.handle_datagram(bytes, now),
                    None => self.reject(bytes),
                }
            }
        }
        self.advance(now);
    }

    /// Repeats what is due, or registers again.
    pub fn handle_timeout(&mut self, now: Instant) {
        let is_stale = self.is_stale(now);
        match &mut self.exchange {
            Some(exchange) => exchange.handle_timeout(now),
            None if is_stale => self.ask(REGISTER, now),
            None => {}
        }
        self.advance(now);
    }

    /// Ends the observation: the server is told (RFC 7641 §3.6).
    pub fn cancel(&mut self, now: Instant) {
        match self.phase {
            Phase::Observing => {
                self.phase = Phase::Ending;
                self.ask(DEREGISTER, now);
                self.advance(now);
            }
            Phase::Registering => self.phase = Phase::Over,
            Phase::Ending | Phase::Over => {}
        }
    }

    /// The next datagram to send. Poll until it returns `None`, also after the end.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.outbox.pop_front()
    }

    /// What has come.
    pub fn poll_event(&mut self) -> Option<ObservationEvent> {
        self.events.pop_front()
    }

    /// When [`ClientObservation::handle_timeout`] has work; none after the end.
    pub fn next_timeout(&self) -> Option<Instant> {
        match (self.phase, &self.exchange) {
            (Phase::Over, _) => None,
            (_, Some(exchange)) => exchange.next_timeout(),
            (_, None) => self.fresh_until,
        }
    }

    /// Whether nothing more will come.
    pub fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    /// Retransmissions so far.
    pub fn retransmissions(&self) -> u32 {
        self.retransmissions
            + self
                .exchange
                .as_ref()
                .map_or(0, ClientExchange::retransmissions)
    }

    /// The first message ID that this observation has not used.
    pub fn next_message_id(&self) -> u16 {
        self.exchange
            .as_ref()
            .map_or(self.next_message_id, ClientExchange::next_message_id)
    }

    /// Takes a notification, unless it is a copy or older than another one.
    fn notified(&mut self, message: Message, observe: Option<u32>, now: Instant) {
        let is_newer = match (observe, self.newest) {
            (Some(number), Some(newest)) => is_newer((number, now), newest),
            // The last word of the server (RFC 7641 §4.2).
            (None, _) | (_, None) => true,
        };
        if !is_newer {
            return;
        }
        self.newest = observe.map(|number| (number, now)).or(self.newest);
        self.end_exchange();
        self.exchange = Some(ClientExchange::after(
            self.request.clone(),
            self.settings,
            self.next_seed(),
            self.next_message_id,
            (message, now),
        ));
    }

    fn ask(&mut self, observe: u32, now: Instant) {
        self.end_exchange();
        let mut request = self.request.clone();
        request.set_uint_option(OBSERVE, observe);
        self.exchange = Some(ClientExchange::with_token(
            request,
            self.settings,
            self.next_seed(),
            (self.next_message_id, self.token),
            now,
        ));
    }

    /// Each exchange has tokens of its own.
    fn next_seed(&self) -> [u8; 16] {
        let mut seed = self.seed;
        let id = self.next_message_id.to_be_bytes();
        seed.iter_mut()
            .zip(id)
            .for_each(|(byte, bits)| *byte ^= bits);
        seed
    }

    fn end_exchange(&mut self) {
        self.retransmissions = self.retransmissions();
        self.next_message_id = self.next_message_id();
        self.exchange = None;
    }

    /// Passes on what the exchange has led to.
    fn advance(&mut self, now: Instant) {
        let Some(exchange) = &mut self.exchange else {
            return;
        };
        while let Some(bytes) = exchange.poll_transmit() {
            self.outbox.push_back(bytes);
        }
        let Some(outcome) = exchange.outcome().cloned() else {
            return;
        };
        self.end_exchange();
        if self.phase == Phase::Ending {
            self.phase = Phase::Over;
            return;
        }
        let event = match outcome {
            Ok(response) if class(response.code) == 2 && response.option(OBSERVE).is_some() => {
                self.phase = Phase::Observing;
                let max_age = response.uint_option(MAX_AGE).unwrap_or(DEFAULT_MAX_AGE);
                self.fresh_until = Some(now + Duration::from_secs(max_age.into()) + GRACE);
                ObservationEvent::State(response)
            }
            Ok(response) => ObservationEvent::Ended(response),
            // The resource changed between two blocks: a notification says how, or else the client asks.
            Err(ExchangeError::Blocks(_)) if self.phase == Phase::Observing => {
                self.fresh_until = Some(now + GRACE);
                return;
            }
            Err(error) => ObservationEvent::Failed(error),
        };
        if !matches!(event, ObservationEvent::State(_)) {
            self.phase = Phase::Over;
        }
        if self.events.len() == MOST_EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    fn is_stale(&self, now: Instant) -> bool {
        self.phase == Phase::Observing && self.fresh_until.is_some_and(|until| until <= now)
    }

    /// Responds to a confirmable message.
    fn answer(&mut self, datagram: &Datagram, kind: MessageType) {
        if datagram.message_type == MessageType::Confirmable {
            let empty = Datagram::empty(kind, datagram.message_id);
            self.outbox.push_back(encode(&empty));
        }
    }

    /// A ping, or a message of nothing that is here (RFC 7252 §4.2).
    fn reject(&mut self, bytes: &[u8]) {
        if let Ok(datagram) = decode(bytes) {
            self.answer(&datagram, MessageType::Reset);
        }
    }
}

/// Whether a notification is newer than another one (RFC 7641 §3.4).
fn is_newer((number, at): (u32, Instant), (last, last_at): (u32, Instant)) -> bool {
    let distance = number.wrapping_sub(last) & 0x00ff_ffff;
    (distance != 0 && distance < 1 << 23) || at > last_at + NUMBERS_LAST
}
