//! Handshakes that end because what they began with is void.

use coap::PeerId;

use super::method::Method;
use super::recorder::Claim;
use super::server::Server;
use super::slot::Handshake;

impl<P: PeerId> Server<P> {
    /// Ends the handshakes of all devices with certificates: one may be complete but for a message, and its authority
    /// may be one no longer. Their devices begin again.
    pub fn end_certificate_handshakes(&mut self) {
        self.end_handshakes(|handshake| handshake.connection.method == Method::Certificate);
    }

    /// Ends the handshakes of a device whose key has changed: they began with the former one.
    pub(super) fn end_handshakes_of(&mut self, principal: &str) {
        self.end_handshakes(|handshake| {
            let by_key =
                matches!(&handshake.claim, Some(Claim::Device(name)) if **name == *principal);
            by_key || handshake.certified.as_deref() == Some(principal)
        });
    }

    fn end_handshakes(&mut self, is_void: impl Fn(&Handshake) -> bool) {
        let slots = self.slots.iter().filter(|(_, slot)| {
            let handshake = slot.handshake.as_deref();
            handshake.is_some_and(&is_void)
        });
        for peer in slots.map(|(peer, _)| peer.clone()).collect::<Vec<_>>() {
            self.end_handshake(&peer);
            self.tidy(&peer);
        }
    }
}
