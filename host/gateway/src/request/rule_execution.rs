//! Drives a rule through an exchange: begin, the calls it asks for, resume, until it replies.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::admission::Admitted;
use super::error::GatewayError;
use super::policy;
use super::reply::{failed, to_coap};
use super::response::{ObserveRequest, Response, SideEffect};
use super::snapshot::Snapshot;
use coap::option;
use contract::clock::Clock;
use contract::escaping::escaped;
use contract::{
    Context, Effect, Failure, HttpRequest, HttpResponse, Message, Reply, SessionChange, Step,
};
use homeserver::{Caller, Outcome};
use runtime::{Limit, Permit, Revision};

/// The longest hold of a long poll: a homeserver's or proxy's own bound is seldom higher.
pub const MAX_HOLD: Duration = Duration::from_secs(60);

/// An exchange whose rule has begun and wants a homeserver called.
pub struct RuleExecution {
    /// What served when it began.
    service: Arc<Snapshot>,
    clock: Clock,
    revision: Arc<Revision>,
    /// Its place among the rule's exchanges.
    _permit: Permit,
    device: Caller,
    context: Context,
    deadline: Instant,
    /// What an observation needs, where one may begin.
    observing: Option<Observing>,
    /// The last homeserver status, or why there was none.
    upstream: Option<Cow<'static, str>>,
}

/// The path of an observation's request, and when it came.
struct Observing {
    path: Vec<String>,
    began: std::time::Instant,
}

/// How far a rule has come.
enum RuleStep {
    /// It has replied.
    Replied(Reply),
    /// It has failed in its own words.
    Failed(Failure),
    /// It wants a homeserver called.
    Wants(Step),
}

/// Lets the rule begin. Most of what side_effect waits for a homeserver; what does not is answered at once.
///
/// # Errors
/// [`GatewayError`]: the rule is out of service or has used what it may use, it trapped, or it broke its contract.
pub fn begin(
    service: &Arc<Snapshot>,
    clock: Clock,
    flow_id: String,
    revision: &Arc<Revision>,
    peer: SocketAddr,
    admitted: Admitted,
) -> Result<Result<Response, (RuleExecution, Step)>, GatewayError> {
    let state = revision.state();
    let began = std::time::Instant::now();
    if let Some(left) = state.paused(began) {
        return Err(GatewayError::RulePaused(left));
    }
    let permit = state.budget.admit(began).map_err(GatewayError::RuleLimit)?;
    let (requested, target) = admitted.requested.unzip();
    let context = Context {
        link: admitted.found.link,
        captures: admitted.found.captures,
        requested: target,
        principal: None,
        flow_id,
        now: clock.now(),
        facts: admitted.facts,
    };
    let result = revision.begin(&context, &admitted.message);
    revision.judge(peer.ip(), result.is_err());
    let progress = match progress(revision, result?)? {
        RuleStep::Failed(failure) => return Ok(Ok(failed(failure)?.into())),
        RuleStep::Replied(reply) if reply.watch.is_none() && reply.session.is_none() => {
            return Ok(Ok(to_coap(reply.message)?.into()));
        }
        progress => progress,
    };
    let mut exchange = RuleExecution {
        service: service.clone(),
        clock,
        revision: revision.clone(),
        _permit: permit,
        device: Caller {
            address: peer.ip().to_canonical(),
            token: admitted.token,
            requested,
        },
        context,
        deadline: Instant::now() + service.deadline,
        observing: admitted.observes.then(|| Observing {
            path: path(&admitted.message),
            began,
        }),
        upstream: None,
    };
    match progress {
        RuleStep::Wants(step) => Ok(Err((exchange, step))),
        RuleStep::Replied(reply) => exchange.answered(reply).map(Ok),
        RuleStep::Failed(failure) => Ok(Ok(failed(failure)?.into())),
    }
}

