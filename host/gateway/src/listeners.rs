//! The sockets of the event loop.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::task::Poll;

use coap::Transmit;
use transport::{Cast, UdpPeer, UdpTransport};

/// Batches received from one socket per turn of the event loop: under a flood, responses must still leave.
const BATCHES_PER_TURN: usize = 4;

/// The sockets. The index of each is the `UdpPeer::listener` of its peers: so a response leaves by the socket of its
/// request.
pub(crate) struct Listeners(Vec<UdpTransport>);

impl Listeners {
    /// Numbers the sockets. There are at most 256: one for each address of the configuration.
    pub(crate) fn new(mut transports: Vec<UdpTransport>) -> Self {
        for (index, transport) in (0..=u8::MAX).zip(&mut transports) {
            transport.set_listener(index);
        }
        Self(transports)
    }

    /// Adds a socket, and returns its index.
    pub(crate) fn add(&mut self, mut transport: UdpTransport) -> u8 {
        let index = u8::try_from(self.0.len()).unwrap_or(u8::MAX);
        transport.set_listener(index);
        self.0.push(transport);
        index
    }

    /// The addresses that the sockets are bound to, by their index.
    pub(crate) fn local_addresses(&self) -> Vec<Option<SocketAddr>> {
        self.0
            .iter()
            .map(|transport| transport.local_addr().ok())
            .collect()
    }

    /// Waits until a socket may have a datagram. While the gateway drains, it does not read a socket of the service
    /// manager: the requests wait there for the next gateway.
    pub(crate) async fn readable(&self, draining: bool) -> io::Result<()> {
        poll_fn(|context| {
            for transport in self.active(draining) {
                if let Poll::Ready(ready) = transport.poll_readable(context) {
                    return Poll::Ready(ready);
                }
            }
            Poll::Pending
        })
        .await
    }

    /// Passes the datagrams of one turn to `take`. Returns whether there may be more.
    ///
    /// # Errors
    /// A socket error, for example an ICMP error for an earlier datagram.
    pub(crate) fn receive(
        &mut self,
        draining: bool,
        mut take: impl FnMut(UdpPeer, Cast, &[u8]),
    ) -> io::Result<bool> {
        let mut is_more = false;
        for transport in &mut self.0 {
            if is_paused(transport, draining) {
                continue;
            }
            let mut batches = 0;
            while batches < BATCHES_PER_TURN && transport.receive(&mut take)? {
                batches += 1;
            }
            is_more |= batches == BATCHES_PER_TURN;
        }
        Ok(is_more)
    }

    /// Sends each datagram by the socket of its peer. If the system does not send a datagram, it is lost as in the
    /// network: CoAP retransmits the confirmable ones.
    pub(crate) fn send(&self, batch: &[Transmit<UdpPeer>]) {
        // One call per run of datagrams with the same socket: with one socket, one call for all.
        for same_socket in batch.chunk_by(|one, next| one.peer.listener == next.peer.listener) {
            let listener = same_socket.first().map_or(0, |first| first.peer.listener);
            if let Some(transport) = self.0.get(usize::from(listener)) {
                transport.send(same_socket, |peer, error| {
                    tracing::debug!("a datagram to {} is lost: {error}", peer.remote);
                });
            }
        }
    }

    fn active(&self, draining: bool) -> impl Iterator<Item = &UdpTransport> {
        let transports = self.0.iter();
        transports.filter(move |transport| !is_paused(transport, draining))
    }
}

/// Whether the gateway has stopped reading this socket: the service manager passes it to the next gateway.
fn is_paused(transport: &UdpTransport, draining: bool) -> bool {
    draining && transport.is_handed_over()
}
