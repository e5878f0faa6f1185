//! The reason why there is no usable response.

use std::io;
use std::net::SocketAddr;

use coap::client::ExchangeError;
use coap::code::Dotted;
use secure::dtls::{ClientError, SetupError, Untrusted};
use secure::edhoc::InitiatorError;
use secure::oscore::{CannotProtect, ParametersError, ResponseError};

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
    #[error("{error} ({address})")]
    Session {
        address: SocketAddr,
        error: ClientError,
    },
    #[error("the gateway closed the session ({0})")]
    Closed(SocketAddr),
    #[error("the gateway's certificate is refused: {reason} ({address})")]
    Untrusted {
        address: SocketAddr,
        reason: Untrusted,
    },
    #[error("the gateway refused the handshake of EDHOC with {}", Dotted(*code))]
    HandshakeRefused { code: u8 },
    #[error("the handshake of EDHOC failed: {0}")]
    Handshake(#[from] InitiatorError),
    #[error("the handshake of EDHOC made no security context: {0}")]
    Parameters(#[from] ParametersError),
    #[error(transparent)]
    Setup(#[from] SetupError),
    #[error("the request cannot be protected: {0}")]
    CannotProtect(#[from] CannotProtect),
    #[error("cannot store sequence numbers: {0}")]
    SequenceNumbers(io::Error),
    #[error("a response that is not protected came, {} ({address})", Dotted(*code))]
    NotProtected { address: SocketAddr, code: u8 },
    #[error("{error} ({address})")]
    Response {
        address: SocketAddr,
        error: ResponseError,
    },
    #[error("the system has no random bytes: {0}")]
    Random(getrandom::Error),
}

impl NoResponse {
    /// Of an error of the socket to this address.
    pub(super) fn network(address: SocketAddr, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::ConnectionRefused => Self::Refused(address),
            _ => Self::Unreachable { address, source },
        }
    }
}
