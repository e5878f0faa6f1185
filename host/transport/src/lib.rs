//! Sockets: datagrams in, datagrams out.
//!
//! There is one socket. A thread that serves it does so at some ten thousand requests per second, more than every radio
//! network behind a router together carries; a second one with SO_REUSEPORT would need locks around what is known of
//! peers, exchanges and observations, since the kernel spreads peers over sockets by a hash of their address.

mod batch;
mod multicast;
mod udp;

pub use multicast::JoinError;
pub use udp::{BindError, Cast, UdpPeer, UdpTransport};
