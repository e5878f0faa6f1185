//! Resolves names to public addresses only, for homeservers that devices choose: otherwise the gateway would give
//! devices access to the network around it. The connection goes to the address that was checked.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Resolves with the system's resolver, and refuses a name if any of its addresses is not public.
pub(super) struct PublicOnly;

/// An address of the name is not public.
#[derive(Debug, thiserror::Error)]
#[error("the name resolves to an address that is not public")]
pub(super) struct NotPublic;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let addresses = tokio::task::spawn_blocking(move || {
                (name.as_str(), 0)
                    .to_socket_addrs()
                    .map(Iterator::collect::<Vec<SocketAddr>>)
            })
            .await??;
            if addresses.iter().all(|address| is_public(address.ip())) {
                Ok(Box::new(addresses.into_iter()) as Addrs)
            } else {
                Err(NotPublic.into())
            }
        })
    }
}

/// Whether an address is one of the public internet (IANA's special-purpose registries, RFC 6890).
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_unspecified()
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_documentation()
        || a == 0
        || a >= 224 // multicast and reserved
        || (a == 100 && (64..128).contains(&b)) // RFC 6598, carrier-grade NAT
        || (a == 192 && b == 0 && c == 0) // RFC 6890
        || (a == 192 && b == 88 && c == 99) // RFC 7526
        || (a == 198 && (18..20).contains(&b)); // RFC 2544
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    // Only 2000::/3 is global unicast. Within it, addresses that embed others are refused.
    segments[0] & 0xe000 == 0x2000
        && segments[0] != 0x2002 // 6to4 carries an IPv4 address
        && !(segments[0] == 0x2001 && segments[1] < 0x200) // RFC 2928: Teredo, benchmarks, ORCHID
        && !(segments[0] == 0x2001 && segments[1] == 0xdb8) // RFC 3849
        && !(segments[0] == 0x3fff && segments[1] < 0x1000) // RFC 9637
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_network_around_the_gateway_are_not_public() {
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.1.187",
            "198.18.0.1",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "ff02::fd",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:db8::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn addresses_of_the_internet_are_public() {
        for address in [
            "1.1.1.1",
            "172.32.0.1",
            "100.128.0.1",
            "2606:4700::1111",
            "2001:4860::8888",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }
}
