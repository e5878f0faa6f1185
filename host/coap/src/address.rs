//! Addresses as people write them.

use std::net::{IpAddr, SocketAddr};

/// An IPv4 address that a dual-stack socket shows as IPv6, as IPv4.
#[must_use]
pub fn canonical(peer: SocketAddr) -> SocketAddr {
    match peer.ip().to_canonical() {
        IpAddr::V4(ip) => SocketAddr::new(ip.into(), peer.port()),
        IpAddr::V6(_) => peer,
    }
}
