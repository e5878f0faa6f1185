//! A hostile host beside the devices. It forges sources, floods from its own ports, guesses message IDs and tokens, and
//! replays datagrams that it has recorded, within a budget of bytes.
//!
//! What no server can resist without security is left out: a forged request with the message ID of a device's next
//! one, a replay after that ID's lifetime, a forged reset of a request whose message ID was guessed, and a guess that
//! is right by luck. `tests::guessing` measures how seldom a guess is right.

use std::collections::{HashSet, VecDeque};
use std::time::{Duration, Instant};

use super::network::Random;
use super::*;
use crate::option::OBSERVE;

/// Bytes that it sends in one world: a hundred to three hundred datagrams.
const BUDGET: usize = 3_000;
/// It acts within this time, while the devices are at work.
const ACTIVE: u64 = 200_000;
/// Its own ports begin here.
pub(super) const OWN: u16 = 10_000;
const OWN_PORTS: u64 = 40;
/// Addresses that it forges and where nobody is begin here.
pub(super) const NOBODY: u16 = 20_000;
pub(super) const NOBODYS: u16 = 20;
/// Requests forged from one device: fewer than the responses that are retained for the device's duplicates.
const FORGED_REQUESTS: u64 = 10;
/// A recorded datagram may come again for this long: less than NON_LIFETIME, with its time on the network.
const REPLAYABLE: Duration = Duration::from_secs(100);
const RECORDED: usize = 32;
/// The Uri-Path of its requests.
pub(super) const HOSTILE: &str = "hostile";
/// No device uses these message IDs.
const FOREIGN_IDS: u64 = 65_000;

/// A datagram of the adversary, and the peer that it seems to come from or go to.
pub(super) enum Forged {
    ToServer(u16, Vec<u8>),
    /// It seems to come from the server.
    ToDevice(u16, Vec<u8>),
}

pub(super) struct Adversary {
    random: Random,
    budget: usize,
    next: Option<Instant>,
    devices: u16,
    recorded: VecDeque<(Instant, u16, Vec<u8>)>,
    /// Message IDs that the server sent to a device, and tokens of devices: it has no luck.
    unguessed: HashSet<(u16, u16)>,
    tokens: HashSet<Token>,
    forged_requests: u64,
}

impl Adversary {
    /// `devices`: the peers below this number are honest.
    pub(super) fn new(seed: u64, devices: u16, now: Instant) -> Self {
        let mut random = Random::new(!seed);
        Self {
            budget: BUDGET,
            next: Some(now + random.milliseconds(ACTIVE / 10)),
            devices,
            recorded: VecDeque::new(),
            unguessed: HashSet::new(),
            tokens: HashSet::new(),
            forged_requests: 0,
            random,
        }
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.next
    }

    /// It reads a device's datagram on its way to the server.
    pub(super) fn record(&mut self, now: Instant, device: u16, bytes: &[u8]) {
        let length = bytes.first().map(|first| usize::from(first & 0x0f));
        let token = length.and_then(|length| bytes.get(4..4 + length));
        self.tokens.extend(token.and_then(Token::new));
        self.recorded.truncate(RECORDED - 1);
        self.recorded.push_front((now, device, bytes.to_vec()));
    }

    /// The server sent this datagram to a device.
    pub(super) fn spare(&mut self, device: u16, bytes: &[u8]) {
        if let Some(id) = bytes.get(2..4) {
            self.unguessed
                .insert((device, u16::from_be_bytes([id[0], id[1]])));
        }
    }

    /// Some datagrams of one kind.
    pub(super) fn act(&mut self, now: Instant) -> Vec<Forged> {
        let datagrams = match self.random.below(6) {
            0 => self.flood(),
            1 => self.forge_requests(),
            2 | 3 => self.guess_message_ids(),
            4 => self.forge_for_devices(),
            _ => self.replay(now),
        };
        let within = datagrams.into_iter().map_while(|forged| {
            let (Forged::ToServer(_, bytes) | Forged::ToDevice(_, bytes)) = &forged;
            self.budget = self.budget.checked_sub(bytes.len())?;
            Some(forged)
        });
        let within = within.collect();
        let pause = self.random.milliseconds(ACTIVE / 20);
        self.next = (self.budget > 100).then_some(now + pause);
        within
    }

    /// A device, a port of its own, or an address where nobody is.
    fn any_source(&mut self) -> u16 {
        match self.random.below(3) {
            0 => self.device(),
            1 => OWN + self.random.below(OWN_PORTS) as u16,
            _ => NOBODY + self.random.below(NOBODYS.into()) as u16,
        }
    }

