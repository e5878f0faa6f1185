//! A device, by all that the gateway knows of it.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// A device that has sent a request.
///
/// On plain UDP there is only an address, which any sender can forge. A secured transport authenticates the peer
/// and knows its principal: then the address only says how to reach it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Peer {
    /// Its address and port. An IPv4 address is one, also where a dual-stack socket shows it within IPv6.
    pub id: SocketAddr,
    /// Whether a security protocol has proved that the peer holds its key.
    pub authenticated: bool,
    /// The name of the key, as the gateway's configuration has it; only of an authenticated peer.
    pub principal: Option<Arc<str>>,
}

impl Peer {
    /// A peer on plain UDP.
    #[must_use]
    pub fn unauthenticated(address: SocketAddr) -> Self {
        Self {
            id: canonical(address),
            authenticated: false,
            principal: None,
        }
    }

    /// Its IP address.
    #[must_use]
    pub fn ip(&self) -> IpAddr {
        self.id.ip()
    }
}

/// An IPv4 address that a dual-stack socket shows as IPv6, as IPv4.
#[must_use]
pub fn canonical(address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        IpAddr::V4(ip) => SocketAddr::new(ip.into(), address.port()),
        // With its zone.
        IpAddr::V6(_) => address,
    }
}

/// As in a log line: the address, and after it the principal.
impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.id)?;
        match &self.principal {
            Some(principal) => write!(f, " principal={}", crate::escaping::escaped(principal, 64)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv4_device_is_the_same_on_a_dual_stack_socket() {
        let mapped = Peer::unauthenticated("[::ffff:192.0.2.1]:5683".parse().unwrap());
        assert_eq!(
            mapped,
            Peer::unauthenticated("192.0.2.1:5683".parse().unwrap())
        );
        assert_eq!(mapped.to_string(), "192.0.2.1:5683");
    }

    #[test]
    fn a_link_local_device_keeps_its_zone() {
        let address = "[fe80::1%3]:5683".parse().unwrap();
        assert_eq!(Peer::unauthenticated(address).id, address);
    }

    #[test]
    fn a_log_line_shows_the_principal_escaped() {
        let mut peer = Peer::unauthenticated("192.0.2.1:5683".parse().unwrap());
        peer.authenticated = true;
        peer.principal = Some("meadow\n1".into());
        assert_eq!(peer.to_string(), "192.0.2.1:5683 principal=meadow\\u{a}1");
    }
}
