//! A network that loses, repeats, delays and reorders datagrams, and devices on it. Seeded.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::{Duration, Instant};

use super::super::code::{CHANGED, GET, REQUEST_ENTITY_INCOMPLETE};
use super::*;

const DEVICES: u16 = 4;

struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn milliseconds(&mut self, bound: u64) -> Duration {
        Duration::from_millis(self.below(bound))
    }
}

/// A device that sends one confirmable request after the other, retransmits as RFC 7252 §4.2 says, and stops
/// at the first one that fails.
pub(super) struct Device {
    script: VecDeque<Message>,
    message_id: u16,
    current: Option<Datagram>,
    transmissions: u32,
    acknowledged: bool,
    pub(super) answers: Vec<Message>,
    pub(super) gave_up: bool,
}

enum Event {
    ToServer(u16, Vec<u8>),
    ToDevice(u16, Vec<u8>),
    /// A timer of a device, for the transmission it was set at.
    Timer(u16, u16, u32),
    Respond(ExchangeId, Message),
}

pub(super) struct World {
    pub(super) server: Server,
    pub(super) devices: Vec<Device>,
    events: BTreeMap<(Instant, u64), Event>,
    next_event: u64,
    random: Random,
    pub(super) loss: u64,
    /// How often each body was handed over, and which GET is in progress.
    pub(super) processed: HashMap<Vec<u8>, u32>,
    in_progress: HashMap<ExchangeId, (u16, Vec<u8>)>,
}

impl World {
    pub(super) fn new(seed: u64, script: impl Fn(u16) -> VecDeque<Message>) -> Self {
        let devices = (0..DEVICES).map(|device| Device {
            script: script(device),
            message_id: device * 1_000,
            current: None,
            transmissions: 0,
            acknowledged: false,
            answers: Vec::new(),
            gave_up: false,
        });
        Self {
            server: Server::new(),
            devices: devices.collect(),
            events: BTreeMap::new(),
            next_event: 0,
            random: Random(seed),
            loss: [0, 10, 30, 60][seed as usize % 4],
            processed: HashMap::new(),
            in_progress: HashMap::new(),
        }
    }

    fn at(&mut self, delay: Duration, event: Event) {
        self.events
            .insert((self.server.now + delay, self.next_event), event);
        self.next_event += 1;
    }

    /// The network: each copy is lost or takes its own time.
    fn travel(&mut self, event: impl Fn() -> Event) {
        let copies = 1 + u64::from(self.random.below(10) == 0);
        for _ in 0..copies {
            if self.random.below(100) >= self.loss {
                let slow = if self.random.below(10) == 0 {
                    5_000
                } else {
                    300
                };
                let delay = self.random.milliseconds(slow);
                self.at(delay, event());
            }
        }
    }

    fn next_request(&mut self, index: u16) {
        let device = &mut self.devices[usize::from(index)];
        device.current = device.script.pop_front().map(|message| {
            device.message_id += 1;
            let message_id = device.message_id;
            let message_type = MessageType::Confirmable;
            Datagram {
                message_type,
                message_id,
                token: token(message_id),
                message,
            }
        });
        device.transmissions = 0;
        device.acknowledged = false;
        self.transmit(index);
    }

    fn transmit(&mut self, index: u16) {
        let device = &mut self.devices[usize::from(index)];
        let Some(datagram) = &device.current else {
            return;
        };
        let (bytes, message_id) = (encode(datagram), datagram.message_id);
        let pause = Duration::from_millis(2_500) * (1 << device.transmissions);
        device.transmissions += 1;
        let timer = Event::Timer(index, message_id, device.transmissions);
        self.at(pause, timer);
        self.travel(|| Event::ToServer(index, bytes.clone()));
    }

    fn timer(&mut self, index: u16, message_id: u16, transmission: u32) {
        let device = &mut self.devices[usize::from(index)];
        let current = device
            .current
            .as_ref()
            .is_some_and(|datagram| datagram.message_id == message_id);
        if !current || device.transmissions != transmission {
            return;
        }
        if device.acknowledged || device.transmissions > 4 {
            device.gave_up = true;
            device.current = None;
        } else {
            self.transmit(index);
        }
    }

    fn receive(&mut self, index: u16, bytes: &[u8]) {
        let datagram = decode(bytes).expect("the endpoint sends valid messages");
        if datagram.message_type == MessageType::Confirmable {
            let acknowledgement = encode(&Datagram::empty(
                MessageType::Acknowledgement,
                datagram.message_id,
            ));
            self.travel(|| Event::ToServer(index, acknowledgement.clone()));
        }
        let device = &mut self.devices[usize::from(index)];
        let Some(current) = device.current.as_ref() else {
            return;
        };
        if datagram == Datagram::empty(MessageType::Acknowledgement, current.message_id) {
            if !device.acknowledged {
                device.acknowledged = true;
                device.transmissions = 100;
                let patience = Event::Timer(index, datagram.message_id, 100);
                self.at(Duration::from_secs(120), patience);
            }
        } else if datagram.token == current.token && datagram.message.code != code::EMPTY {
            if datagram.message.code == REQUEST_ENTITY_INCOMPLETE {
                device.gave_up = true;
                device.current = None;
                return;
            }
            device.answers.push(datagram.message);
            self.next_request(index);
        }
    }

    /// The caller of the endpoint: answers after up to 3 seconds with the body that it was sent.
    fn serve(&mut self) {
        while let Some(incoming) = self.server.endpoint.poll_request() {
            let body = incoming.request.payload.clone();
            let key = (incoming.peer, body.clone());
            assert!(
                !self.in_progress.values().any(|other| *other == key),
                "processed twice at a time"
            );
            self.in_progress.insert(incoming.id, key);
            if incoming.request.code != GET {
                *self.processed.entry(body.clone()).or_default() += 1;
            }
            let delay = self.random.milliseconds(3_000);
            self.at(
                delay,
                Event::Respond(incoming.id, Message::new(CHANGED).with_payload(body)),
            );
        }
        while let Some(transmit) = self.server.endpoint.poll_transmit() {
            self.travel(|| Event::ToDevice(transmit.peer, transmit.bytes.clone()));
        }
    }

    pub(super) fn run(&mut self) {
        for index in 0..DEVICES {
            self.next_request(index);
        }
        loop {
            let event = self.events.first_key_value().map(|((at, _), _)| *at);
            let Some(next) = event
                .into_iter()
                .chain(self.server.endpoint.next_timeout())
                .min()
            else {
                break;
            };
            self.server.now = self.server.now.max(next);
            if event == Some(next) {
                match self.events.pop_first().map(|(_, event)| event) {
                    Some(Event::ToServer(peer, bytes)) => {
                        self.server
                            .endpoint
                            .handle_datagram(self.server.now, peer, &bytes);
                    }
                    Some(Event::ToDevice(index, bytes)) => self.receive(index, &bytes),
                    Some(Event::Timer(index, id, transmission)) => {
                        self.timer(index, id, transmission)
                    }
                    Some(Event::Respond(id, message)) => {
                        self.in_progress.remove(&id);
                        self.server.respond(id, message);
                    }
                    None => {}
                }
            } else {
                self.server.endpoint.handle_timeout(self.server.now);
            }
            self.serve();
        }
    }
}
