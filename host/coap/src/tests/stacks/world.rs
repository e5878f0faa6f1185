//! One seed's world: an endpoint, its caller, and one device with one of the stacks on a bad network.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::time::Instant;

use super::super::Server;
use super::super::simulation::network::{Network, Random};
use super::device::{Device, ROOM};
use super::errand::Errand;
use super::exchange::Step;
use super::table::Stack;
use crate::code::{CONTENT, GET};
use crate::option::{CONTENT_FORMAT, ETAG, MAX_AGE, URI_PATH};
use crate::{ExchangeId, Limits, Message, ObservationId, ObserveEvent, code};

const PEER: u16 = 1;
/// Messages of the room.
const MESSAGES: u32 = 20;

enum Event {
    ToServer(Vec<u8>),
    ToDevice(Vec<u8>),
    Respond(ExchangeId, Message),
    /// A message comes in the room.
    Speak,
}

/// What came of it.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) completed: HashSet<&'static str>,
    pub(super) promises: u64,
    pub(super) notified: u64,
    pub(super) restarted: u64,
    pub(super) reused: u64,
}

/// The observation of the room, if there is one.
struct Observer {
    id: ObservationId,
    waiting: VecDeque<u32>,
    under_way: Option<u32>,
}

pub(super) struct World {
    server: Server,
    device: Device,
    network: Network,
    random: Random,
    events: BTreeMap<(Instant, u64), Event>,
    next_event: u64,
    /// Messages that are in their room.
    processed: HashSet<Vec<u8>>,
    observer: Option<Observer>,
    spoken: u32,
    tally: Tally,
}

impl World {
    pub(super) fn new(stack: Stack, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let unproven_bytes = random.pick(&[Limits::default().unproven_bytes, usize::MAX]);
        let server = Server::with_limits(Limits {
            unproven_bytes,
            ..Limits::default()
        });
        let network = Network::of(seed, &mut random);
        let now = server.now;
        let mut world = Self {
            device: Device::new(stack, seed ^ 0xdead, now),
            server,
            network,
            random,
            events: BTreeMap::new(),
            next_event: 0,
            processed: HashSet::new(),
            observer: None,
            spoken: 0,
            tally: Tally::default(),
        };
        for _ in 0..MESSAGES {
            let at = now + world.random.milliseconds(400_000);
            world.at(at, Event::Speak);
        }
        world
    }

    fn at(&mut self, at: Instant, event: Event) {
        self.events.insert((at, self.next_event), event);
        self.next_event += 1;
    }

    pub(super) fn run(mut self) -> Tally {
        while let Some(now) = self.next() {
            self.server.now = self.server.now.max(now);
            self.happen();
            self.serve();
            self.notify();
            self.travel();
        }
        self.tally.restarted = self.device.restarted;
        self.tally.reused = self.server.endpoint.counters().message_ids_reused;
        self.tally
    }

    fn next(&self) -> Option<Instant> {
        let event = self.events.first_key_value().map(|((at, _), _)| *at);
        let timeouts = [
            self.device.next_timeout(),
            self.server.endpoint.next_timeout(),
            event,
        ];
        timeouts.into_iter().flatten().min()
    }

    fn happen(&mut self) {
        let now = self.server.now;
        let due = self
            .events
            .first_entry()
            .filter(|event| event.key().0 <= now);
        match due.map(|event| event.remove()) {
            Some(Event::ToServer(bytes)) => {
                self.server.endpoint.handle_datagram(now, PEER, &bytes);
            }
            Some(Event::ToDevice(bytes)) => {
                if let Some(step) = self.device.handle_datagram(now, &bytes) {
                    self.check(&step);
                }
            }
            Some(Event::Respond(id, response)) => self.server.respond(id, response),
            Some(Event::Speak) => {
                self.spoken += 1;
                if let Some(observer) = &mut self.observer {
                    observer.waiting.push_back(self.spoken);
                }
            }
            None => {}
        }
        if self.device.next_timeout().is_some_and(|due| due <= now) {
            self.device.handle_timeout(now);
        }
        if self
            .server
            .endpoint
            .next_timeout()
            .is_some_and(|due| due <= now)
        {
            self.server.endpoint.handle_timeout(now);
        }
    }

