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
use contract::Step;
use contract::clock::Clock;
pub use error::GatewayError;
pub use local_authority::LocalNames;
pub use response::{ObserveRequest, Response, SideEffect};
pub use rule_execution::MAX_HOLD;
use rule_execution::RuleExecution;
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
    flow_ids: TxnIdGenerator,
    entity_tags: EntityTags,
}

/// A whole request and where it came from.
pub struct Request {
    /// The device.
    pub peer: SocketAddr,
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

/// How far an exchange has come.
pub enum Dispatch {
    /// To its end.
    Answered(Response),
    /// A homeserver is needed: [`Gateway::finish`].
    PendingExchange(Box<PendingExchange>),
}

/// An exchange that waits for a homeserver.
pub struct PendingExchange {
    seen: AccessLogEntry,
    resource: Resource,
    conditions: Conditions,
    exchange: RuleExecution,
    step: Step,
}

impl Gateway {
    /// A gateway that serves what `serving` says, by the system's clock.
    #[must_use]
    pub fn new(snapshots: Arc<SnapshotCell>) -> Self {
        Self {
            snapshots,
            clock: Clock::system(),
            recorder: Rc::default(),
            flow_ids: TxnIdGenerator::new(),
            entity_tags: EntityTags::default(),
        }
    }

    /// Takes a request as far as it comes without waiting. Every request gets an answer; errors are answers.
    pub fn begin(&self, mut request: Request) -> Dispatch {
        // From here on the exchange stays with this service, whatever takes its place.
        let service = self.snapshots.load();
        // First, so that the log shows the path that is meant.
        let own_names = &service.own_names;
        let resolved = own_names.resolve(&mut request.message, request.local);
        let seen = AccessLogEntry::of(&request);
        let conditions = Conditions::of(&request.message);
        let mut led = Led {
            resource: Resource::Unknown,
            rule: None,
        };
        let begun = resolved.and_then(|()| self.admit_and_begin(&service, request, &mut led));
        let Led { resource, rule } = led;
        let rule = rule.as_deref();
        match begun {
            Ok(Err((exchange, step))) => Dispatch::PendingExchange(Box::new(PendingExchange {
                seen,
                resource,
                conditions,
                exchange,
                step,
            })),
            Ok(Ok(mut answer)) => {
                answer.message = conditions.apply(&self.entity_tags, answer.message);
                seen.end(self, &resource, rule, None, &answer.message);
                Dispatch::Answered(answer)
            }
            Err(refusal) => {
                let response = refused(rule, &refusal);
                seen.end(self, &resource, rule, None, &response);
                Dispatch::Answered(response.into())
            }
        }
    }

    /// Does the rest.
    pub async fn finish(&self, waiting: Box<PendingExchange>) -> Response {
        let PendingExchange {
            seen,
            resource,
            conditions,
            mut exchange,
            step,
        } = *waiting;
        let result = exchange.finish(step).await;
        let rule = Some(exchange.revision());
        let mut answer = result.unwrap_or_else(|refusal| refused(rule, &refusal).into());
        answer.message = conditions.apply(&self.entity_tags, answer.message);
        seen.end(self, &resource, rule, exchange.upstream(), &answer.message);
        answer
    }

    /// Answers a request, however long it takes.
    pub async fn answer(&self, request: Request) -> Response {
        match self.begin(request) {
            Dispatch::Answered(answer) => answer,
            Dispatch::PendingExchange(waiting) => self.finish(waiting).await,
        }
    }

    /// The answer to a request that the gateway cannot take now, and its log line.
    #[must_use]
    pub fn refuse(&self, request: &Request, refusal: &GatewayError) -> coap::Message {
        if matches!(refusal, GatewayError::Busy) {
            self.recorder.count_refused_body();
        }
        let response = refusal.response();
        AccessLogEntry::of(request).end(self, &Resource::Unknown, None, None, &response);
        response
    }

    /// `led` becomes what the request led to.
    fn admit_and_begin(
        &self,
        service: &Arc<Snapshot>,
        request: Request,
        led: &mut Led,
    ) -> Result<Result<Response, (RuleExecution, Step)>, GatewayError> {
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
            led.resource = Resource::Discovery;
            admission::admit_discovery(&message)?;
            return Ok(Ok(discover(service, &message)?.into()));
        }
        if multicast {
            return Err(GatewayError::NotFound);
        }
        let Snapshot {
            rules,
            disabled,
            upstreams,
            ..
        } = &**service;
        let (revision, found) = admission::find(&message, &path, rules, disabled)?;
        led.resource = Resource::Link(revision.clone(), found.link);
        let admitted = admission::admit(message, found, revision, upstreams, observes)?;
        let revision = led.rule.insert(revision.clone());
        let flow_id = self.flow_ids.next();
        rule_execution::begin(service, self.clock, flow_id, revision, peer, admitted)
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

/// What a request led to, as far as it came.
struct Led {
    resource: Resource,
    /// The revision that was called.
    rule: Option<Arc<Revision>>,
}

/// The answer to an exchange that ended with a refusal. What a rule did wrong is for the operator.
fn refused(rule: Option<&Revision>, refusal: &GatewayError) -> coap::Message {
    let fault = match refusal {
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
    refusal.response()
}
