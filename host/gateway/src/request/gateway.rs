//! The gateway: the way of a request to its response. Here `coap`, `runtime` and `homeserver` meet.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use super::access_log_entry::AccessLogEntry;
use super::conditions::{Conditions, EntityTags};
use super::error::GatewayError;
use super::held_bytes::HeldBytes;
use super::pending_exchange::{Dispatch, PendingExchange, Work};
use super::remembered::Remembered;
use super::response::Response;
use super::rule_execution::{self, Flow, Started};
use super::rule_fault::error_response;
use super::snapshot::{Snapshot, SnapshotCell};
use super::source::Request;
use super::txn_id::{Lifetimes, ReceivedMessage, TxnId, TxnIds, since_boot};
use super::txn_key::TxnKey;
use super::{admission, discovery, known_options, requested_path, routing, sent};
use crate::devices::Devices;
use crate::outbox::Deliveries;
use crate::telemetry::address_lines::{AddressLines, Notice};
use crate::telemetry::line_shares::LineShares;
use crate::telemetry::recorder::{Recorder, Resource};
use coap::{Message, code, option};
use contract::Peer;
use contract::clock::Clock;
use runtime::Revision;

/// State that all exchanges share.
pub struct Gateway {
    /// The current snapshot. Each exchange takes it once.
    pub snapshots: Arc<SnapshotCell>,
    /// The time of day that rules get.
    pub clock: Clock,
    /// Counts and recent exchanges, for the status page.
    pub recorder: Rc<Recorder>,
    /// The bytes that requests in progress hold.
    pub(crate) held_bytes: HeldBytes,
    pub(super) deliveries: Option<Deliveries>,
    pub(super) devices: Option<Devices>,
    /// The values of sticky options.
    pub(crate) remembered: Remembered,
    pub(super) txn_ids: TxnIds,
    entity_tags: EntityTags,
    pub(crate) line_shares: LineShares,
    pub(crate) address_lines: AddressLines,
}

/// The resource of a request, as far as routing has found it.
struct Route {
    resource: Resource,
    /// The revision that was called.
    rule: Option<Arc<Revision>>,
}

impl Gateway {
    /// A gateway that serves the current snapshot, by the system's clock. `txn_key`: of its transaction ids.
    #[must_use]
    pub fn new(snapshots: Arc<SnapshotCell>, txn_key: TxnKey) -> Self {
        Self {
            snapshots,
            clock: Clock::system(),
            recorder: Rc::default(),
            held_bytes: HeldBytes::default(),
            deliveries: None,
            devices: None,
            remembered: Remembered::default(),
            txn_ids: TxnIds::new(txn_key),
            entity_tags: EntityTags::default(),
            line_shares: LineShares::default(),
            address_lines: AddressLines::default(),
        }
    }

    /// Whether a request from an unproven address may turn out to need a proof. Most need none: the check is quick.
    pub(crate) fn may_need_proof<P>(&self, request: &coap::Request<P>, device: &Peer) -> bool {
        let token = request.message.option(option::ACCESS_TOKEN);
        token.is_none() && self.snapshots.load().upstreams.may_need_proof(device)
    }

    /// Processes a request as far as it comes without waiting. Every request gets a response, errors included.
    pub fn dispatch(&self, mut request: Request) -> Dispatch {
        // The exchange keeps this snapshot, also after a reload.
        let snapshot = self.snapshots.load();
        // First, so that the log shows the path of the resource.
        let resolved = snapshot
            .local_names
            .resolve(&mut request.message, request.peer.local)
            .and_then(|()| requested_path::resolve(&mut request.message, &snapshot.rules));
        let log_entry = AccessLogEntry::new(&request);
        let conditions = Conditions::of(&request.message);
        let mut route = Route {
            resource: Resource::Unknown,
            rule: None,
        };
        let started = resolved.and_then(|()| self.start(&snapshot, request, &mut route));
        let Route { resource, rule } = route;
        let rule = rule.as_deref();
        match started {
            Ok(Started::Waiting(execution, action)) => PendingExchange::of(
                Work::Rule(execution, action),
                log_entry,
                resource,
                conditions,
            ),
            Ok(Started::Sent(request)) => {
                PendingExchange::of(Work::Sent(request), log_entry, resource, conditions)
            }
            Ok(Started::NeedsProof) => Dispatch::NeedsProof,
            Ok(Started::Ended(mut response)) => {
                response.message = conditions.apply(&self.entity_tags, response.message);
                self.record(log_entry, &resource, rule, None, &response.message);
                Dispatch::Done(response)
            }
            Err(error) => {
                self.count_if_busy(&error);
                let response = error_response(rule, &error);
                self.record(log_entry, &resource, rule, None, &response);
                Dispatch::Done(response.into())
            }
        }
    }

    /// Makes the homeserver calls of a pending exchange until the rule replies, or looks into the store.
    pub async fn finish(&self, pending: Box<PendingExchange>) -> Response {
        let PendingExchange {
            log_entry,
            resource,
            conditions,
            work,
        } = *pending;
        let (mut execution, action) = match work {
            Work::Rule(execution, action) => (execution, action),
            Work::Sent(request) => {
                let result = request.respond(self.deliveries.as_ref()).await;
                let mut response = result.unwrap_or_else(|error| error.response().into());
                response.message = conditions.apply(&self.entity_tags, response.message);
                self.record(log_entry, &resource, None, None, &response.message);
                return response;
            }
        };
        let result = execution.finish(action).await;
        let rule = Some(execution.revision());
        let mut response = result.unwrap_or_else(|error| error_response(rule, &error).into());
        response.message = conditions.apply(&self.entity_tags, response.message);
        if let Some((address, owner)) = execution.refused_address() {
            let now = Instant::now();
            self.address_lines.log(now, Notice::NoToken, address, owner);
        }
        let upstream = execution.last_outcome();
        self.record(log_entry, &resource, rule, upstream, &response.message);
        response
    }

