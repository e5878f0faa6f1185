//! Exchanges over UDP: with `probe/path`, the only file of the device commands with a socket and a clock. I/O.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::time::{Duration, Instant};

use super::gateway_address::GatewayAddress;
use coap::Message;
use coap::client::{ClientExchange, ExchangeError, Settings};

/// The largest UDP datagram.
const MAX_DATAGRAM: usize = 65_535;

/// Message IDs that one local port uses before another is opened: half of all, so that none returns within
/// EXCHANGE_LIFETIME (RFC 7252 §4.4) however fast the exchanges are.
const IDS_PER_PORT: u16 = 32_768;

/// The reason why there is no usable response.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoResponse {
    #[error("no address found for {host}: {source}")]
    HostNotFound { host: String, source: io::Error },
    #[error("nothing listens at {0} (port unreachable)")]
    Refused(SocketAddr),
    #[error("cannot reach {address}: {source}")]
    Unreachable {
        address: SocketAddr,
        source: io::Error,
    },
    #[error("{error} ({address})")]
    Exchange {
        address: SocketAddr,
        error: ExchangeError,
    },
    #[error("the system has no random bytes: {0}")]
    Random(getrandom::Error),
}

/// The result of one exchange.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) outcome: Result<Message, NoResponse>,
    /// From the first byte sent to the end of the exchange.
    pub(super) took: Duration,
    pub(super) traffic: Traffic,
}

/// UDP payloads of an exchange in both directions, including blocks, acknowledgements and retransmissions.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Traffic {
    pub(super) datagrams_sent: u32,
    pub(super) bytes_sent: u64,
    pub(super) datagrams_received: u32,
    pub(super) bytes_received: u64,
    pub(super) retransmissions: u32,
}

/// A client of one gateway. A name may have several addresses: it keeps the first that responds.
#[derive(Debug)]
pub(super) struct UdpClient {
    addresses: Vec<SocketAddr>,
    open: Option<LocalPort>,
    buffer: Vec<u8>,
}

/// A local port and its unused message IDs.
#[derive(Debug)]
struct LocalPort {
    socket: UdpSocket,
    first_message_id: u16,
    next_message_id: u16,
}

impl UdpClient {
    /// Resolves the gateway's name; zones of IPv6 addresses too.
    pub(super) fn to(gateway: &GatewayAddress) -> Result<Self, NoResponse> {
        let not_found = |source| NoResponse::HostNotFound {
            host: gateway.host.clone(),
            source,
        };
        let addresses: Vec<_> = (gateway.host.as_str(), gateway.port)
            .to_socket_addrs()
            .map_err(not_found)?
            .collect();
        if addresses.is_empty() {
            return Err(not_found(ErrorKind::NotFound.into()));
        }
        Ok(Self {
            addresses,
            open: None,
            buffer: vec![0; MAX_DATAGRAM],
        })
    }

    /// The address that is tried first, or that has responded.
    pub(super) fn address(&self) -> SocketAddr {
        self.addresses[0]
    }

    /// Makes one exchange. Until an address has responded, the next one is tried if one refuses.
    pub(super) fn exchange(&mut self, request: &Message, settings: Settings) -> Attempt {
        let started = Instant::now();
        let mut traffic = Traffic::default();
        loop {
            let outcome = self.exchange_with_first(request, settings, &mut traffic);
            let refused = matches!(
                outcome,
                Err(NoResponse::Refused(_) | NoResponse::Unreachable { .. })
            );
            if refused {
                self.open = None;
            }
            if refused && traffic.datagrams_received == 0 && self.addresses.len() > 1 {
                self.addresses.remove(0);
                continue;
            }
            if outcome.is_ok() {
                self.addresses.truncate(1);
            }
            return Attempt {
                outcome,
                took: started.elapsed(),
                traffic,
            };
        }
    }

    fn exchange_with_first(
        &mut self,
        request: &Message,
        settings: Settings,
        traffic: &mut Traffic,
    ) -> Result<Message, NoResponse> {
        let address = self.address();
        let mut seed = [0; 16];
        getrandom::fill(&mut seed).map_err(NoResponse::Random)?;
        let mut port = match self.open.take() {
            Some(port)
                if port.next_message_id.wrapping_sub(port.first_message_id) < IDS_PER_PORT =>
            {
                port
            }
            _ => LocalPort::connect(address)?,
        };
        let mut exchange = ClientExchange::new(
            request.clone(),
            settings,
            seed,
            port.next_message_id,
            Instant::now(),
        );
        let driven = port.drive(&mut exchange, &mut self.buffer, traffic);
        port.next_message_id = exchange.next_message_id();
        self.open = Some(port);
        match driven {
            Ok(outcome) => outcome.map_err(|error| NoResponse::Exchange { address, error }),
            Err(error) => Err(network(address, error)),
        }
    }
}

impl LocalPort {
    fn connect(address: SocketAddr) -> Result<Self, NoResponse> {
        let message_id = getrandom::u32().map_err(NoResponse::Random)? as u16;
        Ok(Self {
            socket: connected_socket(address)?,
            first_message_id: message_id,
            next_message_id: message_id,
        })
    }

    fn drive(
        &self,
        exchange: &mut ClientExchange,
        buffer: &mut [u8],
        traffic: &mut Traffic,
    ) -> io::Result<Result<Message, ExchangeError>> {
        loop {
            while let Some(bytes) = exchange.poll_transmit() {
                self.socket.send(&bytes)?;
                traffic.datagrams_sent += 1;
                traffic.bytes_sent += bytes.len() as u64;
            }
            if let Some(outcome) = exchange.outcome() {
                traffic.retransmissions += exchange.retransmissions();
                return Ok(outcome.clone());
            }
            let due = exchange.next_timeout().unwrap_or_else(Instant::now);
            // A read timeout of zero means no timeout.
            let wait = due
                .saturating_duration_since(Instant::now())
                .max(Duration::from_millis(1));
            self.socket.set_read_timeout(Some(wait))?;
            match self.socket.recv(buffer) {
                Ok(length) => {
                    traffic.datagrams_received += 1;
                    traffic.bytes_received += length as u64;
                    exchange
                        .handle_datagram(buffer.get(..length).unwrap_or_default(), Instant::now());
                }
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                    ) => {}
                Err(error) => return Err(error),
            }
            if Instant::now() >= due {
                exchange.handle_timeout(Instant::now());
            }
        }
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
    connect().map_err(|error| network(address, error))
}

fn network(address: SocketAddr, source: io::Error) -> NoResponse {
    match source.kind() {
        ErrorKind::ConnectionRefused => NoResponse::Refused(address),
        _ => NoResponse::Unreachable { address, source },
    }
}
