//! Sends many datagrams by one system call: with many devices, entering and leaving the kernel is a fifth of a
//! datagram's cost.

use std::io::{self, IoSlice};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::RawFd;

use nix::cmsg_space;
use nix::libc::{in_addr, in_pktinfo, in6_addr, in6_pktinfo};
use nix::sys::socket::{ControlMessage, MsgFlags, MultiHeaders, SockaddrStorage, sendmmsg};

/// Sends datagrams from one address of this machine; without `source` the system chooses it. Returns the number of
/// datagrams that were sent: those before the first that the system refused.
///
/// # Errors
/// The system's, for the first datagram.
pub(super) fn send(
    socket: RawFd,
    source: Option<IpAddr>,
    datagrams: &[(SocketAddr, &[u8])],
) -> io::Result<usize> {
    match source {
        None => send_with(socket, None, &[], datagrams),
        Some(IpAddr::V4(source)) => {
            let from = in_pktinfo {
                ipi_ifindex: 0,
                ipi_spec_dst: in_addr {
                    s_addr: u32::from_ne_bytes(source.octets()),
                },
                ipi_addr: in_addr { s_addr: 0 },
            };
            let room = cmsg_space!(in_pktinfo);
            let control = [ControlMessage::Ipv4PacketInfo(&from)];
            send_with(socket, Some(room), &control, datagrams)
        }
        Some(IpAddr::V6(source)) => {
            let from = in6_pktinfo {
                ipi6_ifindex: 0,
                ipi6_addr: in6_addr {
                    s6_addr: source.octets(),
                },
            };
            let room = cmsg_space!(in6_pktinfo);
            let control = [ControlMessage::Ipv6PacketInfo(&from)];
            send_with(socket, Some(room), &control, datagrams)
        }
    }
}

fn send_with(
    socket: RawFd,
    room: Option<Vec<u8>>,
    control: &[ControlMessage<'_>],
    datagrams: &[(SocketAddr, &[u8])],
) -> io::Result<usize> {
    let addresses = datagrams.iter().map(|(to, _)| Some((*to).into()));
    let addresses: Vec<Option<SockaddrStorage>> = addresses.collect();
    let slices = datagrams.iter().map(|(_, bytes)| [IoSlice::new(bytes)]);
    let slices: Vec<_> = slices.collect();
    let mut headers = MultiHeaders::preallocate(datagrams.len(), room);
    let flags = MsgFlags::empty();
    let sent = sendmmsg(socket, &mut headers, &slices, &addresses, control, flags)?;
    Ok(sent.count())
}
