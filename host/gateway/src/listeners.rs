//! The sockets that the event loop serves.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::task::Poll;

use coap::Transmit;
use transport::{Cast, UdpPeer, UdpTransport};

/// Batches received of one socket before responses are sent: under a flood, responses must still leave.
const BATCHES_PER_TURN: usize = 4;

/// The sockets, each with its place in this list as `UdpPeer::listener`, so that a response leaves by the socket of its request.
pub(crate) struct Listeners(Vec<UdpTransport>);

impl Listeners {
    /// At most 255 sockets: there is one for each address of the configuration.
    pub(crate) fn new(mut transports: Vec<UdpTransport>) -> Self {
        for (place, transport) in (0..=u8::MAX).zip(&mut transports) {
            transport.set_listener(place);
        }
        Self(transports)
    }

    /// The addresses that they are bound to, in their order.
    pub(crate) fn local_addresses(&self) -> Vec<Option<SocketAddr>> {
        self.0
            .iter()
            .map(|transport| transport.local_addr().ok())
            .collect()
    }

    /// Waits until a datagram may be there. While the gateway drains, a socket that outlives it is left alone: its requests wait
    /// there for the next gateway.
    pub(crate) async fn readable(&self, draining: bool) -> io::Result<()> {
        poll_fn(|context| {
            for transport in self.served(draining) {
                if let Poll::Ready(ready) = transport.poll_readable(context) {
                    return Poll::Ready(ready);
                }
            }
            Poll::Pending
        })
        .await
    }

    /// Hands over the datagrams that are there, a turn's worth of each socket. Returns whether there may be more.
    ///
    /// # Errors
    /// The system's, for example an ICMP error of an earlier datagram.
    pub(crate) fn receive(
        &mut self,
        draining: bool,
        mut take: impl FnMut(UdpPeer, Cast, &[u8]),
    ) -> io::Result<bool> {
        let mut is_more = false;
        for transport in &mut self.0 {
            if is_left_alone(transport, draining) {
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

    /// Sends each datagram by the socket of its peer. A datagram that the system refuses is lost like one on the way: CoAP repeats
    /// those that matter.
    pub(crate) fn send(&self, batch: &[Transmit<UdpPeer>]) {
        // Neighbours leave together: with one socket, all of them.
        for same_socket in batch.chunk_by(|one, next| one.peer.listener == next.peer.listener) {
            let listener = same_socket.first().map_or(0, |first| first.peer.listener);
            if let Some(transport) = self.0.get(usize::from(listener)) {
                transport.send(same_socket, |peer, error| {
                    tracing::debug!("no datagram to {}: {error}", peer.remote);
                });
            }
        }
    }

    fn served(&self, draining: bool) -> impl Iterator<Item = &UdpTransport> {
        let transports = self.0.iter();
        transports.filter(move |transport| !is_left_alone(transport, draining))
    }
}

fn is_left_alone(transport: &UdpTransport, draining: bool) -> bool {
    draining && transport.is_handed_over()
}
