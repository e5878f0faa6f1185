//! The identity of a peer, as the caller of an endpoint names it.

use std::hash::Hash;
use std::net::SocketAddr;

use crate::network::Host;

/// Identifies a peer: an address pair, or a security association (RFC 7252 §1.2, "Endpoint"). Message IDs, tokens and
/// block-wise bodies belong to one peer.
///
/// ```
/// use comatrix_coap::PeerId;
///
/// #[derive(Clone, PartialEq, Eq, Hash)]
/// struct Session {
///     id: u64,
///     is_authenticated: bool,
/// }
///
/// impl PeerId for Session {
///     fn has_proven_address(&self) -> bool {
///         self.is_authenticated
///     }
/// }
/// ```
pub trait PeerId: Clone + Eq + Hash {
    /// Whether the transport has proven that the peer receives at its address: by the cookie of a DTLS handshake
    /// (RFC 6347 §4.2.1, RFC 9147 §5.1), for example. The endpoint does not limit the bytes that it sends to such a
    /// peer, and sends no Echo and no ping to it. `false` if not implemented: the endpoint validates the address itself
    /// (RFC 9175 §2.4).
    fn has_proven_address(&self) -> bool {
        false
    }

    /// The host of the peer. Peers of one host, which differ in their port, share what one host may take. None if not
    /// implemented: each peer is a host of its own.
    fn host(&self) -> Option<Host> {
        None
    }

    /// Size exponent of the largest block that may go to the peer (RFC 7959 §2.2): 2 for blocks of 64 bytes, toward a
    /// device whose datagrams have 200. No bound of its own if not implemented.
    fn largest_block(&self) -> u8 {
        crate::block::MAX_SIZE_EXPONENT
    }
}

// Addresses of UDP, with and without the local one.
impl PeerId for SocketAddr {
    fn host(&self) -> Option<Host> {
        Some(Host::from(*self))
    }
}

impl PeerId for (SocketAddr, SocketAddr) {
    fn host(&self) -> Option<Host> {
        self.0.host()
    }
}

macro_rules! hosts_of_their_own {
    ($($type:ty),+) => { $(impl PeerId for $type {})+ };
}

// Numbers and names, for tests and simulations.
hosts_of_their_own!(u8, u16, u32, u64, &str);