    /// A success is the response to this very request, and a promise is kept.
    fn check(&mut self, step: &Step) {
        let Step {
            errand,
            sent,
            response,
            is_whole,
        } = step;
        let name = self.device.stack.name;
        if code::class(response.code) != 2 {
            return;
        }
        let expected = errand.response(sent);
        assert_eq!(response.code, expected.code, "{name}: {errand:?}");
        let is_right = match *is_whole && self.device.stack.fetches {
            true => response.payload == expected.payload,
            false => expected.payload.starts_with(&response.payload),
        };
        assert!(is_right, "{name}: {errand:?} got {response:?}");
        if errand.is_promise(response.code) {
            assert!(
                self.processed.contains(sent),
                "{name}: {errand:?} is lost after a 2.04"
            );
            self.tally.promises += 1;
        }
        self.tally.completed.insert(errand.path());
    }

    /// The caller of the endpoint.
    fn serve(&mut self) {
        while let Some(incoming) = self.server.endpoint.poll_request() {
            let request = &incoming.request.message;
            if request.option(URI_PATH) == Some(ROOM.as_bytes()) {
                self.register(incoming.id);
                continue;
            }
            let errand = Errand::of(request);
            // The token of the gateway is for proven addresses.
            let incoming = match errand {
                Errand::Send | Errand::Join => {
                    self.server.endpoint.prove_then(self.server.now, incoming)
                }
                _ => Some(incoming),
            };
            let Some(incoming) = incoming else {
                continue;
            };
            let request = &incoming.request.message;
            if request.code != GET {
                let is_new = self.processed.insert(request.payload.clone());
                assert!(
                    is_new,
                    "{}: {errand:?} is processed twice",
                    self.device.stack.name
                );
            }
            let response = errand.response(&request.payload);
            let most = self.random.pick(&[1, 900, 8_000]);
            let at = self.server.now + self.random.milliseconds(most);
            self.at(at, Event::Respond(incoming.id, response));
        }
    }

    fn register(&mut self, exchange: ExchangeId) {
        let now = self.server.now;
        let message = message(self.spoken);
        let renewed = self.server.endpoint.renews(exchange);
        let begun = self
            .server
            .endpoint
            .respond_observing(now, exchange, message, renewed);
        if begun != self.observer.as_ref().map(|observer| observer.id) {
            self.observer = begun.map(|id| Observer {
                id,
                waiting: VecDeque::new(),
                under_way: None,
            });
        }
    }

    fn notify(&mut self) {
        while let Some(event) = self.server.endpoint.poll_observe_event() {
            let (ObserveEvent::Delivered(id)
            | ObserveEvent::Unfetched(id)
            | ObserveEvent::Ended(id, _)) = event;
            let Some(observer) = self.observer.as_mut().filter(|observer| observer.id == id) else {
                continue;
            };
            match event {
                ObserveEvent::Delivered(_) | ObserveEvent::Unfetched(_) => {
                    let number = observer.under_way.take().expect("one is under way");
                    let has = self.device.received.contains(&number);
                    assert!(has, "{}: message {number} is lost", self.device.stack.name);
                    self.tally.notified += 1;
                }
                ObserveEvent::Ended(..) => self.observer = None,
            }
        }
        if let Some(observer) = self.observer.as_mut().filter(|one| one.under_way.is_none())
            && let Some(number) = observer.waiting.pop_front()
        {
            observer.under_way = Some(number);
            let now = self.server.now;
            self.server
                .endpoint
                .notify(now, observer.id, message(number));
        }
    }

    fn travel(&mut self) {
        while let Some(transmit) = self.server.endpoint.poll_transmit() {
            self.send(&transmit.bytes, Event::ToDevice);
        }
        while let Some(bytes) = self.device.poll_transmit() {
            self.send(&bytes, Event::ToServer);
        }
    }

    fn send(&mut self, bytes: &[u8], event: fn(Vec<u8>) -> Event) {
        for delay in self.network.copies(&mut self.random) {
            self.at(self.server.now + delay, event(bytes.to_vec()));
        }
    }
}

/// A message of the room, of one block or of three.
fn message(number: u32) -> Message {
    let length = if number.is_multiple_of(3) { 150 } else { 40 };
    let mut payload = format!("{number}:").into_bytes();
    payload.resize(length, b'.');
    Message::new(CONTENT)
        .with_option(ETAG, [number as u8; 8])
        .with_uint_option(CONTENT_FORMAT, 60)
        .with_uint_option(MAX_AGE, 0)
        .with_payload(payload)
}
