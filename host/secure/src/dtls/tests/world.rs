//! A server and its devices on a virtual clock and a network that loses, delays and repeats datagrams, from a seed.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::client::Client;
use crate::dtls::{
    CertificateRefusal, Credentials, Event, Limits, Message, PskDevice, PskKey, Server, Settings,
};

pub const KEY: &str = "secretPSK1234567";

/// Devices `device-…` have the key [`KEY`].
pub struct Devices;

impl Credentials for Devices {
    fn psk(&self, identity: &[u8]) -> Option<PskDevice> {
        let name = std::str::from_utf8(identity).ok()?;
        let key = PskKey::parse(KEY).expect("a key");
        name.starts_with("device-").then(|| PskDevice {
            principal: name.into(),
            key,
        })
    }

    fn certificate(&self, _certificate: &[u8]) -> Result<Arc<str>, CertificateRefusal> {
        Err(CertificateRefusal::Malformed)
    }
}

pub fn settings(limits: Limits) -> Settings {
    Settings {
        limits,
        psk: true,
        certificate: None,
        seed: [5; 32],
    }
}

/// What the network does to a datagram, in percent.
#[derive(Clone, Copy, Default)]
pub struct Weather {
    pub loss: u64,
    pub repetition: u64,
    /// Delays are up to this.
    pub delay: Duration,
}

pub struct World {
    pub now: Instant,
    pub server: Server<SocketAddr>,
    pub clients: Vec<Client>,
    pub weather: Weather,
    /// Datagrams under way: when they arrive, to the client or from it.
    under_way: BTreeMap<(Instant, u64), (bool, SocketAddr, Vec<u8>)>,
    sent: u64,
    random: u64,
    pub messages: Vec<Message<SocketAddr>>,
    pub events: Vec<Event<SocketAddr>>,
    /// Every datagram, and whether it came from a client.
    pub trace: Vec<(bool, Vec<u8>)>,
}

impl World {
    pub fn new(seed: u64, settings: Settings, credentials: Arc<dyn Credentials>) -> Self {
        let now = Instant::now();
        Self {
            now,
            server: Server::new(settings, credentials, now).expect("a server"),
            clients: Vec::new(),
            weather: Weather::default(),
            under_way: BTreeMap::new(),
            sent: 0,
            random: seed,
            messages: Vec::new(),
            events: Vec::new(),
            trace: Vec::new(),
        }
    }

    pub fn of_devices() -> Self {
        Self::new(1, settings(Limits::default()), Arc::new(Devices))
    }

    pub fn add(&mut self, address: &str, identity: &str, key: &str) -> usize {
        let address = address.parse().expect("an address");
        self.clients
            .push(Client::psk(self.now, address, identity, key));
        self.clients.len() - 1
    }

    /// Below `below`, from the seed (splitmix64).
    pub fn random(&mut self, below: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    }

    pub fn put(&mut self, is_from_client: bool, address: SocketAddr, bytes: Vec<u8>) {
        self.trace.push((is_from_client, bytes.clone()));
        let copies = 1 + u64::from(self.random(100) < self.weather.repetition);
        for _ in 0..copies {
            if self.random(100) < self.weather.loss {
                continue;
            }
            let delay = match self.weather.delay.as_millis() as u64 {
                0 => Duration::from_millis(1),
                most => Duration::from_millis(self.random(most)),
            };
            self.sent += 1;
            let key = (self.now + delay, self.sent);
            self.under_way
                .insert(key, (is_from_client, address, bytes.clone()));
        }
    }

    /// Takes what the server and the clients have to say.
    pub fn collect(&mut self) {
        for at in 0..self.clients.len() {
            for datagram in self.clients[at].poll() {
                self.put(true, self.clients[at].address, datagram);
            }
        }
        self.messages
            .extend(std::iter::from_fn(|| self.server.poll_message()));
        self.events
            .extend(std::iter::from_fn(|| self.server.poll_event()));
        while let Some(transmit) = self.server.poll_transmit() {
            self.put(false, transmit.peer, transmit.bytes);
        }
    }

    /// Until nothing happens any more, at most for this long.
    pub fn run(&mut self, longest: Duration) {
        let end = self.now + longest;
        loop {
            self.collect();
            let arrival = self.under_way.first_key_value().map(|((at, _), _)| *at);
            let timeouts = self.clients.iter().filter_map(|client| client.next_timeout);
            let next = timeouts
                .chain(self.server.next_timeout())
                .chain(arrival)
                .min();
            let Some(next) = next.filter(|next| *next <= end) else {
                self.now = end;
                return;
            };
            self.now = next.max(self.now);
            self.server.handle_timeout(self.now);
            for client in &mut self.clients {
                if client.next_timeout.is_some_and(|at| at <= self.now) {
                    client.handle(self.now, None);
                }
            }
            while let Some(entry) = self.under_way.first_entry() {
                if entry.key().0 > self.now {
                    break;
                }
                let (is_from_client, address, bytes) = entry.remove();
                if is_from_client {
                    self.server.handle_datagram(self.now, address, &bytes);
                } else if let Some(client) = self
                    .clients
                    .iter_mut()
                    .rfind(|client| client.address == address)
                {
                    // A device that has restarted is the last one at its address.
                    client.handle(self.now, Some(&bytes));
                }
                self.collect();
            }
        }
    }

    pub fn run_seconds(&mut self, seconds: u64) {
        self.run(Duration::from_secs(seconds));
    }
}