    fn device(&mut self) -> u16 {
        self.random.below(self.devices.into()) as u16
    }

    fn token(&mut self) -> Token {
        loop {
            let guess = token(self.random.below(65_536) as u16);
            if !self.tokens.contains(&guess) {
                return guess;
            }
        }
    }

    fn hostile(&mut self, message_type: MessageType, method: u8) -> Datagram {
        Datagram {
            message_type,
            message_id: (FOREIGN_IDS + self.random.below(65_536 - FOREIGN_IDS)) as u16,
            token: self.token(),
            message: Message::new(method).with_option(URI_PATH, HOSTILE),
        }
    }

    /// Requests of its own ports: plain ones, unknown critical options, too many options, first blocks, no CoAP at all.
    fn flood(&mut self) -> Vec<Forged> {
        let number = 1 + self.random.below(20);
        let kind = self.random.below(6);
        let datagrams = (0..number).map(|_| {
            let method = self.random.pick(&[code::GET, code::PUT, code::POST]);
            let message_type = self
                .random
                .pick(&[MessageType::Confirmable, MessageType::NonConfirmable]);
            let mut datagram = self.hostile(message_type, method);
            match kind {
                0 => datagram.message.push_option(9, "critical"),
                1 => datagram.message.push_option(crate::option::BLOCK1, [0x08]),
                2 => datagram.message.set_uint_option(OBSERVE, 0),
                _ => {}
            }
            if kind == 1 {
                datagram.message.payload = vec![0; 16];
            }
            let mut bytes = encode(&datagram);
            match kind {
                3 => bytes.resize(bytes.len() + 65, 0),
                4 => bytes.push(0xff),
                _ => {}
            }
            let port = OWN + self.random.below(OWN_PORTS) as u16;
            Forged::ToServer(port, bytes)
        });
        datagrams.collect()
    }

    /// Requests that seem to come from a device or from nobody.
    fn forge_requests(&mut self) -> Vec<Forged> {
        let source = self.any_source();
        let observes = source >= self.devices && self.random.percent(50);
        let number = 1 + self.random.below(4);
        let mut forged = Vec::new();
        for _ in 0..number {
            if source < self.devices {
                self.forged_requests += 1;
                if self.forged_requests > FORGED_REQUESTS {
                    break;
                }
            }
            let method = if observes { code::GET } else { code::PUT };
            let mut datagram = self.hostile(MessageType::Confirmable, method);
            if observes {
                datagram.message.set_uint_option(OBSERVE, 0);
            }
            forged.push(Forged::ToServer(source, encode(&datagram)));
        }
        forged
    }

    /// ACKs and RSTs for messages that it has not read.
    fn guess_message_ids(&mut self) -> Vec<Forged> {
        let source = self.any_source();
        let number = 1 + self.random.below(30);
        let message_type = self
            .random
            .pick(&[MessageType::Acknowledgement, MessageType::Reset]);
        let ids = (0..number).map(|_| self.random.below(65_536) as u16);
        let ids = ids.filter(|id| !self.unguessed.contains(&(source, *id)));
        ids.map(|id| Forged::ToServer(source, encode(&Datagram::empty(message_type, id))))
            .collect()
    }

    /// Responses and pings that seem to come from the server. A device rejects the confirmable ones: its RSTs are
    /// guesses at message IDs, which it does not mean.
    fn forge_for_devices(&mut self) -> Vec<Forged> {
        let device = self.device();
        let number = 1 + self.random.below(8);
        let datagrams = (0..number).map(|_| {
            let message_type = self
                .random
                .pick(&[MessageType::Confirmable, MessageType::NonConfirmable]);
            let mut datagram = self.hostile(message_type, code::CONTENT);
            datagram.message = Message::new(code::CONTENT).with_payload("forged");
            Forged::ToDevice(device, encode(&datagram))
        });
        datagrams.collect()
    }

    fn replay(&mut self, now: Instant) -> Vec<Forged> {
        let fresh = |at: Instant| now < at + REPLAYABLE;
        let recorded = self.recorded.iter().filter(|(at, ..)| fresh(*at));
        let recorded: Vec<_> = recorded.cloned().collect();
        if recorded.is_empty() {
            return Vec::new();
        }
        let number = 1 + self.random.below(4) as usize;
        let (_, device, bytes) = &recorded[self.random.below(recorded.len() as u64) as usize];
        (0..number)
            .map(|_| Forged::ToServer(*device, bytes.clone()))
            .collect()
    }
}
