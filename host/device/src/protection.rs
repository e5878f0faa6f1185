//! Between the datagrams of one exchange and those of the socket: a session, a security context, or nothing.

use std::net::SocketAddr;
use std::time::Instant;

use secure::dtls::{ClientSession, ClientStep};
use secure::oscore::{ExchangeProtection, ResponseError};

use super::no_response::NoResponse;
use super::oscore_file::OscoreFile;

/// What protects one exchange.
pub(super) enum Protection<'a> {
    Plain,
    Session(&'a mut ClientSession),
    Oscore(&'a mut OscoreFile, Box<ExchangeProtection>),
}

/// What a datagram, or the time, has led to.
#[derive(Default)]
pub(super) struct Passed {
    /// Datagrams for the socket.
    pub(super) sends: Vec<Vec<u8>>,
    /// Messages for the exchange.
    pub(super) messages: Vec<Vec<u8>>,
    /// The handshake is complete.
    pub(super) is_connected: bool,
}

impl Protection<'_> {
    /// Protects a message of the exchange.
    pub(super) fn outgoing(
        &mut self,
        address: SocketAddr,
        now: Instant,
        message: Vec<u8>,
    ) -> Result<Passed, NoResponse> {
        match self {
            Self::Plain => Ok(Passed {
                sends: vec![message],
                ..Passed::default()
            }),
            Self::Session(session) => {
                let sent = session.send(now, &message);
                sent.map_err(|error| NoResponse::Session { address, error })?;
                passed(session, address)
            }
            Self::Oscore(file, protection) => {
                file.reserve().map_err(NoResponse::SequenceNumbers)?;
                let protected = protection.outgoing(&mut file.context, message)?;
                Ok(Passed {
                    sends: vec![protected],
                    ..Passed::default()
                })
            }
        }
    }

    /// Takes a datagram of the socket.
    pub(super) fn incoming(
        &mut self,
        address: SocketAddr,
        now: Instant,
        datagram: &[u8],
    ) -> Result<Passed, NoResponse> {
        let message = match self {
            Self::Plain => datagram.to_vec(),
            Self::Session(session) => {
                let taken = session.handle_datagram(now, datagram);
                taken.map_err(|error| NoResponse::Session { address, error })?;
                return passed(session, address);
            }
            Self::Oscore(file, protection) => {
                match protection.incoming(&file.context, datagram) {
                    Ok(message) => message,
                    // A copy of what was processed.
                    Err(ResponseError::Replay) => return Ok(Passed::default()),
                    // The gateway cannot protect it: it does not have the context, or no number yet.
                    Err(ResponseError::NotProtected) => {
                        let code = coap::decode(datagram).map_or(0, |one| one.message.code);
                        return Err(NoResponse::NotProtected { address, code });
                    }
                    Err(error) => return Err(NoResponse::Response { address, error }),
                }
            }
        };
        Ok(Passed {
            messages: vec![message],
            ..Passed::default()
        })
    }

    /// Repeats what is due of a handshake.
    pub(super) fn handle_timeout(
        &mut self,
        address: SocketAddr,
        now: Instant,
    ) -> Result<Passed, NoResponse> {
        let Self::Session(session) = self else {
            return Ok(Passed::default());
        };
        let repeated = session.handle_timeout(now);
        repeated.map_err(|error| NoResponse::Session { address, error })?;
        passed(session, address)
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        match self {
            Self::Session(session) => session.next_timeout(),
            Self::Plain | Self::Oscore(..) => None,
        }
    }
}

fn passed(session: &mut ClientSession, address: SocketAddr) -> Result<Passed, NoResponse> {
    let mut passed = Passed::default();
    while let Some(step) = session.poll() {
        match step {
            ClientStep::Send(datagram) => passed.sends.push(datagram),
            ClientStep::Message(message) => passed.messages.push(message),
            ClientStep::Connected => passed.is_connected = true,
            ClientStep::Closed => return Err(NoResponse::Closed(address)),
            ClientStep::Untrusted(reason) => {
                return Err(NoResponse::Untrusted { address, reason });
            }
        }
    }
    Ok(passed)
}
