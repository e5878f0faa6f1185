//! Plain UDP: batched receive, and answers that leave from the address their request came to.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};

use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;

/// Bytes of the kernel's buffers: 512 devices that answer a multicast or a power cut at once, 2 KiB each as the kernel
/// counts them. The kernel may grant less.
const SOCKET_BUFFER: usize = 1 << 20;
/// Bytes of one receive buffer. The kernel may hand over several datagrams of a peer as one.
const RECEIVE_BUFFER: usize = 1 << 16;

/// A device: its address, and the gateway's address that it speaks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UdpPeer {
    /// The device.
    pub remote: SocketAddr,
    /// The gateway's address, where it listens on several and the system tells which one was meant.
    pub local: Option<IpAddr>,
}

/// The gateway cannot listen.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on udp {address}: {cause}; {remedy}")]
pub struct BindError {
    address: SocketAddr,
    cause: io::Error,
    remedy: &'static str,
}

impl BindError {
    fn new(address: SocketAddr, cause: io::Error) -> Self {
        let remedy = match cause.kind() {
            io::ErrorKind::AddrInUse => {
                "another program has this port: end it, or choose another with --port"
            }
            io::ErrorKind::AddrNotAvailable => {
                "no interface of this machine has this address: `ip addr` lists them"
            }
            io::ErrorKind::PermissionDenied => {
                "ports below 1024 need privileges: choose another with --port"
            }
            _ => "choose another address with --ip",
        };
        Self {
            address,
            cause,
            remedy,
        }
    }

    /// The machine has no such address family.
    #[must_use]
    pub fn is_unsupported(&self) -> bool {
        // EAFNOSUPPORT has no kind of its own.
        self.cause.raw_os_error() == Some(97)
            || self.cause.kind() == io::ErrorKind::AddrNotAvailable
    }
}

/// A bound socket.
pub struct UdpTransport {
    socket: UdpSocket,
    state: UdpSocketState,
    /// Whether it listens on one address only: answers leave from it anyway, without the kernel being told each time.
    has_one_address: bool,
    buffers: Vec<Vec<u8>>,
    received: [RecvMeta; BATCH_SIZE],
}

impl UdpTransport {
    /// Binds; `[::]` takes IPv4 as well.
    ///
    /// # Errors
    /// [`BindError`] with the remedy.
    pub fn bind(address: SocketAddr) -> Result<Self, BindError> {
        Self::open(address).map_err(|cause| BindError::new(address, cause))
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
        socket.set_nonblocking(true)?;
        socket.set_recv_buffer_size(SOCKET_BUFFER)?;
        socket.set_send_buffer_size(SOCKET_BUFFER)?;
        socket.bind(&address.into())?;
        let socket = UdpSocket::from_std(socket.into())?;
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        // Untouched pages cost no memory.
        let buffers = vec![vec![0; RECEIVE_BUFFER]; BATCH_SIZE];
        Ok(Self {
            socket,
            state,
            has_one_address: !address.ip().is_unspecified(),
            buffers,
            received: [RecvMeta::default(); BATCH_SIZE],
        })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The system's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Waits until a datagram may be there.
    ///
    /// # Errors
    /// The system's.
    pub async fn readable(&self) -> io::Result<()> {
        self.socket.readable().await
    }

    /// Hands each datagram that is there, up to a batch, to `take`. Returns whether there may be more.
    ///
    /// # Errors
    /// The system's, for example an ICMP error of an earlier datagram.
    pub fn receive(&mut self, mut take: impl FnMut(UdpPeer, &[u8])) -> io::Result<bool> {
        let mut slices = self
            .buffers
            .iter_mut()
            .map(|buffer| IoSliceMut::new(buffer));
        let mut slices: [IoSliceMut<'_>; BATCH_SIZE] = std::array::from_fn(|_| {
            slices
                .next()
                .unwrap_or_else(|| unreachable!("there is a buffer for each slot"))
        });
        let count = match self.socket.try_io(tokio::io::Interest::READABLE, || {
            self.state.recv(
                UdpSockRef::from(&self.socket),
                &mut slices,
                &mut self.received,
            )
        }) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error),
        };
        for (buffer, meta) in slices.iter().zip(&self.received).take(count) {
            let peer = UdpPeer {
                remote: meta.addr,
                local: meta.dst_ip.filter(|_| !self.has_one_address),
            };
            if meta.len == 0 {
                take(peer, &[]);
                continue;
            }
            for datagram in buffer[..meta.len].chunks(meta.stride.max(1)) {
                take(peer, datagram);
            }
        }
        Ok(count == BATCH_SIZE)
    }

    /// Sends a datagram.
    ///
    /// # Errors
    /// The system's; `WouldBlock` where its buffer is full. The datagram is lost then, as any can be.
    pub fn send(&self, peer: UdpPeer, datagram: &[u8]) -> io::Result<()> {
        let transmit = Transmit {
            destination: peer.remote,
            ecn: None,
            contents: datagram,
            segment_size: None,
            src_ip: peer.local,
        };
        self.state
            .try_send(UdpSockRef::from(&self.socket), &transmit)
    }
}
