//! A device: `coap::client` makes one exchange after the other, and each must end as RFC 7252 says.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::plan::Errand;
use super::*;
use crate::client::{ClientExchange, ExchangeError};
use crate::code::{REQUEST_ENTITY_INCOMPLETE, SERVICE_UNAVAILABLE};
use crate::option::{ECHO, MAX_AGE};

/// ACK_TIMEOUT, 5 times doubled: the earliest time to give a confirmable message up (RFC 7252 §4.2).
const LEAST_TRANSMIT_WAIT: Duration = Duration::from_secs(62);
/// MAX_TRANSMIT_WAIT (RFC 7252 §4.8.2): the latest.
const MAX_TRANSMIT_WAIT: Duration = Duration::from_secs(93);

/// How an exchange ended; every other end fails the test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// With the right response.
    Completed,
    /// A confirmable message was not acknowledged, four retransmissions long.
    GivenUp,
    /// Acknowledged, but the separate response never came through.
    NoResponse,
    /// A non-confirmable one, without a response.
    NonWithoutResponse,
    /// The device was silent for longer than its body is kept: 4.08.
    Dropped,
}

/// An exchange under way, or over.
struct Current {
    errand: Errand,
    exchange: ClientExchange,
    began: Instant,
    /// The message sent last, and when it was sent first.
    message: Option<(u16, Instant)>,
    /// When to send the request again: nothing was done for it.
    again: Option<Instant>,
    reported: bool,
}

pub(super) struct Device {
    errands: VecDeque<Errand>,
    current: Option<Current>,
    /// When the next errand begins; none while one is under way, or all are done.
    begins: Option<Instant>,
    next_message_id: u16,
}

impl Device {
    pub(super) fn new(errands: VecDeque<Errand>, first_message_id: u16, now: Instant) -> Self {
        let begins = errands.front().map(|errand| now + errand.pause);
        Self {
            errands,
            current: None,
            begins,
            next_message_id: first_message_id,
        }
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        let of_exchange = self
            .current
            .as_ref()
            .and_then(|current| current.exchange.next_timeout());
        let again = self.current.as_ref().and_then(|current| current.again);
        of_exchange.or(again).or(self.begins)
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.begins.is_some_and(|begins| begins <= now) {
            self.begins = None;
            let errand = self
                .errands
                .pop_front()
                .expect("it was there when its time was set");
            let request = errand.request();
            self.current = Some(Current::begin(errand, request, self.next_message_id, now));
        } else if let Some(current) = &mut self.current {
            match current.again.filter(|again| *again <= now) {
                Some(_) => *current = current.repeated(current.errand.request(), now),
                None => current.exchange.handle_timeout(now),
            }
        }
    }

    /// Takes a datagram. An exchange that is over still acknowledges repeats of its response.
    pub(super) fn handle_datagram(&mut self, now: Instant, bytes: &[u8]) {
        if let Some(current) = &mut self.current {
            current.exchange.handle_datagram(bytes, now);
            current.again = current.again.or_else(|| current.unavailable_until(now));
            if let Some(repeated) = current.with_echo(now) {
                *current = repeated;
            }
        }
    }

    pub(super) fn poll_transmit(&mut self, now: Instant) -> Option<Vec<u8>> {
        let current = self.current.as_mut()?;
        let bytes = current.exchange.poll_transmit()?;
        let datagram = decode(&bytes).expect("the client sends valid messages");
        let is_repeat = current
            .message
            .is_some_and(|(message_id, _)| message_id == datagram.message_id);
        if code::is_request(datagram.message.code) && !is_repeat {
            current.message = Some((datagram.message_id, now));
        }
        Some(bytes)
    }

    /// The end of an exchange, once.
    pub(super) fn poll_end(&mut self, now: Instant) -> Option<(Errand, End)> {
        let current = self.current.as_mut().filter(|current| !current.reported)?;
        let end = current.end(now)?;
        current.reported = true;
        self.next_message_id = current.exchange.next_message_id();
        self.begins = self.errands.front().map(|errand| now + errand.pause);
        Some((current.errand.clone(), end))
    }
}

impl Current {
    fn begin(errand: Errand, request: Message, first_message_id: u16, now: Instant) -> Self {
        let mut seed = [0; 16];
        seed[..4].copy_from_slice(&errand.number.to_be_bytes());
        seed[4..6].copy_from_slice(&first_message_id.to_be_bytes());
        let exchange = ClientExchange::new(request, errand.settings, seed, first_message_id, now);
        Self {
            errand,
            exchange,
            began: now,
            message: None,
            again: None,
            reported: false,
        }
    }

    /// The same errand again with the Echo value that the server asks for (RFC 9175 §2.3).
    fn with_echo(&self, now: Instant) -> Option<Self> {
        let response = self.exchange.outcome()?.as_ref().ok()?;
        let value = response.option(ECHO)?.to_vec();
        let request = self.errand.request().with_option(ECHO, value);
        Some(self.repeated(request, now))
    }

    /// The end of Max-Age of a 5.03: no ping could prove the address, and the device does not understand Echo.
    fn unavailable_until(&self, now: Instant) -> Option<Instant> {
        let response = self.exchange.outcome()?.as_ref().ok()?;
        let is_unavailable = response.code == SERVICE_UNAVAILABLE;
        let max_age = response.uint_option(MAX_AGE).filter(|_| is_unavailable)?;
        Some(now + Duration::from_secs(max_age.into()))
    }

    fn repeated(&self, request: Message, now: Instant) -> Self {
        let message_id = self.exchange.next_message_id();
        Self::begin(self.errand.clone(), request, message_id, now)
    }

    fn end(&self, now: Instant) -> Option<End> {
        let confirmable = self.errand.settings.confirmable;
        let since_began = now - self.began;
        let timeout = self.errand.settings.timeout;
        Some(match self.exchange.outcome()? {
            Ok(response) if response.code == REQUEST_ENTITY_INCOMPLETE => End::Dropped,
            Ok(_) if self.again.is_some() => return None,
            Ok(response) => {
                let expected = self.errand.response();
                assert!(
                    response.code == expected.code && response.payload == expected.payload,
                    "{:?} got {response:?}",
                    self.errand
                );
                End::Completed
            }
            Err(ExchangeError::Silent { retransmissions }) if confirmable => {
                let waited = self.message.map(|(_, sent)| now - sent).unwrap_or_default();
                assert!(
                    *retransmissions == 4
                        && (LEAST_TRANSMIT_WAIT..=MAX_TRANSMIT_WAIT).contains(&waited),
                    "{:?} was given up after {retransmissions} retransmissions and {waited:?}",
                    self.errand
                );
                End::GivenUp
            }
            Err(ExchangeError::Silent { .. }) if since_began == timeout => End::NonWithoutResponse,
            Err(ExchangeError::NoResponse) if confirmable && since_began == timeout => {
                End::NoResponse
            }
            Err(error) => panic!("{:?} ended after {since_began:?}: {error}", self.errand),
        })
    }
}
