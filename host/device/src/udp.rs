//! Exchanges over UDP, plain or protected. I/O.

use std::io::ErrorKind;
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::{Duration, Instant};

use coap::Message;
use coap::client::{ClientExchange, Settings};
use coap::code;
use coap::option::ECHO;

use super::gateway_address::GatewayAddress;
use super::local_port::{LocalPort, MAX_DATAGRAM};
use super::no_response::NoResponse;
use super::protection::Protection;
use super::security::Security;
use super::traffic::Traffic;

/// The result of one exchange.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) outcome: Result<Message, NoResponse>,
    /// From the first byte sent to the end of the exchange.
    pub(super) took: Duration,
    pub(super) traffic: Traffic,
}

/// A client of one gateway. A name may have several addresses: it keeps the first that responds.
pub(super) struct UdpClient<'a> {
    addresses: Vec<SocketAddr>,
    security: &'a mut Security,
    open: Option<LocalPort>,
    buffer: Vec<u8>,
}

impl<'a> UdpClient<'a> {
    /// Resolves the gateway's name; zones of IPv6 addresses too.
    pub(super) fn to(
        gateway: &GatewayAddress,
        security: &'a mut Security,
    ) -> Result<Self, NoResponse> {
        Ok(Self {
            addresses: addresses(gateway)?,
            security,
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
            let outcome = self.fresh_exchange(request, settings, &mut traffic);
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
            } else if matches!(self.security, Security::Psk { .. }) {
                // The next exchange shakes hands again: the gateway may have restarted.
                self.open = None;
            }
            return Attempt {
                outcome,
                took: started.elapsed(),
                traffic,
            };
        }
    }

    /// After a restart, a gateway accepts a request with OSCORE only with the Echo value that it asks for (RFC 8613
    /// Appendix B.1.2).
    fn fresh_exchange(
        &mut self,
        request: &Message,
        settings: Settings,
        traffic: &mut Traffic,
    ) -> Result<Message, NoResponse> {
        let response = self.exchange_with_first(request, settings, traffic)?;
        let echo = response.option(ECHO).map(<[u8]>::to_vec);
        match (echo, &self.security) {
            (Some(echo), Security::Oscore(_)) if response.code == code::UNAUTHORIZED => {
                let request = request.clone().with_option(ECHO, echo);
                self.exchange_with_first(&request, settings, traffic)
            }
            _ => Ok(response),
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
            Some(port) if port.has_message_ids() => port,
            _ => LocalPort::connect(address)?,
        };
        if let (Security::Psk { identity, key }, None) = (&*self.security, &port.session) {
            port.open_session((identity, key), settings.timeout, &mut self.buffer, traffic)?;
        }
        let mut exchange = ClientExchange::new(
            request.clone(),
            settings,
            seed,
            port.next_message_id,
            Instant::now(),
        );
        let mut protection = match (&mut *self.security, &mut port.session) {
            (Security::Oscore(file), _) => Protection::Oscore(file, Box::default()),
            (_, Some(session)) => Protection::Session(session),
            (_, None) => Protection::Plain,
        };
        let driven = port
            .wire
            .drive(&mut exchange, &mut protection, &mut self.buffer, traffic);
        port.next_message_id = exchange.next_message_id();
        self.open = Some(port);
        driven
    }
}

/// The addresses of the gateway's name.
pub(super) fn addresses(gateway: &GatewayAddress) -> Result<Vec<SocketAddr>, NoResponse> {
    let not_found = |source| NoResponse::HostNotFound {
        host: gateway.host.clone(),
        source,
    };
    let addresses: Vec<_> = (gateway.host.as_str(), gateway.port)
        .to_socket_addrs()
        .map_err(not_found)?
        .collect();
    match addresses.is_empty() {
        true => Err(not_found(ErrorKind::NotFound.into())),
        false => Ok(addresses),
    }
}
