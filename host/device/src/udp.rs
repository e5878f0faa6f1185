//! Exchanges over UDP, plain or protected. I/O.

use std::io::ErrorKind;
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::{Duration, Instant};

use coap::Message;
use coap::client::{ClientExchange, ClientObservation, ObservationEvent, Settings};
use coap::code;
use coap::option::ECHO;

use secure::dtls::ClientSession;

use super::edhoc_handshake::agree;
use super::gateway_address::GatewayAddress;
use super::local_port::{LocalPort, MAX_DATAGRAM, Wire};
use super::no_response::NoResponse;
use super::oscore_file::OscoreFile;
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
            } else {
                // The next exchange shakes hands again: the gateway may have restarted.
                self.security.forget();
                if self
                    .open
                    .as_ref()
                    .is_some_and(|port| port.session.is_some())
                {
                    self.open = None;
                }
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
        let is_protected = self.security.context().is_some();
        match wanted_echo(&response).filter(|_| is_protected) {
            Some(echo) => {
                let request = request.clone().with_option(ECHO, echo);
                self.exchange_with_first(&request, settings, traffic)
            }
            None => Ok(response),
        }
    }

    fn exchange_with_first(
        &mut self,
        request: &Message,
        settings: Settings,
        traffic: &mut Traffic,
    ) -> Result<Message, NoResponse> {
        let mut port = self.ready_port(settings, traffic)?;
        let mut protection = protection(self.security, &mut port.session);
        let driven = exchange(
            (&port.wire, &mut port.next_message_id),
            (request, settings),
            &mut protection,
            (&mut self.buffer, traffic),
        );
        self.open = Some(port);
        driven
    }

    /// Observes, until `each` wants no more, or the time has passed. A registration that the gateway accepts only with
    /// an Echo value is repeated with it.
    pub(super) fn observe(
        &mut self,
        (request, settings): (&Message, Settings),
        time: Duration,
        traffic: &mut Traffic,
        mut each: impl FnMut(ObservationEvent, &Traffic) -> Result<bool, NoResponse>,
    ) -> Result<(), NoResponse> {
        let end = Instant::now() + time;
        let mut request = request.clone();
        loop {
            let mut port = self.ready_port(settings, traffic)?;
            let mut observation = ClientObservation::new(
                request.clone(),
                settings,
                seed()?,
                port.next_message_id,
                Instant::now(),
            );
            let mut echo = None;
            let mut protection = protection(self.security, &mut port.session);
            let is_protected = matches!(protection, Protection::Oscore(..));
            let has_echo = request.option(ECHO).is_some();
            let buffers = (self.buffer.as_mut_slice(), &mut *traffic);
            let over = port.wire.observe(
                &mut observation,
                &mut protection,
                end,
                buffers,
                |event, traffic| {
                    if let ObservationEvent::Ended(response) = &event
                        && is_protected
                        && !has_echo
                    {
                        echo = wanted_echo(response);
                    }
                    match echo {
                        Some(_) => Ok(false),
                        None => each(event, traffic),
                    }
                },
            );
            port.next_message_id = observation.next_message_id();
            self.open = Some(port);
            match (over, echo) {
                (Ok(()), Some(echo)) => request = request.with_option(ECHO, echo),
                (over, _) => return over,
            }
        }
    }

    /// A port with all that protects: the handshake is done.
    fn ready_port(
        &mut self,
        settings: Settings,
        traffic: &mut Traffic,
    ) -> Result<LocalPort, NoResponse> {
        let mut port = match self.open.take() {
            Some(port) if port.has_message_ids() => port,
            _ => LocalPort::connect(self.address())?,
        };
        if port.session.is_none()
            && let Some(session) = self.security.session(settings.timeout, Instant::now())
        {
            port.open_session(session?, settings.timeout, &mut self.buffer, traffic)?;
        }
        if let Security::Edhoc(file) = &mut *self.security
            && file.context.is_none()
        {
            let settings = Settings {
                confirmable: true,
                ..settings
            };
            let mut ask = |request: &Message| {
                exchange(
                    (&port.wire, &mut port.next_message_id),
                    (request, settings),
                    &mut Protection::Plain,
                    (&mut self.buffer, &mut *traffic),
                )
            };
            // A gateway with much to do wants the address to be proven first (RFC 9175).
            let parameters = agree(file, |request| {
                let response = ask(&request)?;
                match wanted_echo(&response) {
                    Some(echo) => ask(&request.with_option(ECHO, echo)),
                    None => Ok(response),
                }
            })?;
            file.context = Some(OscoreFile::of_handshake(&parameters)?);
        }
        Ok(port)
    }

    /// The port that the last exchange has used, and what protects on it.
    pub(super) fn into_parts(self) -> (Option<LocalPort>, &'a mut Security) {
        (self.open, self.security)
    }
}

fn protection<'b>(
    security: &'b mut Security,
    session: &'b mut Option<Box<ClientSession>>,
) -> Protection<'b> {
    match (security.context(), session) {
        (Some(context), _) => Protection::Oscore(context, Box::default()),
        (None, Some(session)) => Protection::Session(session),
        (None, None) => Protection::Plain,
    }
}

/// One exchange over a port.
fn exchange(
    (wire, next_message_id): (&Wire, &mut u16),
    (request, settings): (&Message, Settings),
    protection: &mut Protection<'_>,
    (buffer, traffic): (&mut [u8], &mut Traffic),
) -> Result<Message, NoResponse> {
    let first = *next_message_id;
    let mut exchange =
        ClientExchange::new(request.clone(), settings, seed()?, first, Instant::now());
    let driven = wire.drive(&mut exchange, protection, buffer, traffic);
    *next_message_id = exchange.next_message_id();
    driven
}

fn seed() -> Result<[u8; 16], NoResponse> {
    let mut seed = [0; 16];
    getrandom::fill(&mut seed).map_err(NoResponse::Random)?;
    Ok(seed)
}

/// The value that a gateway wants to have back before it accepts the request.
fn wanted_echo(response: &Message) -> Option<Vec<u8>> {
    let echo = response.option(ECHO).map(<[u8]>::to_vec);
    echo.filter(|_| response.code == code::UNAUTHORIZED)
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
