//! Hosts that attack a gateway with security: each datagram from an address that has proven nothing. Addresses of
//! 127.0.0.0/8 stand for those that a sender forges; what the gateway sends to them arrives here and is counted.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Addresses in use at a time: a response has the time of so many datagrams to arrive.
const RING: usize = 256;
/// Datagrams per second: as in the attacks on plain CoAP, for a gateway without optimisation.
const PACE: f64 = 1_000.0;
/// Hosts of one network that prove their addresses.
const PROVING: u32 = 7;
/// Networks whose hosts prove their addresses: many more than there may be pending handshakes.
const NETWORKS: u32 = 4_096;
/// Time between two looks at the pace: bursts stay small.
const TICK: Duration = Duration::from_millis(1);
/// Record header and handshake header of DTLS 1.2 (RFC 6347 §4.1, §4.2.2).
const HEADERS: usize = 13 + 12;

/// What an attack sends.
#[derive(Clone, Debug)]
pub enum Attack {
    /// ClientHellos without a cookie.
    Hellos,
    /// Each address sends its cookie back, and is silent then.
    HalfHandshakes,
    /// The same, each address of another network.
    HalfHandshakesOfNetworks,
    /// Bytes that are no DTLS, and some that begin like it.
    Junk,
    /// OSCORE requests with identifiers that nobody has.
    UnknownIds,
    /// These datagrams of others, in turn.
    Replays(Vec<Vec<u8>>),
}

/// The traffic of an attack.
#[derive(Clone, Copy, Debug, Default)]
pub struct Traffic {
    pub sent: u64,
    pub received: u64,
    /// Addresses that got a cookie and sent it back.
    pub proven: u64,
    /// The most bytes that an address got for each byte that it had sent, before it had proven itself.
    pub amplification: f64,
}

/// An address and what it has sent and got.
struct Address {
    socket: UdpSocket,
    sent: usize,
    received: usize,
    is_proven: bool,
}

impl Address {
    fn new(attack: &Attack, number: u32, gateway: SocketAddr) -> Self {
        let number = match attack {
            Attack::HalfHandshakes => number % PROVING,
            Attack::HalfHandshakesOfNetworks => (number % NETWORKS) << 8 | 1,
            _ => number,
        };
        // 127.16.0.0 and up: nobody else's.
        let address = Ipv4Addr::from_bits(0x7f10_0000 + number);
        let socket = UdpSocket::bind((address, 0)).expect("loopback has this address");
        socket.connect(gateway).expect("it is an address");
        socket.set_nonblocking(true).expect("it may be");
        Self {
            socket,
            sent: 0,
            received: 0,
            is_proven: false,
        }
    }

    fn send(&mut self, datagram: &[u8]) {
        // What the system refuses is no load.
        if self.socket.send(datagram).is_ok() {
            self.sent += datagram.len();
        }
    }

    /// Takes what has come. For a HelloVerifyRequest it sends the ClientHello with the cookie if it is to.
    fn receive(&mut self, traffic: &mut Traffic, is_to_prove: bool) {
        let mut buffer = [0; 2048];
        while let Ok(length) = self.socket.recv(&mut buffer) {
            traffic.received += 1;
            self.received += length;
            if self.is_proven {
                continue;
            }
            let ratio = self.received as f64 / self.sent as f64;
            traffic.amplification = traffic.amplification.max(ratio);
            // A HelloVerifyRequest ends with its cookie of 32 bytes.
            if is_to_prove && buffer[13] == 3 {
                self.send(&hello(&buffer[length - 32..length], 1));
                self.is_proven = true;
                traffic.proven += 1;
            }
        }
    }
}

/// A ClientHello of PSK_AES128_CCM_8 with the extended master secret.
pub fn hello(cookie: &[u8], number: u8) -> Vec<u8> {
    let mut body = vec![0xfe, 0xfd];
    body.extend([7; 32]);
    body.extend([0, cookie.len() as u8]);
    body.extend(cookie);
    body.extend([0, 2, 0xc0, 0xa8, 1, 0, 0, 4, 0, 23, 0, 0]);
    let length = [0, 0, body.len() as u8];
    let mut datagram = vec![22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, number];
    datagram.extend((HEADERS as u16 - 13 + body.len() as u16).to_be_bytes());
    datagram.push(1);
    datagram.extend(length);
    datagram.extend([0, number, 0, 0, 0]);
    datagram.extend(length);
    [datagram, body].concat()
}

fn datagram(attack: &Attack, count: u32) -> Vec<u8> {
    let [_, high, mid, low] = count.to_be_bytes();
    match attack {
        Attack::Hellos | Attack::HalfHandshakes | Attack::HalfHandshakesOfNetworks => hello(&[], 0),
        Attack::Junk => {
            let length = 1 + count as usize * 37 % 600;
            let mut bytes: Vec<u8> = (0..length as u32)
                .map(|at| (at ^ count).wrapping_mul(0x9e37_79b1).to_be_bytes()[0])
                .collect();
            // Records of every kind, a ClientHello that is cut off among them.
            let start = match count % 4 {
                0 => vec![22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0],
                1 => vec![23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, low],
                2 => hello(&[], 0)[..20 + count as usize % 50].to_vec(),
                _ => Vec::new(),
            };
            bytes.splice(..start.len().min(length), start);
            bytes
        }
        // CON POST, OSCORE with a Partial IV and an identifier of 3 bytes, and a ciphertext of 13.
        Attack::UnknownIds => {
            let mut bytes = vec![0x41, 2, mid, low, 1, 0x95, 0x09, low, 0xee, high, mid, 0xff];
            bytes.extend([low; 13]);
            bytes
        }
        Attack::Replays(datagrams) => datagrams[count as usize % datagrams.len()].clone(),
    }
}

/// Attacks until `stop`, each datagram from another address.
pub fn attack(attack: &Attack, gateway: SocketAddr, stop: &AtomicBool) -> Traffic {
    let is_to_prove = matches!(
        attack,
        Attack::HalfHandshakes | Attack::HalfHandshakesOfNetworks
    );
    let mut traffic = Traffic::default();
    let mut ring: Vec<Address> = (0..RING as u32)
        .map(|number| Address::new(attack, number, gateway))
        .collect();
    let mut count = RING as u32;
    let began = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        while (traffic.sent as f64) < PACE * began.elapsed().as_secs_f64() {
            let place = &mut ring[count as usize % RING];
            place.receive(&mut traffic, is_to_prove);
            *place = Address::new(attack, count, gateway);
            place.send(&datagram(attack, count));
            traffic.sent += 1;
            count += 1;
        }
        for address in &mut ring {
            address.receive(&mut traffic, is_to_prove);
        }
        std::thread::sleep(TICK);
    }
    traffic
}
