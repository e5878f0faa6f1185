//! One local port: its socket, its message IDs, and the session that it may have. With `udp` and `probe/path`, the only
//! files of the device commands with a socket and a clock. I/O.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use coap::Message;
use coap::client::{ClientExchange, ClientObservation, ObservationEvent};
use secure::dtls::{ClientError, ClientSession};

use super::no_response::NoResponse;
use super::protection::{Passed, Protection};
use super::traffic::Traffic;

/// The largest UDP datagram.
pub(super) const MAX_DATAGRAM: usize = 65_535;

/// Message IDs that one local port uses before another is opened: half of all, so that none returns within
/// EXCHANGE_LIFETIME (RFC 7252 §4.4) however fast the exchanges are.
const IDS_PER_PORT: u16 = 32_768;

/// A local port and its unused message IDs.
pub(super) struct LocalPort {
    pub(super) wire: Wire,
    first_message_id: u16,
    pub(super) next_message_id: u16,
    pub(super) session: Option<Box<ClientSession>>,
}

/// The socket of a port.
pub(super) struct Wire {
    socket: UdpSocket,
    address: SocketAddr,
}

impl LocalPort {
    pub(super) fn connect(address: SocketAddr) -> Result<Self, NoResponse> {
        let message_id = getrandom::u32().map_err(NoResponse::Random)? as u16;
        let socket = connected_socket(address)?;
        Ok(Self {
            wire: Wire { socket, address },
            first_message_id: message_id,
            next_message_id: message_id,
            session: None,
        })
    }

    pub(super) fn has_message_ids(&self) -> bool {
        self.next_message_id.wrapping_sub(self.first_message_id) < IDS_PER_PORT
    }

    /// Shakes hands with the gateway, in a session that has just begun.
    pub(super) fn open_session(
        &mut self,
        mut session: ClientSession,
        timeout: Duration,
        buffer: &mut [u8],
        traffic: &mut Traffic,
    ) -> Result<(), NoResponse> {
        let now = Instant::now();
        let end = now + timeout;
        let mut protection = Protection::Session(&mut session);
        let mut passed = protection.handle_timeout(self.wire.address, now)?;
        loop {
            self.wire.send(&passed.sends, traffic)?;
            if passed.is_connected {
                self.session = Some(Box::new(session));
                return Ok(());
            }
            if Instant::now() >= end {
                let error = ClientError::TimedOut;
                let address = self.wire.address;
                return Err(NoResponse::Session { address, error });
            }
            let due = protection.next_timeout().unwrap_or(end).min(end);
            passed = self.wire.next(&mut protection, due, buffer, traffic)?;
        }
    }
}

impl Drop for LocalPort {
    /// Closes the session: the gateway need not keep it for a day.
    fn drop(&mut self) {
        if let Some(session) = &mut self.session {
            session.close();
            while let Some(step) = session.poll() {
                if let secure::dtls::ClientStep::Send(datagram) = step {
                    let _ = self.wire.socket.send(&datagram);
                }
            }
        }
    }
}

impl Wire {
    /// The gateway's.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Makes one exchange.
    pub(super) fn drive(
        &self,
        exchange: &mut ClientExchange,
        protection: &mut Protection<'_>,
        buffer: &mut [u8],
        traffic: &mut Traffic,
    ) -> Result<Message, NoResponse> {
        let address = self.address;
        loop {
            while let Some(message) = exchange.poll_transmit() {
                let passed = protection.outgoing(address, Instant::now(), message)?;
                self.send(&passed.sends, traffic)?;
            }
            if let Some(outcome) = exchange.outcome() {
                traffic.retransmissions += exchange.retransmissions();
                let outcome = outcome.clone();
                return outcome.map_err(|error| NoResponse::Exchange { address, error });
            }
            let due = exchange.next_timeout().unwrap_or_else(Instant::now);
            let due_of_both = protection
                .next_timeout()
                .map_or(due, |other| other.min(due));
            let passed = self.next(protection, due_of_both, buffer, traffic)?;
            self.send(&passed.sends, traffic)?;
            for message in passed.messages {
                exchange.handle_datagram(&message, Instant::now());
            }
            if Instant::now() >= due {
                exchange.handle_timeout(Instant::now());
            }
        }
    }

