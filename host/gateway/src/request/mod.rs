//! One exchange: a device's request, the rule that translates it, the homeserver calls that the rule asks for,
//! and the answer. The one place where `coap`, `rule` and `upstream` meet.

mod access_log_entry;
pub mod admission;
mod conditions;
mod discovery;
mod error;
mod local_authority;
pub mod policy;
pub mod proxy_uri;
pub mod reply;
mod response;
pub mod rule_execution;
mod snapshot;
mod txn_id;

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use crate::telemetry::recorder::{Recorder, Resource};
use access_log_entry::AccessLogEntry;
use coap::{self, MessageType, code, option};
use conditions::{Conditions, EntityTags};
use contract::Peer;
use contract::Step;
use contract::clock::Clock;
pub use error::GatewayError;
pub use local_authority::LocalNames;
pub use response::{ObserveRequest, Response, SideEffect};
pub use rule_execution::MAX_HOLD;
use rule_execution::{RuleExecution, Started};
use runtime::Revision;
pub use snapshot::{Snapshot, SnapshotCell};
use txn_id::TxnIdGenerator;

/// What every exchange shares.
pub struct Gateway {
    /// What an exchange is begun with.
    pub snapshots: Arc<SnapshotCell>,
    /// The time of day that rules are told.
    pub clock: Clock,
    /// What it has done.
    pub recorder: Rc<Recorder>,
    txn_ids: TxnIdGenerator,
    entity_tags: EntityTags,
}

/// A whole request and where it came from.
pub struct Request {
    /// The device.
    pub peer: Peer,
    /// The gateway's address and port that it came to, where that is known.
    pub local: Option<SocketAddr>,
    /// It came to a group: only discovery is answered.
    pub multicast: bool,
    /// CON or NON.
    pub message_type: MessageType,
    /// With its body whole.
    pub message: coap::Message,
    /// Whether it asks for an observation, and there is room for one.
    pub observes: bool,
    /// Bytes on the wire, of all its blocks.
    pub wire_bytes: usize,
}

/// How far an exchange came without waiting.
pub enum Dispatch {
    /// To its end.
    Done(Response),
    /// A homeserver is needed: [`Gateway::finish`].
    Pending(Box<PendingExchange>),
}

/// An exchange that waits for a homeserver.
pub struct PendingExchange {
    log_entry: AccessLogEntry,
    resource: Resource,
    conditions: Conditions,
    execution: Box<RuleExecution>,
    step: Step,
}

impl Gateway {
    /// A gateway that serves the current snapshot, by the system's clock.
    #[must_use]
    pub fn new(snapshots: Arc<SnapshotCell>) -> Self {
        Self {
            snapshots,
            clock: Clock::system(),
            recorder: Rc::default(),
            txn_ids: TxnIdGenerator::new(),
            entity_tags: EntityTags::default(),
        }
    }

    /// Processes a request as far as it comes without waiting. Every request gets a response, errors included.
    pub fn dispatch(&self, mut request: Request) -> Dispatch {
        // The exchange keeps this snapshot, also after a reload.
        let snapshot = self.snapshots.load();
        // First, so that the log shows the path that is meant.
        let resolved = snapshot
            .local_names
            .resolve(&mut request.message, request.local);
        let log_entry = AccessLogEntry::of(&request);
        let conditions = Conditions::of(&request.message);
        let mut route = Route {
            resource: Resource::Unknown,
            rule: None,
        };
        let started = resolved.and_then(|()| self.start(&snapshot, request, &mut route));
        let Route { resource, rule } = route;
        let rule = rule.as_deref();
        match started {
            Ok(Started::Waiting(execution, step)) => Dispatch::Pending(Box::new(PendingExchange {
                log_entry,
                resource,
                conditions,
                execution,
                step,
            })),
            Ok(Started::Ended(mut response)) => {
                response.message = conditions.apply(&self.entity_tags, response.message);
                log_entry.end(self, &resource, rule, None, &response.message);
                Dispatch::Done(response)
            }
            Err(error) => {
                let response = error_response(rule, &error);
                log_entry.end(self, &resource, rule, None, &response);
                Dispatch::Done(response.into())
            }
        }
    }

