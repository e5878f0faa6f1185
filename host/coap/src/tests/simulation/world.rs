//! One seed's world: an endpoint, its caller, devices, the network between them, and the time.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Instant;

use super::adversary::{Adversary, OWN};
use super::device::Device;
use super::network::{Network, Random};
use super::plan::Errand;
use super::room::Room;
use super::tally::Tally;
use super::watcher::Watcher;
use super::*;

pub(super) const DEVICES: u16 = 3;
pub(super) const ERRANDS: u32 = 4;
/// Most devices that observe the room; their peers' numbers follow those of the others.
const WATCHERS: u64 = 3;
/// Messages of the room.
const MESSAGES: u64 = 20;

pub(super) enum Event {
    ToServer(u16, Vec<u8>),
    ToDevice(u16, Vec<u8>),
    /// The caller responds.
    Respond(ExchangeId, u32),
    /// A message comes in the room.
    Speak,
}

pub(super) struct World {
    pub(super) server: Server,
    pub(super) devices: Vec<Device>,
    pub(super) room: Room,
    pub(super) watchers: Vec<Watcher>,
    pub(super) adversary: Option<Adversary>,
    /// Whether addresses are to be proven.
    pub(super) validates: bool,
    pub(super) errands: HashMap<u32, Errand>,
    pub(super) network: Network,
    random: Random,
    events: BTreeMap<(Instant, u64), Event>,
    next_event: u64,
    pub(super) began: Instant,
    pub(super) last_cause: Instant,
    pub(super) processed: HashMap<u32, u32>,
    pub(super) in_progress: HashSet<u32>,
    pub(super) tally: Tally,
    trace: bool,
}

impl World {
    pub(super) fn new(seed: u64, trace: bool) -> Self {
        let mut random = Random::new(seed);
        // Addresses count as proven in some worlds, and in others they are to be proven.
        let validates = random.percent(50);
        let server = if validates {
            Server::with_limits(Limits::default())
        } else {
            Server::new()
        };
        let network = Network::of(seed, &mut random);
        let mut errands = HashMap::new();
        let devices = (0..DEVICES).map(|index| {
            let first = u32::from(index) * ERRANDS;
            let own: Vec<_> = (first..first + ERRANDS)
                .map(|number| Errand::of(number, &mut random))
                .collect();
            errands.extend(own.iter().map(|errand| (errand.number, errand.clone())));
            Device::new(own.into(), index.wrapping_mul(30_000), server.now)
        });
        let devices = devices.collect();
        let watchers = 0..random.below(1 + WATCHERS);
        let watchers = watchers.map(|_| Watcher::new(&mut random, server.now));
        let watchers: Vec<_> = watchers.collect();
        let honest = DEVICES + watchers.len() as u16;
        let now = server.now;
        let mut world = Self {
            began: now,
            last_cause: now,
            server,
            devices,
            room: Room::default(),
            watchers,
            adversary: Self::adversary_of(seed, honest, now),
            validates,
            errands,
            network,
            random,
            events: BTreeMap::new(),
            next_event: 0,
            processed: HashMap::new(),
            in_progress: HashSet::new(),
            tally: Tally::default(),
            trace,
        };
        world.trace(|| format!("{network:?}"));
        for _ in 0..MESSAGES {
            let at = world.began + world.random.milliseconds(300_000);
            world.at(at, Event::Speak);
        }
        world
    }

