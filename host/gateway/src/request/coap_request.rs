//! A request of a device, as the gateway gets it from the endpoint.

use std::net::SocketAddr;

use coap::{Message, MessageType};
use contract::Peer;

/// A whole request, with its source and destination.
pub struct Request {
    /// The device.
    pub peer: Peer,
    /// The gateway's address and port that the device sent it to. None if the system does not say.
    pub local: Option<SocketAddr>,
    /// Whether it was sent to a multicast group: only discovery responds to that.
    pub multicast: bool,
    /// CON or NON.
    pub message_type: MessageType,
    /// The message with its whole body.
    pub message: Message,
    /// Whether it registers an observer, and there is room for one.
    pub observes: bool,
    /// Bytes on the wire, of all its blocks.
    pub wire_bytes: usize,
}