    /// Makes the homeserver calls of a pending exchange until the rule replies.
    pub async fn finish(&self, pending: Box<PendingExchange>) -> Response {
        let PendingExchange {
            log_entry,
            resource,
            conditions,
            mut execution,
            step,
        } = *pending;
        let result = execution.finish(step).await;
        let rule = Some(execution.revision());
        let mut response = result.unwrap_or_else(|error| error_response(rule, &error).into());
        response.message = conditions.apply(&self.entity_tags, response.message);
        log_entry.end(
            self,
            &resource,
            rule,
            execution.last_outcome(),
            &response.message,
        );
        response
    }

    /// Processes a request to its end.
    pub async fn respond(&self, request: Request) -> Response {
        match self.dispatch(request) {
            Dispatch::Done(response) => response,
            Dispatch::Pending(pending) => self.finish(pending).await,
        }
    }

    /// The response to a request that the gateway cannot process now, and its log line.
    #[must_use]
    pub fn refuse(&self, request: &Request, error: &GatewayError) -> coap::Message {
        if matches!(error, GatewayError::Busy) {
            self.recorder.refused_busy();
        }
        let response = error.response();
        AccessLogEntry::of(request).end(self, &Resource::Unknown, None, None, &response);
        response
    }

    /// Finds the request's resource, and lets its rule begin. `route` becomes what was found on the way.
    fn start(
        &self,
        snapshot: &Arc<Snapshot>,
        request: Request,
        route: &mut Route,
    ) -> Result<Started, GatewayError> {
        let Request {
            peer,
            multicast,
            message,
            observes,
            ..
        } = request;
        admission::check_hop_limit(&message)?;
        let path = admission::path(&message)?;
        if admission::is_discovery(&path) {
            route.resource = Resource::Discovery;
            admission::admit_discovery(&message)?;
            return Ok(Started::Ended(discover(snapshot, &message)?.into()));
        }
        if multicast {
            return Err(GatewayError::NotFound);
        }
        let Snapshot {
            rules,
            disabled,
            upstreams,
            ..
        } = &**snapshot;
        let (revision, found) = admission::find(&message, &path, rules, disabled)?;
        route.resource = Resource::Link(revision.clone(), found.link);
        let homeserver_of = |origin: &_| upstreams.find(origin);
        let admitted = admission::admit(message, found, revision, observes, homeserver_of)?;
        let revision = route.rule.insert(revision.clone());
        let flow_id = self.txn_ids.next();
        rule_execution::start(snapshot, self.clock, flow_id, revision, &peer, admitted)
    }
}

fn discover(service: &Snapshot, request: &coap::Message) -> Result<coap::Message, GatewayError> {
    let filters: Vec<&str> = request
        .options(option::URI_QUERY)
        .map(|query| std::str::from_utf8(query).map_err(|_| GatewayError::UriPath))
        .collect::<Result<_, _>>()?;
    let links = discovery::core(&service.rules, &service.disabled, &filters);
    Ok(coap::Message::new(code::CONTENT)
        .with_uint_option(option::CONTENT_FORMAT, discovery::LINK_FORMAT.into())
        .with_payload(links))
}

/// The resource that a request means, as far as it was found.
struct Route {
    resource: Resource,
    /// The revision that was called.
    rule: Option<Arc<Revision>>,
}

/// The response to an exchange that ended with an error. A rule's fault is for the operator: it is logged.
fn error_response(rule: Option<&Revision>, error: &GatewayError) -> coap::Message {
    let fault = match error {
        GatewayError::RuleTrapped(trap) => Some(trap.to_string()),
        GatewayError::RuleBrokeContract(how) => {
            rule.map(|rule| format!("rule {} broke its contract: {how}", rule.name()))
        }
        _ => None,
    };
    // Like what a rule logs itself, so that a faulty one does not fill the log.
    if let Some((fault, rule)) = fault.zip(rule)
        && rule.state().budget.admit_line(Instant::now())
    {
        tracing::error!("{fault}");
    }
    error.response()
}
