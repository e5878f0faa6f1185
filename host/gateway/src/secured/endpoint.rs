//! The endpoint of the gateway: it protects the messages of devices with security contexts (OSCORE, RFC 8613), which
//! those with key pairs make themselves (EDHOC, RFC 9528).

use std::sync::Arc;

use coap::{Endpoint, FirstBlock, Incoming};
use secure::edhoc::{Protection, Responder};
use secure::oscore::{Contexts, Verified};
use transport::UdpPeer;

use crate::devices::EdhocRing;

/// Security contexts: as many as devices can be enrolled, and for a moment the new one of a device beside its former
/// one.
const MOST: usize = 20_001;

/// The endpoint.
pub(crate) type DeviceEndpoint = Endpoint<UdpPeer, Protection>;
/// A request at it.
pub(crate) type DeviceRequest = Incoming<UdpPeer, Verified>;
/// The first block of one.
pub(crate) type DeviceBlock = FirstBlock<UdpPeer, Verified>;

/// No contexts and no handshakes yet, of devices with these credentials.
pub(crate) fn protection(public_keys: Arc<EdhocRing>) -> Protection {
    Protection::new(
        Contexts::new(MOST),
        Responder::new(public_keys, Box::new(fill)),
    )
}

fn fill(bytes: &mut [u8]) {
    getrandom::fill(bytes)
        .unwrap_or_else(|error| panic!("no random numbers from the system: {error}"));
}
