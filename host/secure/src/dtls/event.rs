//! What a server tells its caller.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use coap::{Host, PeerId};

use super::method::Method;
use super::refusal::Refusal;

/// One session: the peer of a CoAP endpoint (RFC 7252 §9.1.1). A device that shakes hands again has another one, so
/// message IDs and tokens of the former are not mistaken for those of the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SessionId<P> {
    /// Where the device is.
    pub peer: P,
    /// Unique among the sessions of a server.
    pub number: u64,
}

impl<P: PeerId> PeerId for SessionId<P> {
    /// By the cookie, and then by the whole handshake.
    fn has_proven_address(&self) -> bool {
        true
    }

    fn host(&self) -> Option<Host> {
        self.peer.host()
    }
}

impl fmt::Display for SessionId<SocketAddr> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} session={}", self.peer, self.number)
    }
}

/// A decrypted message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message<P> {
    /// The session that it came in.
    pub session: SessionId<P>,
    /// The device that sent it.
    pub principal: Arc<str>,
    /// The CoAP message.
    pub bytes: Vec<u8>,
}

/// What happened to sessions and handshakes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<P> {
    /// A device is authenticated.
    Opened {
        /// The session.
        session: SessionId<P>,
        /// The device.
        principal: Arc<str>,
        /// How it authenticated itself.
        method: Method,
    },
    /// A session is over; its CoAP exchanges and observations cannot go on.
    Closed {
        /// The session.
        session: SessionId<P>,
        /// The device.
        principal: Arc<str>,
        /// Why.
        reason: CloseReason,
    },
    /// A handshake was refused. At most 64 of them wait for the caller; further ones are only counted.
    Refused {
        /// Where it came from: an address that is proven.
        peer: P,
        /// Why, and what to do.
        refusal: Refusal,
    },
}

/// Why a session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The device closed it.
    Device,
    /// The device ended it with this fatal alert.
    Alert(u8),
    /// The device has shaken hands again from the same address: it has restarted.
    Replaced,
    /// The device has more than [`sessions_per_principal`](super::Limits::sessions_per_principal), and used this one
    /// the longest time ago.
    TooMany,
    /// No message for [`session_idle`](super::Limits::session_idle).
    Idle,
    /// The caller closed it.
    Gateway,
    /// The device did not follow the protocol.
    Protocol,
}

impl fmt::Display for CloseReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device => formatter.write_str("closed by the device"),
            Self::Alert(alert) => write!(formatter, "ended by the device with alert {alert}"),
            Self::Replaced => {
                formatter.write_str("replaced by a new handshake from the same address")
            }
            Self::TooMany => formatter.write_str("closed for a newer session of the same device"),
            Self::Idle => formatter.write_str("closed because no message came for too long"),
            Self::Gateway => formatter.write_str("closed by the gateway"),
            Self::Protocol => {
                formatter.write_str("ended because the device did not follow the protocol")
            }
        }
    }
}

/// Why a message was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The session is over; the device must shake hands again.
    #[error("the session is over; the device has to shake hands again")]
    NoSession,
    /// The message does not fit into a datagram of this device: send it in smaller blocks (RFC 7959).
    #[error(
        "the message has more than the {longest} bytes that fit into a datagram of this device; use smaller blocks"
    )]
    TooLong {
        /// See [`Server::longest_message`](super::Server::longest_message).
        longest: usize,
    },
}
