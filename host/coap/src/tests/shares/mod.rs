//! What one host may take, however many ports and addresses it uses: others are served nevertheless.

mod account;
mod any_sequence;
mod bodies;
mod pieces;
mod retained;

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use ipnet::IpNet;

use crate::{Datagram, Endpoint, Incoming, Limits, Message, NetworkSettings, decode, encode};

/// The hosts of most tests; documentation addresses.
const FLOODING: &str = "192.0.2.1";
const HONEST: &str = "192.0.2.2";

/// A network whose devices count for themselves alone.
fn devices_of(prefix: IpNet) -> NetworkSettings {
    NetworkSettings {
        prefix,
        devices: true,
        first_block_exponent: None,
        ack_delay: None,
        ack_delay_max: None,
    }
}

/// An endpoint and the time; peers are addresses.
struct Server {
    endpoint: Endpoint<SocketAddr>,
    now: Instant,
}

impl Server {
    /// Every address counts as proven, and no rate hides the limits of shares.
    fn new() -> Self {
        Self::with_limits(limits())
    }

    fn with_limits(limits: Limits) -> Self {
        Self {
            endpoint: Endpoint::new(limits, [5; 16]),
            now: Instant::now(),
        }
    }

    fn receive_bytes(&mut self, peer: SocketAddr, bytes: &[u8]) {
        self.endpoint.handle_datagram(self.now, peer, bytes);
    }

    /// The datagrams that are sent at once to this peer.
    fn exchange(&mut self, peer: SocketAddr, datagram: &Datagram) -> Vec<Datagram> {
        self.receive_bytes(peer, &encode(datagram));
        self.sent_to(peer)
    }

    fn sent_to(&mut self, peer: SocketAddr) -> Vec<Datagram> {
        let sent = std::iter::from_fn(|| self.endpoint.poll_transmit());
        sent.filter(|transmit| transmit.peer == peer)
            .map(|transmit| decode(&transmit.bytes).expect("own messages are valid"))
            .collect()
    }

    fn incoming(&mut self) -> Option<Incoming<SocketAddr>> {
        self.endpoint.poll_request()
    }

    /// Responds to every request that waits.
    fn respond_to_all(&mut self, response: &Message) {
        while let Some(incoming) = self.incoming() {
            self.endpoint
                .respond(self.now, incoming.id, response.clone());
        }
    }

    fn advance(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some(next) = self.endpoint.next_timeout().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            self.endpoint.handle_timeout(self.now);
            while self.endpoint.poll_transmit().is_some() {}
        }
        self.now = end;
    }
}

fn limits() -> Limits {
    Limits {
        unproven_bytes: usize::MAX,
        datagrams_per_second_per_peer: 0,
        ..Limits::default()
    }
}

fn peer(host: &str, port: u16) -> SocketAddr {
    SocketAddr::new(host.parse::<IpAddr>().expect("an address"), port)
}
