//! The endpoint of the gateway: it protects the messages of devices with security contexts (OSCORE, RFC 8613).

use coap::{Endpoint, FirstBlock, Incoming};
use secure::oscore::{Contexts, Verified};
use transport::UdpPeer;

/// Security contexts: as many as devices can be enrolled.
const MOST: usize = 10_000;

/// The endpoint.
pub(crate) type DeviceEndpoint = Endpoint<UdpPeer, Contexts>;
/// A request at it.
pub(crate) type DeviceRequest = Incoming<UdpPeer, Verified>;
/// The first block of one.
pub(crate) type DeviceBlock = FirstBlock<UdpPeer, Verified>;

/// No contexts yet.
pub(crate) fn contexts() -> Contexts {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)
        .unwrap_or_else(|error| panic!("no random numbers from the system: {error}"));
    Contexts::new(MOST, seed)
}
