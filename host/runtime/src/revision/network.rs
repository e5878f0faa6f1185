//! Who counts as one when a revision is judged: a principal, else a network. One host can have any number of addresses
//! in its network.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;

use contract::Peer;

/// The devices that count as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Network {
    /// An authenticated device, by a hash of its principal's name.
    Principal(u64),
    /// A network of IPv4 with a prefix of 24 bits: a home or a site seldom has more.
    V4([u8; 3]),
    /// A network of IPv6 with a prefix of 64 bits: a host takes any address within it (RFC 4291 §2.5.1).
    V6([u8; 8]),
}

impl Network {
    pub(super) fn of(peer: &Peer) -> Self {
        if let Some(principal) = &peer.principal {
            let mut hasher = DefaultHasher::new();
            principal.hash(&mut hasher);
            return Self::Principal(hasher.finish());
        }
        // A dual-stack socket shows an IPv4 device in two ways.
        match peer.ip().to_canonical() {
            IpAddr::V4(address) => {
                let [a, b, c, _] = address.octets();
                Self::V4([a, b, c])
            }
            IpAddr::V6(address) => {
                let [a, b, c, d, e, f, g, h, ..] = address.octets();
                Self::V6([a, b, c, d, e, f, g, h])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(address: &str) -> Network {
        Network::of(&Peer::unauthenticated(address.parse().unwrap()))
    }

    #[test]
    fn addresses_of_one_network_are_one_and_those_of_another_are_not() {
        assert_eq!(of("192.0.2.1:5683"), of("[::ffff:192.0.2.9]:1"));
        assert_ne!(of("192.0.2.1:5683"), of("192.0.3.1:5683"));
        assert_eq!(of("[2001:db8::1]:5683"), of("[2001:db8::ffff:1:2:3]:1"));
        assert_ne!(of("[2001:db8::1]:5683"), of("[2001:db8:0:1::1]:5683"));
    }

    #[test]
    fn principals_count_wherever_they_are() {
        let peer = |address: &str, principal: &str| Peer {
            authenticated: true,
            principal: Some(principal.into()),
            ..Peer::unauthenticated(address.parse().unwrap())
        };
        let meadow = Network::of(&peer("[2001:db8::1]:5683", "meadow"));
        assert_eq!(meadow, Network::of(&peer("192.0.2.1:5683", "meadow")));
        assert_ne!(meadow, Network::of(&peer("[2001:db8::1]:5683", "barn")));
    }
}
