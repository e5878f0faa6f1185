//! Sockets: datagrams in, datagrams out.

mod udp;

pub use udp::{BindError, UdpPeer, UdpTransport};