    /// Processes a request to its end.
    pub async fn respond(&self, request: Request) -> Response {
        match self.dispatch(request) {
            Dispatch::Done(response) => response,
            Dispatch::Pending(pending) => self.finish(pending).await,
            Dispatch::NeedsProof => {
                unreachable!("only devices with a proven address are processed to the end")
            }
        }
    }

    /// Gives a notification the ETag that its representation has in a response to GET, so that a device can validate it
    /// (RFC 7252 §5.10.6.2).
    pub(crate) fn set_entity_tag(&self, notification: &mut Message) {
        self.entity_tags.set(notification);
    }

    /// The response to a request that the gateway cannot process now, and its log line.
    #[must_use]
    pub fn reject(&self, request: &Request, error: &GatewayError) -> Message {
        self.count_if_busy(error);
        let response = error.response();
        let log_entry = AccessLogEntry::new(request);
        self.record(log_entry, &Resource::Unknown, None, None, &response);
        response
    }

    /// The log line and the counts of a handshake of EDHOC, which no rule has a part in.
    pub(crate) fn record_handshake(&self, request: &Request, response: &Message) {
        let log_entry = AccessLogEntry::new(request);
        self.record(log_entry, &Resource::Handshake, None, None, response);
    }

    fn count_if_busy(&self, error: &GatewayError) {
        if matches!(error, GatewayError::Busy) {
            self.recorder.count_refused_body();
        }
    }

    /// Finds the request's resource, and starts its rule. `route` gets the resource and the rule as they are found.
    fn start(
        &self,
        snapshot: &Arc<Snapshot>,
        mut request: Request,
        route: &mut Route,
    ) -> Result<Started, GatewayError> {
        let message = &request.message;
        admission::check_hop_limit(message)?;
        let path = routing::path(message)?;
        let Snapshot {
            rules,
            disabled,
            upstreams,
            ..
        } = &**snapshot;
        if discovery::is_meant(&path) {
            known_options::check_none(message)?;
            route.resource = Resource::Discovery;
            let has_edhoc = self.devices.as_ref().is_some_and(Devices::have_key_pair);
            let links = discovery::respond(message, rules, disabled, has_edhoc)?;
            return Ok(Started::Ended(links.into()));
        }
        if request.multicast {
            return Err(GatewayError::NotFound);
        }
        if let Some(id) = sent::id(&path, disabled) {
            known_options::check_none(message)?;
            route.resource = Resource::Sent;
            return sent::admit(&request, id).map(Started::Sent);
        }
        snapshot
            .rights
            .check(&request.peer.device, message.code, &path)?;
        let (revision, found) = routing::find(message, &path, rules, disabled)?;
        route.resource = Resource::Link(revision.clone(), found.link);
        admission::check_size(request.message.payload.len(), revision)?;
        let known = revision.known_options();
        known_options::check(&mut request.message, known)?;
        let remembered = self.remembered.of(&request.peer, revision);
        if let Some(remembered) = &remembered {
            remembered.apply(known, &mut request.message);
        }
        let homeserver_of = |origin: &_| upstreams.find(origin);
        let now = since_boot();
        let coap = &snapshot.limits.coap;
        let lifetimes = Lifetimes {
            confirmable: coap.exchange_lifetime,
            non_confirmable: coap.non_lifetime,
        };
        let TxnId { text, received } = self.txn_ids.of(now, &request, lifetimes);
        let Request {
            peer,
            message,
            observes,
            ..
        } = request;
        let admitted = admission::admit(message, found, revision, observes, homeserver_of)?;
        let revision = route.rule.insert(revision.clone());
        let identity = received.as_ref().map(ReceivedMessage::identity);
        let started = rule_execution::start(
            snapshot,
            self.clock,
            Flow {
                id: text,
                deliveries: self.deliveries.clone().zip(identity),
                sessions: self.sessions().cloned(),
                remembered: remembered.clone(),
            },
            revision,
            &self.held_bytes,
            &peer,
            admitted,
        )?;
        if let (Started::Ended(response), Some(remembered)) = (&started, &remembered)
            && response.message.code == code::BAD_OPTION
        {
            remembered.forget_values();
        }
        if let (Started::Waiting(..), Some(received)) = (&started, received) {
            self.txn_ids.remember(now, received);
        }
        Ok(started)
    }

    /// Writes the exchange's log line, and counts it. `rule`: the revision that was called. `upstream`: the last
    /// homeserver status, or the reason why there was none.
    pub(super) fn record(
        &self,
        log_entry: AccessLogEntry,
        resource: &Resource,
        rule: Option<&Revision>,
        upstream: Option<&str>,
        response: &Message,
    ) {
        let ended = log_entry.end(&self.line_shares, resource, rule, upstream, response);
        let snapshot = self.snapshots.load();
        self.recorder.ended(&snapshot.rules, &ended);
    }
}
