//! UDP sockets: datagrams in, datagrams out.
//!
//! One thread serves the socket, at some ten thousand requests per second: more than all radio networks behind a router
//! carry together. A second thread with a socket of its own (SO_REUSEPORT) would need locks around the state of peers,
//! exchanges and observations, since the kernel distributes peers over sockets by a hash of their address.

mod batch;
mod bind_error;
mod multicast;
mod own_address;
mod udp;

pub use bind_error::BindError;
pub use multicast::JoinError;
pub use own_address::is_own_address;
pub use udp::{Cast, SessionRef, UdpPeer, UdpTransport};
