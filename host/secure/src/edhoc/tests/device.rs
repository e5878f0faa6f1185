//! A device, honest or not.

use super::*;
use crate::cbor;

/// Has sent message_1 to a gateway, and verified its message_2.
pub(super) struct Device {
    pub(super) verified: Verified,
}

/// The payload of message_1.
pub(super) fn message_1(seed: u8) -> (Initiator, Vec<u8>) {
    let (initiator, message_1) =
        Initiator::begin(identifier(&[7]), &mut random(seed)).expect("a key");
    (initiator, [&[0xf5][..], &message_1].concat())
}

impl Device {
    /// A handshake up to message_2.
    pub(super) fn begin(gateway: &mut Protection, from: &From, identity: &Identity) -> Self {
        let (initiator, payload) = message_1(50);
        let (response, refusal) = handle(gateway, from, &payload);
        assert_eq!(refusal, None);
        let own = gateway_identity();
        let verified = initiator.verify(identity, own.ccs(), &response.payload);
        Self {
            verified: verified.expect("the gateway is authentic"),
        }
    }

    /// The payload that brings this message_3 to the resource.
    pub(super) fn with_c_r(&self, message_3: &[u8]) -> Vec<u8> {
        let mut payload = Vec::new();
        cbor::bytes(&mut payload, self.verified.c_r.as_bytes());
        payload.extend_from_slice(message_3);
        payload
    }
}
