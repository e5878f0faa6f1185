//! Requests in blocks, of which the first one is there: they are judged before their devices send the rest.

use crate::dispatcher::Dispatcher;
use crate::request::GatewayError;
use crate::secured::{DeviceBlock, handshakes};
use share::Owner;

impl Dispatcher<'_> {
    /// Lets a device send the rest of its request, or refuses it.
    pub(crate) fn judge(&mut self, owner: Owner, first: DeviceBlock) {
        if handshakes::is_meant(&first.request.message) {
            // It is short whatever comes, and may be in blocks for a device with small datagrams.
            return self.endpoint.continue_body(first);
        }
        let request = first.request.clone();
        let verified = first.protection.as_ref();
        let request = request.map_peer(|peer| self.source(owner, peer, verified));
        let judged = match self.draining {
            true => Err(self.gateway.reject(&request, &GatewayError::Draining)),
            false => self.gateway.judge(request, first.announced),
        };
        match judged {
            Ok(()) => self.endpoint.continue_body(first),
            Err(response) => self.endpoint.refuse_body(first, response),
        }
    }
}
