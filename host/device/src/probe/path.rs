//! The way of datagrams to the gateway and back: a UDP socket, or the simulated one of the tests. I/O.

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use crate::local_port::connected_socket;
use crate::no_response::NoResponse;

/// Larger than any datagram that the probe asks for.
const BUFFER: usize = 2_048;

/// Datagrams to one gateway and back, and the time.
pub trait Path {
    /// The time.
    fn now(&self) -> Instant;

    /// Sends a datagram. False if it cannot leave: it is larger than the interface carries, or the port is closed.
    fn send(&mut self, datagram: &[u8]) -> bool;

    /// The next datagram; none if it does not arrive before `until`.
    fn receive(&mut self, until: Instant) -> Option<Vec<u8>>;

    /// The most bytes that protection has added to a message.
    fn overhead(&self) -> usize {
        0
    }
}

/// A socket that is connected to the gateway.
pub struct UdpPath(UdpSocket);

impl UdpPath {
    /// Opens a local port for this gateway.
    pub fn connect(gateway: SocketAddr) -> Result<Self, NoResponse> {
        connected_socket(gateway).map(Self)
    }
}

impl Path for UdpPath {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn send(&mut self, datagram: &[u8]) -> bool {
        self.0.send(datagram).is_ok()
    }

    fn receive(&mut self, until: Instant) -> Option<Vec<u8>> {
        let mut buffer = [0; BUFFER];
        loop {
            let wait = until.checked_duration_since(Instant::now())?;
            // A read timeout of zero means no timeout.
            let wait = wait.max(Duration::from_millis(1));
            self.0.set_read_timeout(Some(wait)).ok()?;
            match self.0.recv(&mut buffer) {
                Ok(length) => return buffer.get(..length).map(<[u8]>::to_vec),
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => {}
                    // An ICMP error about an earlier datagram. It counts as lost; the pause keeps this loop quiet.
                    _ => std::thread::sleep(wait.min(Duration::from_millis(10))),
                },
            }
        }
    }
}
