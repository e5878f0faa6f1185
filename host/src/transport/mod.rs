//! Sockets: datagrams in, datagrams out.

mod multicast;
mod udp;

pub use multicast::JoinError;
pub use udp::{Arrival, BindError, UdpPeer, UdpTransport};
