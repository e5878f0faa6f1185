//! A device with one of the stacks: one request after the other, an observation, and restarts.

use std::collections::{HashSet, VecDeque};
use std::time::{Duration, Instant};

use super::super::simulation::network::Random;
use super::exchange::{Current, Step};
use super::table::{Ids, Ping, Separate, Stack};
use crate::block::Block;
use crate::code::{self, CONTENT, EMPTY, NOT_FOUND};
use crate::option::{BLOCK2, OBSERVE, URI_PATH};
use crate::{Datagram, Message, MessageType, Token, decode, encode};

/// Path of the room that is observed.
pub(super) const ROOM: &str = "room";

pub(super) struct Device {
    pub(super) stack: Stack,
    random: Random,
    /// Requests sent since the last start: message IDs and tokens follow from them where they repeat.
    sent: u16,
    /// Of messages, kept over restarts.
    number: u32,
    /// The token of its observation.
    observing: Option<Token>,
    wants_to_observe: bool,
    pub(super) current: Option<Current>,
    pub(super) begins: Option<Instant>,
    /// When its battery is changed.
    restarts: VecDeque<Instant>,
    outbox: VecDeque<Vec<u8>>,
    /// Messages of the room that arrived.
    pub(super) received: HashSet<u32>,
    pub(super) restarted: u64,
    left: u32,
}

impl Device {
    pub(super) fn new(stack: Stack, seed: u64, now: Instant) -> Self {
        let mut random = Random::new(seed);
        let restarts = (0..random.below(3)).map(|_| now + random.milliseconds(400_000));
        let mut restarts: Vec<_> = restarts.collect();
        restarts.sort_unstable();
        Self {
            stack,
            random,
            sent: 0,
            number: 0,
            observing: None,
            wants_to_observe: stack.observes,
            current: None,
            begins: Some(now),
            restarts: restarts.into(),
            outbox: VecDeque::new(),
            received: HashSet::new(),
            restarted: 0,
            left: 24,
        }
    }

    /// The next message ID and token.
    fn ids(&mut self) -> (u16, Token) {
        self.sent += 1;
        let (message_id, token) = match self.stack.ids {
            Ids::Repeats => (0x4874 + self.sent, u64::from(self.sent)),
            Ids::Random => (
                self.random.below(1 << 16) as u16,
                self.random.below(1 << 62),
            ),
        };
        let token = token.to_be_bytes();
        let token = match self.stack.ids {
            Ids::Repeats => Token::new(&token[6..]),
            Ids::Random => Token::new(&token),
        };
        (message_id, token.expect("it is short"))
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        let of_exchange = self.current.as_ref().map(|current| current.due);
        let restart = self.restarts.front().copied();
        let begins = self.begins.filter(|_| self.current.is_none());
        [of_exchange, begins, restart].into_iter().flatten().min()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.restarts.front().is_some_and(|at| *at <= now) {
            self.restarts.pop_front();
            return self.restart(now);
        }
        if let Some(current) = self.current.as_mut().filter(|current| current.due <= now) {
            match current.retransmit(now, self.stack.retransmits) {
                Some(bytes) => self.outbox.push_back(bytes),
                None => self.end(now),
            }
        } else if self.current.is_none() && self.begins.is_some_and(|begins| begins <= now) {
            self.begin(now);
        }
    }

    /// What repeats after a start must not meet datagrams of before: no receiver can tell them apart.
    fn restart(&mut self, now: Instant) {
        let off = match self.stack.ids {
            Ids::Repeats => Duration::from_secs(120) + self.random.milliseconds(60_000),
            Ids::Random => self.random.milliseconds(30_000),
        };
        self.current = None;
        self.observing = None;
        self.wants_to_observe = self.stack.observes;
        self.sent = 0;
        self.begins = Some(now + off);
        self.restarted += 1;
    }

    fn is_off(&self, now: Instant) -> bool {
        self.sent == 0 && self.begins.is_some_and(|begins| begins > now)
    }

    fn begin(&mut self, now: Instant) {
        if self.left == 0 {
            self.begins = None;
            return;
        }
        self.left -= 1;
        self.number += 1;
        let (message_id, token) = self.ids();
        let current = if std::mem::take(&mut self.wants_to_observe) {
            let mut request = Message::new(code::GET)
                .with_uint_option(OBSERVE, 0)
                .with_option(URI_PATH, ROOM);
            if let Some(size) = self
                .stack
                .block2
                .filter(|_| self.stack.registers_with_block2)
            {
                request.push_option(BLOCK2, first(size).encode());
            }
            Current::registering(request, message_id, token, now)
        } else {
            let errand = loop {
                let errand = self.random.pick(&super::errand::ERRANDS);
                if errand != super::errand::Errand::Upload || self.stack.block1.is_some() {
                    break errand;
                }
            };
            Current::new(errand, self.number, &self.stack, message_id, token, now)
        };
        self.outbox.push_back(current.bytes.clone());
        self.current = Some(current);
    }

