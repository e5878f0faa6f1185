//! The judgement of a request with the first block of its body: what its options, its path and the rights of its device
//! forbid is refused before the device has sent the rest.

use std::sync::Arc;
use std::time::Instant;

use super::access_log_entry::AccessLogEntry;
use super::error::GatewayError;
use super::gateway::Gateway;
use super::snapshot::Snapshot;
use super::source::{Request, Source};
use super::{admission, discovery, known_options, requested_path, routing, sent};
use crate::telemetry::address_lines::Notice;
use crate::telemetry::recorder::Resource;
use homeserver::{Caller, MissingToken};

impl Gateway {
    /// Judges a request without its body, which has so many bytes if its device announces them (Size1).
    ///
    /// # Errors
    /// The error response, which the log has then.
    pub(crate) fn judge(
        &self,
        mut request: Request,
        announced: Option<u32>,
    ) -> Result<(), coap::Message> {
        let snapshot = self.snapshots.load();
        let mut resource = Resource::Unknown;
        let local = request.peer.local;
        let resolved = snapshot
            .local_names
            .resolve(&mut request.message, local)
            .and_then(|()| requested_path::resolve(&mut request.message, &snapshot.rules));
        let judged =
            resolved.and_then(|()| self.check(&snapshot, (&mut request, announced), &mut resource));
        judged.map_err(|error| {
            let response = error.response();
            let log_entry = AccessLogEntry::new(&request);
            self.record(log_entry, &resource, None, None, &response);
            response
        })
    }

    fn check(
        &self,
        snapshot: &Arc<Snapshot>,
        (request, announced): (&mut Request, Option<u32>),
        resource: &mut Resource,
    ) -> Result<(), GatewayError> {
        let message = &request.message;
        admission::check_hop_limit(message)?;
        let path = routing::path(message)?;
        let upstreams = &snapshot.upstreams;
        if discovery::is_meant(&path) {
            known_options::check_none(message)?;
            *resource = Resource::Discovery;
            return Ok(());
        }
        if let Some(id) = sent::id(&path, &snapshot.disabled) {
            known_options::check_none(message)?;
            *resource = Resource::Sent;
            return sent::admit(request, id).map(drop);
        }
        snapshot
            .rights
            .check(&request.peer.device, message.code, &path)?;
        let (revision, found) = routing::find(message, &path, &snapshot.rules, &snapshot.disabled)?;
        *resource = Resource::Link(revision.clone(), found.link);
        let link = &revision.description().links[usize::from(found.link)];
        let announced = announced.and_then(|bytes| usize::try_from(bytes).ok());
        admission::check_size(announced.unwrap_or_default(), revision)?;
        // The requests for the other blocks may leave sticky options out.
        let known = revision.known_options();
        known_options::check(&mut request.message, known)?;
        if let Some(remembered) = self.remembered.of(&request.peer, revision) {
            remembered.apply(known, &mut request.message);
        }
        let checked = admission::check(&request.message, link, |origin| upstreams.find(origin))?;
        if !revision.needs_token(found.link) {
            return Ok(());
        }
        let Source {
            device,
            owner,
            facts,
            ..
        } = &request.peer;
        let sessions = self.sessions().filter(|_| checked.token.is_none());
        let session = sessions
            .and_then(|sessions| sessions.find(device, checked.homeserver.as_ref(), upstreams));
        let caller = Caller {
            peer: device.clone(),
            owner: *owner,
            is_proven: facts.is_proven,
            session,
            token: checked.token,
            requested: checked.homeserver,
        };
        match upstreams.missing_token(&caller) {
            None => return Ok(()),
            Some(MissingToken::NotConfigured) => {}
            Some(MissingToken::Address) => {
                let address = caller.peer.ip();
                let now = Instant::now();
                self.address_lines
                    .log(now, Notice::NoToken, address, *owner);
            }
        }
        Err(GatewayError::NoToken)
    }
}
