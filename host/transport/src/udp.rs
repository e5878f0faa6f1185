//! Plain UDP: batched receive, and responses from the address that their request was sent to.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::num::NonZeroU64;
use std::os::fd::AsRawFd;
use std::task::{Context, Poll};

use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSockRef, UdpSocketState};
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::batch;
use super::bind_error::BindError;
use super::multicast::{self, JoinError};

/// Bytes of the kernel's buffers: for 512 devices that send at once after a multicast or a power cut, 2 KiB each as the
/// kernel counts them. The kernel may grant less.
const SOCKET_BUFFER: usize = 1 << 20;
/// Bytes of one receive buffer. The kernel may hand over several datagrams of a peer as one.
const RECEIVE_BUFFER: usize = 1 << 16;
/// Receive buffers: datagrams of one system call. On a router the C library may touch each of their pages to zero it.
const BATCH: usize = if cfg!(feature = "router") {
    8
} else {
    BATCH_SIZE
};

/// A device: its address, and the gateway's address that it sends to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UdpPeer {
    /// The socket that it sends to: its index in the list of sockets that the gateway serves.
    pub listener: u8,
    /// The device.
    pub remote: SocketAddr,
    /// The gateway's address, if it listens on several and the system reports the destination address.
    pub local: Option<IpAddr>,
    /// The security session that it speaks in; none on plain UDP, and for the datagrams of any session.
    pub session: Option<SessionRef>,
}

/// A security session of a device, as its messages name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SessionRef {
    /// Unique among the sessions of the gateway.
    pub number: NonZeroU64,
    /// Size exponent of the largest block for the device: its datagrams may be small.
    pub largest_block: u8,
}

impl coap::PeerId for UdpPeer {
    /// Plain UDP proves no address; the handshake of a session does.
    fn has_proven_address(&self) -> bool {
        self.session.is_some()
    }

    fn largest_block(&self) -> u8 {
        self.session
            .map_or(coap::block::MAX_SIZE_EXPONENT, |session| {
                session.largest_block
            })
    }

    fn host(&self) -> Option<coap::Host> {
        Some(coap::Host::from(self.remote))
    }
}

/// Whether a datagram was sent to this gateway alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cast {
    /// To this gateway alone.
    Unicast,
    /// To a group.
    Multicast,
}

/// A bound socket.
pub struct UdpTransport {
    /// Its index in the list of sockets that the gateway serves.
    listener: u8,
    /// Watched for datagrams only: the system reports after each sent one that there is room for another, and that
    /// would wake the gateway once more for each response.
    socket: AsyncFd<UdpSocket>,
    state: UdpSocketState,
    /// Whether it listens on one address only: then responses leave from it without naming it in each system call.
    has_one_address: bool,
    /// Whether a service manager holds it too.
    is_handed_over: bool,
    /// Whether it is in the groups of "All CoAP Nodes".
    is_member: bool,
    /// One receive buffer after the other.
    buffers: Vec<u8>,
    received: [RecvMeta; BATCH],
}

impl UdpTransport {
    /// Binds; `[::]` takes IPv4 as well.
    ///
    /// # Errors
    /// [`BindError`] with the remedy.
    pub fn bind(address: SocketAddr) -> Result<Self, BindError> {
        Self::open(address).map_err(|cause| BindError::new(address, cause))
    }

    /// Serves a socket that a service manager has bound and holds.
    ///
    /// # Errors
    /// The system's.
    pub fn adopt(socket: UdpSocket) -> io::Result<Self> {
        let mut transport = Self::serving(socket.into())?;
        transport.is_handed_over = true;
        Ok(transport)
    }

