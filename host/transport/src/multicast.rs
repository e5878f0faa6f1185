//! The multicast groups by which a device finds a gateway (RFC 7252 §12.8).

use std::fs;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};

use nix::net::if_::if_nametoindex;
use socket2::{InterfaceIndexOrAddress, SockRef};

/// "All CoAP Nodes" of the link and of the site.
const IPV6_GROUPS: [Ipv6Addr; 2] = [
    Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfd),
    Ipv6Addr::new(0xff05, 0, 0, 0, 0, 0, 0, 0xfd),
];
/// "All CoAP Nodes" of IPv4.
const IPV4_GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 1, 187);

/// Has a line for each interface of this process's network namespace, with its name before the colon. `if_nameindex`
/// would need a netlink socket, which a hardened service may not have.
const INTERFACES: &str = "/proc/self/net/dev";

/// A group cannot be joined.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// There is no such interface.
    #[error("[coap] multicast_interfaces: this machine has no interface {0}; `ip link` lists them")]
    NoInterface(String),
    /// No interface can join.
    #[error(
        "[coap] multicast: no group could be joined; the last error: {0}; set multicast_interfaces to interfaces with \
         addresses, or switch multicast off"
    )]
    NoGroup(io::Error),
}

/// Joins the groups on these interfaces; on all if none is named. An interface without addresses of a family cannot
/// join that family's groups, so some failures are ordinary.
pub(super) fn join(
    socket: &SockRef<'_>,
    interfaces: &[String],
    is_ipv6: bool,
) -> Result<usize, JoinError> {
    let indices = indices(interfaces)?;
    let mut joined = 0;
    let mut failure = io::Error::from(io::ErrorKind::NotFound);
    for index in indices {
        let v6 = IPV6_GROUPS.iter().filter(|_| is_ipv6);
        let v6 = v6.map(|group| socket.join_multicast_v6(group, index));
        // A dual-stack socket is in groups of IPv4 as well.
        let interface = InterfaceIndexOrAddress::Index(index);
        let v4 = socket.join_multicast_v4_n(&IPV4_GROUP, &interface);
        for result in v6.chain([v4]) {
            match result {
                Ok(()) => joined += 1,
                Err(error) => failure = error,
            }
        }
    }
    if joined == 0 {
        return Err(JoinError::NoGroup(failure));
    }
    Ok(joined)
}

/// Indices of these interfaces; of all if none is named.
fn indices(interfaces: &[String]) -> Result<Vec<u32>, JoinError> {
    if interfaces.is_empty() {
        let all = fs::read_to_string(INTERFACES).map_err(JoinError::NoGroup)?;
        let names = all.lines().filter_map(|line| line.split_once(':'));
        return Ok(names
            .filter_map(|(name, _)| if_nametoindex(name.trim()).ok())
            .collect());
    }
    interfaces
        .iter()
        .map(|name| {
            if_nametoindex(name.as_str()).map_err(|_| {
                // A name has at most 15 bytes (IFNAMSIZ).
                JoinError::NoInterface(name.escape_debug().take(32).collect())
            })
        })
        .collect()
}
