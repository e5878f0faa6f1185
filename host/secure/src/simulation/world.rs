//! One seed's world: devices, the network, the gateway, the time, and what goes wrong.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use super::application::Application;
use super::device::Device;
use super::network::Network;
use super::seeds::Tally;
use super::sides::{DEVICES, Gateway, Link};
use crate::oscore::tests::simulation::random::Random;

/// What goes wrong goes wrong within this time.
const STORM: Duration = Duration::from_secs(300);
/// Then every device is served within this time: a request of a device that has not noticed is given up after 120 s,
/// and so are a handshake and the request after it, at worst.
const PATIENCE: Duration = Duration::from_secs(600);
/// After this time nothing is kept any more (RFC 7252 §4.8.2, EXCHANGE_LIFETIME).
const REST: Duration = Duration::from_secs(300);
/// Requests of a device; the last one is after the storm.
const ERRANDS: usize = 4;
/// Datagrams that somebody has recorded.
const RECORDED: usize = 64;

enum Event {
    ToGateway(u16, Vec<u8>),
    ToDevice(u16, Vec<u8>),
    Reboot(usize),
    /// The device has another address, which may have been another device's. It does not know.
    Move(usize),
    Restart,
    Replay,
    Calm,
}

pub(super) struct World<G: Gateway> {
    now: Instant,
    began: Instant,
    random: Random,
    network: Network,
    gateway: G,
    application: Application,
    devices: Vec<Device<G::Link>>,
    addresses: Vec<u16>,
    next_address: u16,
    events: BTreeMap<(Instant, u64), Event>,
    next_event: u64,
    recorded: VecDeque<Vec<u8>>,
    is_calm: bool,
    tally: Tally,
    trace: bool,
}

impl<G: Gateway> World<G> {
    pub(super) fn new(seed: u64, trace: bool) -> Self {
        let now = Instant::now();
        let mut random = Random::new(seed);
        let network = Network::of(seed, &mut random);
        let mut part = || Random::new(u64::from_be_bytes(random.bytes()));
        let gateway = G::new(now, part());
        let application = Application::new(part());
        let devices = (0..DEVICES).map(|index| {
            let mut own = part();
            let at = |own: &mut Random| now + Duration::from_millis(own.below(300_000) as u64);
            let mut errands: Vec<_> = (1..ERRANDS).map(|_| at(&mut own)).collect();
            errands.push(at(&mut own) + STORM);
            errands.sort_unstable();
            Device::new(index, gateway.link(now, index), errands.into(), own)
        });
        let devices = devices.collect();
        let mut world = Self {
            now,
            began: now,
            random,
            network,
            gateway,
            application,
            devices,
            addresses: (0..DEVICES as u16).collect(),
            next_address: DEVICES as u16,
            events: BTreeMap::new(),
            next_event: 0,
            recorded: VecDeque::new(),
            is_calm: false,
            tally: Tally::default(),
            trace,
        };
        world.trace(|| format!("{network:?}"));
        world.plan();
        world
    }

    fn plan(&mut self) {
        for device in 0..DEVICES {
            self.sometime(3, |_| Event::Reboot(device));
            self.sometime(3, |_| Event::Move(device));
        }
        self.sometime(3, |_| Event::Restart);
        self.sometime(12, |_| Event::Replay);
        self.at(self.began + STORM, Event::Calm);
    }

    /// Fewer than `most` times.
    fn sometime(&mut self, most: usize, event: impl Fn(usize) -> Event) {
        for index in 0..self.random.below(most) {
            let after = self.random.below(STORM.as_millis() as usize) as u64;
            self.at(self.began + Duration::from_millis(after), event(index));
        }
    }

