//! A device that observes a room, and later does not, in one of the ways that there are.

use std::collections::{HashSet, VecDeque};
use std::time::Instant;

use super::network::Random;
use super::*;
use crate::option::OBSERVE;

/// ACK_TIMEOUT with the mean of ACK_RANDOM_FACTOR, RFC 7252 §4.8.
const ACK_TIMEOUT: Duration = Duration::from_millis(2_500);
const MAX_RETRANSMIT: u32 = 4;
/// After which a lower sequence number is newer all the same (RFC 7641 §3.4).
const REORDERED: Duration = Duration::from_secs(128);

/// How it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Farewell {
    /// GET with Observe 1.
    Deregisters,
    /// It rejects later messages.
    Forgets,
    /// Its battery is empty.
    Dies,
}

/// A request under way.
struct Request {
    bytes: Vec<u8>,
    message_id: u16,
    due: Instant,
    wait: Duration,
    retransmissions: u32,
}

/// The newest message of the room that arrived, with its sequence number.
struct Newest {
    sequence: u32,
    at: Instant,
    number: u32,
}

pub(super) struct Watcher {
    token: Token,
    next_message_id: u16,
    /// When it asks, each time with the same token.
    asks: VecDeque<Instant>,
    farewell: Farewell,
    /// When it has had enough; none afterwards.
    ends: Option<Instant>,
    request: Option<Request>,
    outbox: VecDeque<Vec<u8>>,
    newest: Option<Newest>,
    received: HashSet<u32>,
}

impl Watcher {
    pub(super) fn new(random: &mut Random, now: Instant) -> Self {
        let first = now + random.milliseconds(5_000);
        let again = (0..random.below(3)).map(|_| first + random.milliseconds(200_000));
        let mut asks: Vec<_> = [first].into_iter().chain(again).collect();
        asks.sort_unstable();
        Self {
            token: token(random.below(60_000) as u16),
            next_message_id: random.below(60_000) as u16,
            asks: asks.into(),
            farewell: random.pick(&[Farewell::Deregisters, Farewell::Forgets, Farewell::Dies]),
            ends: Some(first + Duration::from_secs(60) + random.milliseconds(300_000)),
            request: None,
            outbox: VecDeque::new(),
            newest: None,
            received: HashSet::new(),
        }
    }

    /// Whether this message of the room has arrived here.
    pub(super) fn has(&self, number: u32) -> bool {
        self.received.contains(&number)
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        let retransmission = self.request.as_ref().map(|request| request.due);
        let asks = self.asks.front().copied();
        [retransmission, asks, self.ends]
            .into_iter()
            .flatten()
            .min()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.ends.is_some_and(|ends| ends <= now) {
            self.ends = None;
            self.asks.clear();
            self.request = None;
            if self.farewell == Farewell::Deregisters {
                self.ask(now, 1);
            }
        }
        if self.asks.front().is_some_and(|at| *at <= now) {
            self.asks.pop_front();
            self.ask(now, 0);
        }
        let Some(request) = self.request.as_mut().filter(|request| request.due <= now) else {
            return;
        };
        if request.retransmissions == MAX_RETRANSMIT {
            self.request = None;
            return;
        }
        request.retransmissions += 1;
        request.wait *= 2;
        request.due = now + request.wait;
        self.outbox.push_back(request.bytes.clone());
    }

    fn ask(&mut self, now: Instant, observe: u32) {
        let message_id = self.next_message_id;
        self.next_message_id = message_id.wrapping_add(1);
        let bytes = encode(&Datagram {
            message_type: MessageType::Confirmable,
            message_id,
            token: self.token,
            message: Message::new(code::GET).with_uint_option(OBSERVE, observe),
        });
        self.outbox.push_back(bytes.clone());
        self.request = Some(Request {
            bytes,
            message_id,
            due: now + ACK_TIMEOUT,
            wait: ACK_TIMEOUT,
            retransmissions: 0,
        });
    }

    pub(super) fn handle_datagram(&mut self, now: Instant, bytes: &[u8]) {
        let is_over = self.ends.is_none();
        if is_over && self.farewell == Farewell::Dies {
            return;
        }
        let datagram = decode(bytes).expect("the endpoint sends valid messages");
        let is_acknowledged = |request: &Request| request.message_id == datagram.message_id;
        match datagram.message_type {
            MessageType::Acknowledgement if self.request.as_ref().is_some_and(is_acknowledged) => {
                self.request = None;
                self.take(now, &datagram);
            }
            MessageType::Confirmable if datagram.token == self.token && !is_over => {
                self.reply(MessageType::Acknowledgement, datagram.message_id);
                // A separate response stands for its acknowledgement as well (RFC 7252 §5.2.2).
                self.take(now, &datagram);
            }
            MessageType::Confirmable => self.reply(MessageType::Reset, datagram.message_id),
            _ => {}
        }
    }

    fn reply(&mut self, message_type: MessageType, message_id: u16) {
        let reply = Datagram::empty(message_type, message_id);
        self.outbox.push_back(encode(&reply));
    }

    /// A newer notification is about a newer message, or of the same one again.
    fn take(&mut self, now: Instant, datagram: &Datagram) {
        let Some(sequence) = datagram.message.uint_option(OBSERVE) else {
            return;
        };
        let number = u32::from_be_bytes(
            datagram.message.payload[..]
                .try_into()
                .expect("every message has its number"),
        );
        self.received.insert(number);
        if let Some(newest) = &self.newest {
            let ahead = sequence.wrapping_sub(newest.sequence) & 0x00ff_ffff;
            let is_newer = (1..1 << 23).contains(&ahead);
            assert!(
                !is_newer || number >= newest.number,
                "{number} with sequence number {sequence} came after {} with {}",
                newest.number,
                newest.sequence
            );
            if !is_newer && now < newest.at + REORDERED {
                return;
            }
        }
        self.newest = Some(Newest {
            sequence,
            at: now,
            number,
        });
    }

    pub(super) fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.outbox.pop_front()
    }
}