    fn end(&mut self, now: Instant) {
        self.current = None;
        let most = self.random.pick(&[1, 2_000, 20_000]);
        self.begins = Some(now + self.random.milliseconds(most));
    }

    /// Takes a datagram; the end of a request, with its response, if that is what it brings.
    pub(super) fn handle_datagram(&mut self, now: Instant, bytes: &[u8]) -> Option<Step> {
        if self.is_off(now) {
            return None;
        }
        let datagram = decode(bytes).expect("the endpoint sends valid messages");
        self.stack.assert_parses(bytes.len(), &datagram);
        let message_id = datagram.message_id;
        let is_own = |current: &Current| current.token == datagram.token;
        match datagram.message_type {
            MessageType::Confirmable if datagram.message.code == EMPTY => {
                let (message_type, code) = match self.stack.ping {
                    Ping::Reset => (MessageType::Reset, EMPTY),
                    Ping::Acknowledges => (MessageType::Acknowledgement, EMPTY),
                    Ping::AcknowledgesNotFound => (MessageType::Acknowledgement, NOT_FOUND),
                };
                self.reply(message_type, message_id, code);
                None
            }
            MessageType::Acknowledgement => {
                let current = self.current.as_mut()?;
                if current.message_id != message_id {
                    return None;
                }
                if datagram.message.code != EMPTY {
                    return is_own(current)
                        .then(|| self.respond(now, datagram))
                        .flatten();
                }
                match self.stack.separate {
                    Separate::Waits => current.wait(now),
                    Separate::EndsAtAck | Separate::TakesForRequest => self.end(now),
                }
                None
            }
            MessageType::Confirmable => {
                let awaited = self.current.as_ref().is_some_and(is_own);
                if self.observing == Some(datagram.token) {
                    self.reply(MessageType::Acknowledgement, message_id, EMPTY);
                    self.take_notification(&datagram.message);
                    return None;
                }
                match self.stack.separate {
                    Separate::Waits if awaited => {
                        self.reply(MessageType::Acknowledgement, message_id, EMPTY);
                        return self.respond(now, datagram);
                    }
                    Separate::TakesForRequest => {
                        self.reply(MessageType::Acknowledgement, message_id, NOT_FOUND);
                    }
                    Separate::EndsAtAck if datagram.message.option(OBSERVE).is_none() => {}
                    _ => self.reply(MessageType::Reset, message_id, EMPTY),
                }
                None
            }
            _ => None,
        }
    }

    /// Takes the response to the current request.
    fn respond(&mut self, now: Instant, datagram: Datagram) -> Option<Step> {
        let current = self.current.as_ref()?;
        if current.is_registration {
            if datagram.message.option(OBSERVE).is_some() {
                self.observing = Some(datagram.token);
                self.take_notification(&datagram.message);
            }
            self.end(now);
            return None;
        }
        let mut current = self.current.take()?;
        let next = current.proceed(&datagram.message, &self.stack);
        match next {
            Some(request) => {
                let (message_id, token) = self.ids();
                current.begin(request, message_id, token, now);
                self.outbox.push_back(current.bytes.clone());
                self.current = Some(current);
                None
            }
            None => {
                self.end(now);
                Some(current.outcome(datagram.message, &self.stack))
            }
        }
    }

    fn take_notification(&mut self, message: &Message) {
        if message.code == CONTENT {
            let number = message.payload.split(|byte| *byte == b':').next();
            let number = number.and_then(|text| std::str::from_utf8(text).ok()?.parse().ok());
            self.received
                .insert(number.expect("each message has its number"));
        }
    }

    fn reply(&mut self, message_type: MessageType, message_id: u16, code: u8) {
        let mut reply = Datagram::empty(message_type, message_id);
        reply.message.code = code;
        self.outbox.push_back(encode(&reply));
    }

    pub(super) fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.outbox.pop_front()
    }
}

pub(super) fn first(size_exponent: u8) -> Block {
    Block {
        number: 0,
        more: false,
        size_exponent,
    }
}