    #[allow(
        clippy::print_stderr,
        reason = "a trace is for the person who replays a seed"
    )]
    fn trace(&self, line: impl Fn() -> String) {
        if self.trace {
            let seconds = (self.now - self.began).as_secs_f64();
            eprintln!("{seconds:>10.3}  {}", line());
        }
    }

    fn at(&mut self, at: Instant, event: Event) {
        self.events.insert((at, self.next_event), event);
        self.next_event += 1;
    }

    /// Until every device is served and nothing is kept for them.
    pub(super) fn run(mut self) -> Tally {
        let end = self.began + 2 * STORM + PATIENCE;
        while !self.devices.iter().all(Device::is_done) {
            assert!(self.now < end, "{:?} are not served", self.unserved());
            self.step(end);
        }
        let end = self.now + REST;
        while self.now < end {
            self.step(end);
        }
        self.gateway.check_rest();
        for device in &self.devices {
            self.tally.done += device.done;
            self.tally.failed += device.failed;
            self.tally.challenges += device.challenges;
        }
        self.gateway.count(&mut self.tally);
        self.tally
    }

    fn unserved(&self) -> Vec<usize> {
        let unserved = (0..DEVICES).filter(|index| !self.devices[*index].is_done());
        unserved.collect()
    }

    fn step(&mut self, end: Instant) {
        let devices = self.devices.iter().filter_map(Device::next_timeout);
        let event = self.events.first_key_value().map(|((at, _), _)| *at);
        let next = devices
            .chain(event)
            .chain(self.gateway.next_timeout())
            .chain(self.application.next_timeout())
            .min();
        self.now = next.map_or(end, |next| next.min(end)).max(self.now);
        let due = self.events.first_entry();
        if let Some(event) = due.filter(|event| event.key().0 <= self.now) {
            let event = event.remove();
            self.happen(event);
        }
        self.gateway.handle_timeout(self.now);
        for device in &mut self.devices {
            device.handle_timeout(self.now);
        }
        self.turn();
        self.gateway.check_bounds();
    }

    fn happen(&mut self, event: Event) {
        let now = self.now;
        match event {
            Event::ToGateway(from, datagram) => self.gateway.handle_datagram(now, from, &datagram),
            Event::ToDevice(address, datagram) => {
                let at = |index: &usize| self.addresses[*index] == address;
                if let Some(index) = (0..DEVICES).find(at) {
                    self.devices[index].handle_datagram(now, &datagram);
                }
            }
            Event::Reboot(device) => {
                self.trace(|| format!("device {device} restarts"));
                self.tally.reboots += 1;
                self.devices[device].reboot(now);
            }
            Event::Move(device) => {
                self.tally.moves += 1;
                if self.random.once_in(3) {
                    let other = (device + 1) % DEVICES;
                    self.addresses.swap(device, other);
                } else {
                    self.addresses[device] = self.next_address;
                    self.next_address += 1;
                }
                self.trace(|| format!("device {device} moves: {:?}", self.addresses));
            }
            Event::Restart => {
                self.trace(|| "the gateway restarts".into());
                self.tally.restarts += 1;
                self.application.restart();
                self.gateway.restart(now);
            }
            Event::Replay if !self.recorded.is_empty() => {
                let datagram = self.recorded[self.random.below(self.recorded.len())].clone();
                let from = self.random.below(usize::from(self.next_address)) as u16;
                self.trace(|| format!("replay from {from}: {} bytes", datagram.len()));
                self.tally.replays += 1;
                self.gateway.handle_datagram(now, from, &datagram);
            }
            Event::Replay => {}
            Event::Calm => {
                self.trace(|| "calm".into());
                self.is_calm = true;
                self.network = self.network.calm();
            }
        }
    }

    fn turn(&mut self) {
        self.gateway.turn(self.now, &mut self.application);
        while let Some((to, datagram)) = self.gateway.poll_transmit() {
            self.travel("<-", to, &datagram, Event::ToDevice);
        }
        for index in 0..DEVICES {
            self.devices[index].turn(self.now, &self.application);
            while let Some(datagram) = self.devices[index].link.poll_transmit() {
                self.recorded.truncate(RECORDED - 1);
                self.recorded.push_front(datagram.clone());
                self.travel("->", self.addresses[index], &datagram, Event::ToGateway);
            }
        }
    }

    fn travel(
        &mut self,
        way: &str,
        address: u16,
        datagram: &[u8],
        event: fn(u16, Vec<u8>) -> Event,
    ) {
        let copies = self.network.copies(&mut self.random, datagram);
        self.trace(|| {
            let delays: Vec<_> = copies.iter().map(|(delay, _)| delay).collect();
            format!("{address} {way} {} bytes, {delays:?}", datagram.len())
        });
        for (delay, bytes) in copies {
            self.tally.corrupted += u64::from(bytes != datagram);
            self.at(self.now + delay, event(address, bytes));
        }
    }
}
