//! The hostile host: sends as its pace allows, and counts what comes back.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::attacks::Attack;
use super::run::Pace;

/// The host's address.
const HOST: Ipv4Addr = Ipv4Addr::new(127, 6, 6, 6);
/// Time between two looks at the pace: bursts stay small.
const TICK: Duration = Duration::from_millis(1);

/// The traffic of an attack.
#[derive(Clone, Copy, Debug, Default)]
pub struct Traffic {
    /// Datagrams sent.
    pub datagrams: u64,
    /// Bytes sent.
    pub bytes: u64,
    /// Datagrams that came back.
    pub datagrams_received: u64,
    /// Their bytes.
    pub received: u64,
}

/// Attacks until `stop`.
pub fn attack(attack: &Attack, gateway: SocketAddr, pace: Pace, stop: &AtomicBool) -> Traffic {
    let sockets: Vec<UdpSocket> = (0..attack.ports).map(|_| socket(gateway)).collect();
    let mut traffic = Traffic::default();
    let mut buffer = [0; 2048];
    let began = Instant::now();
    let mut count = 0;
    while !stop.load(Ordering::Relaxed) {
        let elapsed = began.elapsed().as_secs_f64();
        while (traffic.datagrams as f64) < pace.datagrams_per_second * elapsed
            && (traffic.bytes as f64) < pace.bytes_per_second * elapsed
        {
            let datagram = (attack.datagram)(count);
            // A datagram that the system refuses is no load.
            if sockets[(count % attack.ports) as usize]
                .send(&datagram)
                .is_ok()
            {
                traffic.datagrams += 1;
                traffic.bytes += datagram.len() as u64;
            }
            count += 1;
        }
        for socket in &sockets {
            while let Ok(length) = socket.recv(&mut buffer) {
                traffic.datagrams_received += 1;
                traffic.received += length as u64;
            }
        }
        std::thread::sleep(TICK);
    }
    traffic
}

fn socket(gateway: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind((HOST, 0)).expect("the loopback network has a free port");
    socket
        .connect(gateway)
        .expect("a UDP socket connects to any address");
    socket
        .set_nonblocking(true)
        .expect("a socket may be non-blocking");
    socket
}