    /// Drives an observation until it is over, or `end` has come. `each` takes what comes, and says whether it wants
    /// more.
    pub(super) fn observe(
        &self,
        observation: &mut ClientObservation,
        protection: &mut Protection<'_>,
        end: Instant,
        (buffer, traffic): (&mut [u8], &mut Traffic),
        mut each: impl FnMut(ObservationEvent, &Traffic) -> Result<bool, NoResponse>,
    ) -> Result<(), NoResponse> {
        let mut is_wanted = true;
        loop {
            while let Some(message) = observation.poll_transmit() {
                let passed = protection.outgoing(self.address, Instant::now(), message)?;
                self.send(&passed.sends, traffic)?;
            }
            traffic.retransmissions = observation.retransmissions();
            while let Some(event) = observation.poll_event() {
                is_wanted = is_wanted && each(event, traffic)?;
            }
            if observation.is_over() {
                return Ok(());
            }
            if Instant::now() >= end || !is_wanted {
                // Once: a second time changes nothing.
                observation.cancel(Instant::now());
            }
            let timeouts = [observation.next_timeout(), protection.next_timeout()];
            let due = timeouts.into_iter().flatten().min().unwrap_or(end);
            let due = match is_wanted && Instant::now() < end {
                true => due.min(end),
                false => due,
            };
            match self.next(protection, due, buffer, traffic) {
                Ok(passed) => {
                    self.send(&passed.sends, traffic)?;
                    for message in passed.messages {
                        observation.handle_datagram(&message, Instant::now());
                    }
                }
                // Anybody can send such a datagram, and others will come.
                Err(NoResponse::Response { .. }) => {}
                Err(failure) => return Err(failure),
            }
            if observation
                .next_timeout()
                .is_some_and(|due| due <= Instant::now())
            {
                observation.handle_timeout(Instant::now());
            }
        }
    }

    /// What the next datagram leads to, or the time.
    pub(super) fn next(
        &self,
        protection: &mut Protection<'_>,
        due: Instant,
        buffer: &mut [u8],
        traffic: &mut Traffic,
    ) -> Result<Passed, NoResponse> {
        match self.receive(due, buffer) {
            Ok(Some(length)) => {
                traffic.datagrams_received += 1;
                traffic.bytes_received += length as u64;
                let datagram = buffer.get(..length).unwrap_or_default();
                protection.incoming(self.address, Instant::now(), datagram)
            }
            Ok(None) => protection.handle_timeout(self.address, Instant::now()),
            Err(error) => Err(NoResponse::network(self.address, error)),
        }
    }

    fn receive(&self, due: Instant, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        // A read timeout of zero means no timeout.
        let wait = due
            .saturating_duration_since(Instant::now())
            .max(Duration::from_millis(1));
        self.socket.set_read_timeout(Some(wait))?;
        match self.socket.recv(buffer) {
            Ok(length) => Ok(Some(length)),
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    pub(super) fn send(
        &self,
        datagrams: &[Vec<u8>],
        traffic: &mut Traffic,
    ) -> Result<(), NoResponse> {
        for datagram in datagrams {
            let sent = self.socket.send(datagram);
            sent.map_err(|error| NoResponse::network(self.address, error))?;
            traffic.datagrams_sent += 1;
            traffic.bytes_sent += datagram.len() as u64;
        }
        Ok(())
    }
}

/// A new local port. A connected socket gets only this peer's datagrams, and reports ICMP errors.
pub(super) fn connected_socket(address: SocketAddr) -> Result<UdpSocket, NoResponse> {
    let any = match address {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    let connect = || {
        let socket = UdpSocket::bind(any)?;
        socket.connect(address)?;
        Ok(socket)
    };
    connect().map_err(|error| NoResponse::network(address, error))
}
