//! `/.well-known/edhoc` (RFC 9528 Appendix A.2) on the plain port, and the security contexts that devices agree on
//! there or with their first request (RFC 9668).

use std::time::Instant;

use coap::{Message, PeerId, option};
use secure::edhoc::{From, Handled, PATH};
use share::Owner;

use super::endpoint::DeviceRequest;
use super::lines;
use crate::dispatcher::Dispatcher;
use crate::request::GatewayError;

/// Whether a request is for the resource. One to a proxy is not.
pub(crate) fn is_meant(request: &Message) -> bool {
    let has = |number| request.option(number).is_some();
    let path = request.options(option::URI_PATH);
    path.eq(PATH.map(str::as_bytes)) && !has(option::PROXY_URI) && !has(option::PROXY_SCHEME)
}

impl Dispatcher<'_> {
    /// Handles a request to the resource. Returns any other one, and one that has come protected already.
    pub(crate) fn handshake(
        &mut self,
        owner: Owner,
        incoming: DeviceRequest,
    ) -> Option<DeviceRequest> {
        let request = &incoming.request;
        let is_plain = incoming.protection.is_none() && request.peer.session.is_none();
        if !is_plain || request.multicast || !is_meant(&request.message) {
            return Some(incoming);
        }
        let now = Instant::now();
        let from = From {
            owner,
            host: request.peer.host(),
            is_proven: self.endpoint.is_proven(now, &request.peer),
        };
        let protection = self.endpoint.protection_mut();
        let handled = match self.draining {
            true => Some(Handled::Response(GatewayError::Draining.response(), None)),
            false => protection.handle(now, &from, &request.message),
        };
        let (response, refusal) = match handled {
            None => return Some(incoming),
            Some(Handled::Response(response, refusal)) => (response, refusal),
            Some(Handled::NeedsProof) => {
                // It comes again when the address is proven.
                let incoming = self.endpoint.prove_then(now, incoming)?;
                return self.handshake(owner, incoming);
            }
        };
        self.take_agreed();
        let (id, peer) = (incoming.id, incoming.request.peer);
        if let Some(refusal) = refusal {
            lines::log_edhoc(&self.gateway.address_lines, now, owner, &peer, refusal);
        }
        let source = self.source(owner, peer, None);
        let request = incoming.request.map_peer(|_| source);
        self.gateway.record_handshake(&request, &response);
        self.endpoint.respond(now, id, response);
        None
    }

    /// Takes the contexts that devices have agreed on since the last call: their former ones end.
    pub(crate) fn take_agreed(&mut self) {
        while let Some(agreed) = self.endpoint.protection_mut().poll_agreed() {
            tracing::debug!("{} has a security context by EDHOC", agreed.principal);
            let void = match self.gateway.devices() {
                Some(devices) => devices.agree(agreed),
                None => Some(agreed.kid()),
            };
            if let Some(kid) = void {
                self.endpoint.protection_mut().contexts.remove(kid);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use coap::code;

    #[test]
    fn the_resource_is_meant_by_its_path_unless_a_proxy_is() {
        let request = |path: &[&str]| {
            let post = Message::new(code::POST);
            path.iter().fold(post, |post, segment| {
                post.with_option(option::URI_PATH, *segment)
            })
        };
        assert!(is_meant(&request(&[".well-known", "edhoc"])));
        for path in [
            &[".well-known"][..],
            &["edhoc"],
            &[".well-known", "edhoc", ""],
            &[".well-known", "core"],
        ] {
            assert!(!is_meant(&request(path)), "{path:?}");
        }
        let proxied = request(&PATH).with_option(option::PROXY_URI, "http://h");
        assert!(!is_meant(&proxied));
    }
}
