//! Requests as the caller of an endpoint gets them.

use std::convert::Infallible;

use crate::exchange::ExchangeId;
use crate::message::{Message, MessageType, Token};

/// A request for the caller, once, however often it was transmitted. The caller must respond to it with
/// [`Endpoint::respond`](crate::Endpoint::respond) or
/// [`Endpoint::respond_observing`](crate::Endpoint::respond_observing): until then it counts against
/// [`Limits::exchanges_per_peer`](crate::Limits::exchanges_per_peer).
#[derive(Clone, Debug)]
pub struct Incoming<P, C = Infallible> {
    /// Identifies the request in [`Endpoint::respond`](crate::Endpoint::respond).
    pub id: ExchangeId,
    /// The context of a protected request (see [`MessageProtection`](crate::MessageProtection)); none if it came
    /// unprotected.
    pub protection: Option<C>,
    /// The request itself.
    pub request: Request<P>,
}

/// A whole request of a peer.
#[derive(Clone, Debug)]
pub struct Request<P> {
    /// The sender.
    pub peer: P,
    /// Confirmable or not. The type of the response follows from it.
    pub message_type: MessageType,
    /// With the peer, it identifies the message for its lifetime (RFC 7252 §4.4); of a block-wise body, that of the
    /// last block.
    pub message_id: u16,
    /// The token, of the last block too.
    pub token: Token,
    /// The message with its whole body, without Block1, Block2, Size1, Size2, Request-Tag, Echo, No-Response and
    /// Observe.
    pub message: Message,
    /// Whether it asks for an observation, which [`Endpoint::respond_observing`](crate::Endpoint::respond_observing)
    /// begins (RFC 7641 §3.1), and there is room for one.
    pub observes: bool,
    /// Bytes of all its datagrams.
    pub wire_bytes: usize,
    /// Whether it came to a group. Only a success with a payload is sent then (RFC 7252 §8.2).
    pub multicast: bool,
}

impl<P> Request<P> {
    /// The request with its peer as `to` describes it: by its principal, say, in place of its address.
    pub fn map_peer<Q>(self, to: impl FnOnce(P) -> Q) -> Request<Q> {
        let Self {
            peer,
            message_type,
            message_id,
            token,
            message,
            observes,
            wire_bytes,
            multicast,
        } = self;
        Request {
            peer: to(peer),
            message_type,
            message_id,
            token,
            message,
            observes,
            wire_bytes,
            multicast,
        }
    }
}