    fn open(address: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::DGRAM,
            Some(Protocol::UDP),
        )?;
        if address.is_ipv6() {
            socket.set_only_v6(false)?;
        }
        socket.bind(&address.into())?;
        Self::serving(socket)
    }

    /// A bound socket, made ready.
    fn serving(socket: Socket) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        socket.set_recv_buffer_size(SOCKET_BUFFER)?;
        socket.set_send_buffer_size(SOCKET_BUFFER)?;
        let socket = UdpSocket::from(socket);
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        let address = socket.local_addr()?;
        #[allow(
            deprecated,
            reason = "the successor is unsafe code, for types that do not own their descriptor; this one does"
        )]
        let socket = AsyncFd::with_interest(socket, Interest::READABLE)?;
        // One allocation, which the system gives zeroed: pages that no datagram has touched cost no memory.
        let buffers = vec![0; BATCH * RECEIVE_BUFFER];
        Ok(Self {
            listener: 0,
            socket,
            state,
            has_one_address: !address.ip().is_unspecified(),
            is_handed_over: false,
            is_member: false,
            buffers,
            received: [RecvMeta::default(); BATCH],
        })
    }

    /// Joins the groups of "All CoAP Nodes" on these interfaces; on all if none is named. Returns the number of
    /// memberships.
    ///
    /// # Errors
    /// [`JoinError`]: a name that no interface has, or no group could be joined.
    pub fn join(&mut self, interfaces: &[String]) -> Result<usize, JoinError> {
        let is_ipv6 = self.local_addr().is_ok_and(|address| address.is_ipv6());
        let joined = multicast::join(&SockRef::from(self.socket.get_ref()), interfaces, is_ipv6)?;
        self.is_member = true;
        Ok(joined)
    }

    /// Its local address.
    ///
    /// # Errors
    /// The system's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.get_ref().local_addr()
    }

    /// Whether a service manager holds the socket too, and with it the datagrams that arrive after this process has
    /// ended.
    #[must_use]
    pub fn is_handed_over(&self) -> bool {
        self.is_handed_over
    }

    /// Sets its index in the list of sockets that the gateway serves; 0 by default.
    pub fn set_listener(&mut self, listener: u8) {
        self.listener = listener;
    }

    /// Ready when a datagram may be there. One task can wait at a time.
    ///
    /// # Errors
    /// The system's.
    pub fn poll_readable(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let ready = self.socket.poll_read_ready(context);
        ready.map_ok(|mut guard| guard.retain_ready())
    }

    /// Passes each waiting datagram, at most a batch, to `take`. Returns whether there can be more.
    ///
    /// # Errors
    /// The system's, for example an ICMP error of an earlier datagram.
    pub fn receive(&mut self, mut take: impl FnMut(UdpPeer, Cast, &[u8])) -> io::Result<bool> {
        let mut slices = self
            .buffers
            .chunks_exact_mut(RECEIVE_BUFFER)
            .map(IoSliceMut::new);
        let mut slices: [IoSliceMut<'_>; BATCH] = std::array::from_fn(|_| {
            slices
                .next()
                .unwrap_or_else(|| unreachable!("there is a buffer for each slot"))
        });
        let count = match self.socket.try_io(Interest::READABLE, |socket| {
            self.state
                .recv(UdpSockRef::from(socket), &mut slices, &mut self.received)
        }) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error),
        };
        for (buffer, meta) in slices.iter().zip(&self.received).take(count) {
            let is_multicast = meta
                .dst_ip
                .is_some_and(|local| local.to_canonical().is_multicast());
            let cast = if is_multicast {
                Cast::Multicast
            } else {
                Cast::Unicast
            };
            if is_multicast && !self.is_member {
                // Another program of this machine is in that group.
                continue;
            }
            let peer = UdpPeer {
                listener: self.listener,
                remote: meta.addr,
                // The response to a group leaves from an address of this machine's own (RFC 7252 §8.2).
                local: meta
                    .dst_ip
                    .filter(|_| !self.has_one_address && !is_multicast),
                session: None,
            };
            if meta.len == 0 {
                take(peer, cast, &[]);
                continue;
            }
            for datagram in buffer[..meta.len].chunks(meta.stride.max(1)) {
                take(peer, cast, datagram);
            }
        }
        Ok(count == BATCH)
    }

    /// Sends datagrams in their order, with few system calls. A datagram that the system refuses is lost, as on a
    /// network, and `lost` gets the error: `WouldBlock` if the system's buffer is full.
    pub fn send(
        &self,
        datagrams: &[coap::Transmit<UdpPeer>],
        mut lost: impl FnMut(UdpPeer, io::Error),
    ) {
        let mut left = datagrams;
        while let Some(first) = left.first() {
            let source = first.peer.local;
            let alike = left.iter().take_while(|next| next.peer.local == source);
            let alike: Vec<(SocketAddr, &[u8])> = alike
                .map(|transmit| (transmit.peer.remote, &transmit.bytes[..]))
                .collect();
            let sent = match batch::send(self.socket.as_raw_fd(), source, &alike) {
                Ok(sent) => sent.max(1),
                Err(error) => {
                    lost(first.peer, error);
                    1
                }
            };
            left = &left[sent..];
        }
    }
}

#[cfg(test)]
mod tests;