impl RuleExecution {
    /// Makes the calls that the rule asks for until it replies.
    ///
    /// # Errors
    /// [`GatewayError`]: the rule trapped, broke its contract, or asked for too many steps.
    pub async fn finish(&mut self, mut step: Step) -> Result<Response, GatewayError> {
        for _ in 0..self.revision.limits().steps {
            let outcome = self.call(&mut step.request).await;
            self.upstream = Some(summary(&outcome));
            self.context.now = self.clock.now();
            let result = self
                .revision
                .resume(&self.context, &step.state, outcome.as_ref());
            self.revision.judge(self.device.address, result.is_err());
            match progress(&self.revision, result?)? {
                RuleStep::Replied(reply) => return self.answered(reply),
                RuleStep::Failed(failure) => return Ok(failed(failure)?.into()),
                RuleStep::Wants(next) => step = next,
            }
        }
        self.revision.state().budget.count(Limit::Steps);
        Err(GatewayError::RuleBrokeContract(
            "it asked for more steps than its limit",
        ))
    }

    async fn call(&mut self, request: &mut HttpRequest) -> Outcome {
        let outcome = match policy::permit(&self.revision, request) {
            Ok(()) => {
                self.deadline += Duration::from_millis(request.hold_ms.into()).min(MAX_HOLD);
                let upstreams = &self.service.upstreams;
                upstreams.call(&self.device, request, self.deadline).await
            }
            Err(denied) => Err(denied),
        };
        policy::tell_denied(&self.revision, &outcome);
        outcome
    }

    /// The rule's reply as the answer, and what it wants beyond it.
    fn answered(&mut self, reply: Reply) -> Result<Response, GatewayError> {
        let message = to_coap(reply.message)?;
        let side_effect = if matches!(reply.session, Some(SessionChange::Close)) {
            self.service
                .upstreams
                .own_account(&self.device)
                .map(SideEffect::LoggedOut)
        } else {
            let wanted = reply.watch.zip(self.observing.take());
            wanted.map(|(watch, observing)| {
                SideEffect::Observation(Box::new(ObserveRequest {
                    revision: self.revision.clone(),
                    watch,
                    context: self.context.clone(),
                    device: self.device.clone(),
                    path: observing.path,
                    began: observing.began,
                }))
            })
        };
        Ok(Response {
            message,
            side_effect,
        })
    }

    /// The rule's revision.
    pub fn revision(&self) -> &Revision {
        &self.revision
    }

    /// The last homeserver status, or why there was none.
    pub fn upstream(&self) -> Option<&str> {
        self.upstream.as_deref()
    }
}

/// What the rule's result means for the exchange.
fn progress(
    revision: &Revision,
    result: Result<Effect, Failure>,
) -> Result<RuleStep, GatewayError> {
    match result {
        Ok(Effect::Reply(reply)) if reply.message.payload.len() > revision.limits().body => {
            revision.state().budget.count(Limit::Body);
            Err(GatewayError::RuleBrokeContract(
                "its reply is above its limit",
            ))
        }
        Ok(Effect::Reply(reply)) => Ok(RuleStep::Replied(reply)),
        Err(failure) => Ok(RuleStep::Failed(failure)),
        Ok(Effect::Call(step)) if step.state.len() > revision.limits().state => {
            revision.state().budget.count(Limit::State);
            Err(GatewayError::RuleBrokeContract(
                "its state is above its limit",
            ))
        }
        Ok(Effect::Call(step)) => Ok(RuleStep::Wants(step)),
    }
}

/// Uri-Path, which was admitted as text.
fn path(request: &Message) -> Vec<String> {
    let options = request.options.iter();
    let segments = options.filter(|option| option.number == option::URI_PATH);
    segments
        .map(|segment| String::from_utf8_lossy(&segment.value).into_owned())
        .collect()
}

fn summary(outcome: &Outcome) -> Cow<'static, str> {
    match outcome {
        Ok(HttpResponse { status, .. }) => status.to_string().into(),
        Err(error) => escaped(&error.reason, 32).into(),
    }
}