    #[allow(
        clippy::print_stderr,
        reason = "a trace is for the person who replays a seed"
    )]
    pub(super) fn trace(&self, line: impl Fn() -> String) {
        if self.trace {
            eprintln!(
                "{:>10.3}  {}",
                (self.server.now - self.began).as_secs_f64(),
                line()
            );
        }
    }

    pub(super) fn at(&mut self, at: Instant, event: Event) {
        self.events.insert((at, self.next_event), event);
        self.next_event += 1;
    }

    fn travel(&mut self, bytes: &[u8], way: &str, device: u16, event: fn(u16, Vec<u8>) -> Event) {
        if let (Some(adversary), "->") = (&mut self.adversary, way) {
            adversary.record(self.server.now, device, bytes);
        }
        let copies = self.network.copies(&mut self.random);
        self.trace(|| {
            format!(
                "device {device} {way} {:?}, arriving after {copies:?}",
                decode(bytes)
            )
        });
        for delay in copies {
            self.at(self.server.now + delay, event(device, bytes.to_vec()));
        }
    }

    /// Runs until nothing is left to happen, and compares the outcome with the expected one.
    pub(super) fn run(mut self) -> Tally {
        while let Some(now) = self.next().or_else(|| self.last_word()) {
            self.server.now = self.server.now.max(now);
            self.attack();
            self.happen();
            self.serve();
            self.move_datagrams();
            self.report();
            self.check_lifetime();
        }
        self.check();
        self.tally
    }

    /// The next message finds out an observer whose device has ended long ago.
    fn last_word(&mut self) -> Option<Instant> {
        if !self.room.is_observed() {
            return None;
        }
        self.last_cause = self.server.now;
        self.room.speak();
        Some(self.server.now)
    }

    fn next(&self) -> Option<Instant> {
        let watchers = self.watchers.iter().filter_map(Watcher::next_timeout);
        let event = self.events.first_key_value().map(|((at, _), _)| *at);
        let devices = self.devices.iter().filter_map(Device::next_timeout);
        let adversary = self.adversary.as_ref().and_then(Adversary::next_timeout);
        devices
            .chain(watchers)
            .chain(adversary)
            .chain(event)
            .chain(self.server.endpoint.next_timeout())
            .min()
    }

    pub(super) fn arrive(&mut self, peer: u16, bytes: &[u8]) {
        let now = self.server.now;
        self.last_cause = now;
        self.server.endpoint.handle_datagram(now, peer, bytes);
    }

    pub(super) fn deliver(&mut self, device: u16, bytes: &[u8]) {
        let (now, device) = (self.server.now, usize::from(device));
        match device.checked_sub(self.devices.len()) {
            Some(watcher) => self.watchers[watcher].handle_datagram(now, bytes),
            None => self.devices[device].handle_datagram(now, bytes),
        }
    }

    /// Runs one event that is due now, and every timer.
    fn happen(&mut self) {
        let now = self.server.now;
        let due = self
            .events
            .first_entry()
            .filter(|event| event.key().0 <= now);
        match due.map(|event| event.remove()) {
            Some(Event::ToServer(peer, bytes)) => self.arrive(peer, &bytes),
            Some(Event::ToDevice(device, bytes)) => self.deliver(device, &bytes),
            Some(Event::Speak) => {
                self.last_cause = now;
                self.room.speak();
            }
            Some(Event::Respond(id, number)) => {
                self.in_progress.remove(&number);
                self.server.respond(id, self.errands[&number].response());
            }
            None => {}
        }
        for device in &mut self.devices {
            if device.next_timeout().is_some_and(|due| due <= now) {
                device.handle_timeout(now);
            }
        }
        for watcher in &mut self.watchers {
            if watcher.next_timeout().is_some_and(|due| due <= now) {
                watcher.handle_timeout(now);
            }
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

    fn move_datagrams(&mut self) {
        while let Some(transmit) = self.server.endpoint.poll_transmit() {
            if transmit.peer >= OWN {
                continue;
            }
            if let Some(adversary) = &mut self.adversary {
                adversary.spare(transmit.peer, &transmit.bytes);
            }
            self.travel(&transmit.bytes, "<-", transmit.peer, Event::ToDevice);
        }
        for index in 0..DEVICES {
            while let Some(bytes) = self.devices[usize::from(index)].poll_transmit(self.server.now)
            {
                self.travel(&bytes, "->", index, Event::ToServer);
            }
        }
        for index in 0..self.watchers.len() {
            while let Some(bytes) = self.watchers[index].poll_transmit() {
                self.travel(&bytes, "->", DEVICES + index as u16, Event::ToServer);
            }
        }
    }
}
