//! The wire between a device and the gateway: a relay that records all datagrams, and drops some by a seed.
//!
//! With it a test sees the datagrams of a client and the gateway, independently of the client's report.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use coap_lite::Packet;

/// The sender of a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// The client of the gateway.
    Device,
    /// The gateway.
    Gateway,
}

/// A datagram that came by.
#[derive(Debug, Clone)]
pub struct Captured {
    /// Its sender.
    pub sender: Sender,
    /// Decoded; datagrams that are no CoAP are relayed and not remembered.
    pub message: Packet,
    /// Whether it went no further.
    pub lost: bool,
}

/// A datagram of any protocol that came by.
#[derive(Debug, Clone)]
pub struct Passing {
    /// Its sender.
    pub sender: Sender,
    /// All of it.
    pub bytes: Vec<u8>,
    /// Whether it went no further.
    pub lost: bool,
}

/// The losses of a relay: percent of the datagrams of either direction, by a seed that makes the same losses again for
/// the same traffic.
#[derive(Debug, Clone, Copy)]
pub struct Loss {
    /// 0 to 100.
    pub percent: u64,
    /// Any number.
    pub seed: u64,
}

impl Loss {
    /// None.
    pub const NOTHING: Self = Self {
        percent: 0,
        seed: 0,
    };
}

struct Inner {
    captured: Vec<Captured>,
    passing: Vec<Passing>,
    /// The place of the one datagram that is lost.
    lost_one: Option<usize>,
    /// xorshift64.
    state: u64,
    percent: u64,
    /// Bytes of the largest datagram that goes on.
    largest: usize,
}

impl Inner {
    /// Remembers a datagram; whether it goes on.
    fn passes(&mut self, sender: Sender, datagram: &[u8]) -> bool {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        let lost = (self.state >> 33) % 100 < self.percent
            || datagram.len() > self.largest
            || self.lost_one == Some(self.passing.len());
        self.passing.push(Passing {
            sender,
            bytes: datagram.to_vec(),
            lost,
        });
        if let Ok(message) = Packet::from_bytes(datagram) {
            self.captured.push(Captured {
                sender,
                message,
                lost,
            });
        }
        !lost
    }
}

/// A running relay; its threads end with this process.
#[derive(Clone)]
pub struct Wire {
    /// Where devices reach the gateway through it.
    pub address: SocketAddr,
    inner: Arc<Mutex<Inner>>,
}

impl Wire {
    /// Starts one toward a gateway that listens on the loopback address of IPv4.
    pub fn to(gateway: SocketAddr, loss: Loss) -> Self {
        Self::of_width(gateway, loss, usize::MAX)
    }

    /// As [`Wire::to`]; only the datagram at this place is lost, counted from 0 in both directions together.
    pub fn losing_one(gateway: SocketAddr, place: usize) -> Self {
        let wire = Self::to(gateway, Loss::NOTHING);
        wire.lock().lost_one = Some(place);
        wire
    }

    /// As [`Wire::to`]; datagrams of more than `largest` bytes are lost.
    pub fn of_width(gateway: SocketAddr, loss: Loss, largest: usize) -> Self {
        let front = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))
            .expect("the loopback address has a free port");
        let wire = Self {
            address: front.local_addr().expect("it is bound"),
            inner: Arc::new(Mutex::new(Inner {
                captured: Vec::new(),
                passing: Vec::new(),
                lost_one: None,
                // Zero would stay zero.
                state: loss.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
                percent: loss.percent,
                largest,
            })),
        };
        let inner = Arc::clone(&wire.inner);
        thread::spawn(move || relay(&front, gateway, &inner));
        wire
    }

    /// All datagrams so far that are CoAP.
    pub fn captured(&self) -> Vec<Captured> {
        self.lock().captured.clone()
    }

    /// All datagrams so far.
    pub fn passing(&self) -> Vec<Passing> {
        self.lock().passing.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no holder of this lock panics")
    }

    /// All datagrams of one side so far.
    pub fn sent_by(&self, sender: Sender) -> Vec<Packet> {
        let captured = self.captured().into_iter();
        captured
            .filter(|one| one.sender == sender)
            .map(|one| one.message)
            .collect()
    }

    /// Datagrams that went no further so far.
    pub fn lost(&self) -> usize {
        self.captured().iter().filter(|one| one.lost).count()
    }
}

/// Devices' datagrams to the gateway; each device has a socket and a thread for the way back.
fn relay(front: &UdpSocket, gateway: SocketAddr, inner: &Arc<Mutex<Inner>>) {
    let mut backs: HashMap<SocketAddr, UdpSocket> = HashMap::new();
    let mut buffer = [0; 2048];
    while let Ok((length, device)) = front.recv_from(&mut buffer) {
        let back = backs.entry(device).or_insert_with(|| {
            let back = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))
                .expect("the loopback address has a free port");
            back.connect(gateway)
                .expect("a UDP socket connects to any address");
            let receiving = back.try_clone().expect("a socket has a second handle");
            let front = front.try_clone().expect("a socket has a second handle");
            let inner = Arc::clone(inner);
            thread::spawn(move || relay_back(&receiving, &front, device, &inner));
            back
        });
        if pass(inner, Sender::Device, &buffer[..length]) {
            // The gateway may be gone; then nothing comes back, as on any wire.
            let _ = back.send(&buffer[..length]);
        }
    }
}

fn relay_back(back: &UdpSocket, front: &UdpSocket, device: SocketAddr, inner: &Mutex<Inner>) {
    let mut buffer = [0; 2048];
    while let Ok(length) = back.recv(&mut buffer) {
        if pass(inner, Sender::Gateway, &buffer[..length]) {
            let _ = front.send_to(&buffer[..length], device);
        }
    }
}

fn pass(inner: &Mutex<Inner>, sender: Sender, datagram: &[u8]) -> bool {
    inner
        .lock()
        .expect("no holder of this lock panics")
        .passes(sender, datagram)
}
