//! Hosts and networks of peers: what one of them may take of the endpoint is a share (`share::Shares`).

use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// Bits of an IPv6 network that one site or one link has (RFC 4291 §2.5.1): a host chooses the others itself, as many
/// addresses as it likes.
const NETWORK_BITS: u8 = 64;

/// Where a peer is: its address without port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Host {
    address: IpAddr,
    /// The link of a link-local address (RFC 4007 §6); 0 otherwise.
    zone: u32,
}

impl Host {
    /// The address. An IPv4 address that came over a socket of both families is IPv4.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// The network whose addresses the host may choose from: its IPv6 /64. None for IPv4: a host has one address there,
    /// and the devices of a whole site share a /24, so a bound of it would hurt them and hinder nobody.
    pub(crate) fn network(&self) -> Option<(u64, u32)> {
        let IpAddr::V6(address) = self.address else {
            return None;
        };
        Some(((address.to_bits() >> NETWORK_BITS) as u64, self.zone))
    }
}

impl From<SocketAddr> for Host {
    fn from(address: SocketAddr) -> Self {
        let zone = match address {
            SocketAddr::V6(v6) if v6.ip().is_unicast_link_local() => v6.scope_id(),
            _ => 0,
        };
        Self {
            address: address.ip().to_canonical(),
            zone,
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.zone {
            0 => self.address.fmt(formatter),
            zone => write!(formatter, "{}%{zone}", self.address),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(text: &str) -> Host {
        Host::from(text.parse::<SocketAddr>().expect("an address"))
    }

    #[test]
    fn ports_are_below_the_host_and_a_mapped_address_is_ipv4() {
        assert_eq!(host("192.0.2.1:1"), host("192.0.2.1:2"));
        assert_eq!(host("[::ffff:192.0.2.1]:1"), host("192.0.2.1:2"));
        assert_ne!(host("192.0.2.1:1"), host("192.0.2.2:1"));
        assert_eq!(host("[::ffff:192.0.2.1]:1").network(), None);
    }

    #[test]
    fn addresses_of_a_64_are_one_network_and_links_are_several() {
        let network = |text| host(text).network();
        assert_eq!(network("[2001:db8::1]:1"), network("[2001:db8::ffff:1]:1"));
        assert_ne!(network("[2001:db8::1]:1"), network("[2001:db8:0:1::1]:1"));
        assert_ne!(network("[fe80::1%2]:1"), network("[fe80::1%3]:1"));
        assert_ne!(host("[fe80::1%2]:1"), host("[fe80::1%3]:1"));
        assert_eq!(host("[fe80::1%2]:1").to_string(), "fe80::1%2");
    }
}
