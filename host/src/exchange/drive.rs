//! Drives a rule through an exchange: begin, the calls it asks for, resume, until it replies.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use super::Gateway;
use super::admission::Admitted;
use super::refusal::Refusal;
use crate::access_log::escaped;
use crate::coap::{self, CoapOption, code, option};
use crate::rule::{
    self, CallError, Context, Effect, Failure, HttpRequest, HttpResponse, Limit, Permit, Revision,
    Step,
};
use crate::upstream::{Device, Outcome};

/// Bytes of a rule's diagnostic: one line for a person, small enough for a constrained link.
const MAX_DIAGNOSTIC_BYTES: usize = 512;
/// Options of a reply, and bytes of their values: what a datagram to a constrained device has room for beside its block.
const MAX_OPTIONS: usize = 32;
const MAX_OPTION_BYTES: usize = 512;
/// The longest hold of a long poll.
const MAX_HOLD: Duration = Duration::from_secs(60);
/// No gateway of this kind ran before 2025: an earlier clock is one that is not set.
const EARLIEST_PLAUSIBLE_TIME: u64 = 1_735_689_600;

/// An exchange whose rule has begun and wants a homeserver called.
pub struct Exchange {
    revision: Arc<Revision>,
    /// Its place among the rule's exchanges.
    _permit: Permit,
    device: Device,
    context: Context,
    deadline: Instant,
    /// The last homeserver status, or why there was none.
    upstream: Option<Cow<'static, str>>,
}

/// How far a rule has come.
enum Progress {
    /// It has replied.
    Replied(coap::Message),
    /// It wants a homeserver called.
    Wants(Step),
}

/// Lets the rule begin. Most of what follows waits for a homeserver; what does not is answered at once.
///
/// # Errors
/// [`Refusal`]: the rule is out of service or has used what it may use, it trapped, or it broke its contract.
pub fn begin(
    gateway: &Gateway,
    revision: &Arc<Revision>,
    peer: SocketAddr,
    admitted: Admitted,
) -> Result<Result<coap::Message, (Exchange, Step)>, Refusal> {
    let state = revision.state();
    let began = std::time::Instant::now();
    if let Some(left) = state.paused(began) {
        return Err(Refusal::RulePaused(left));
    }
    let permit = state.budget.admit(began).map_err(Refusal::RuleLimit)?;
    let (requested, target) = admitted.requested.unzip();
    let context = Context {
        link: admitted.found.link,
        captures: admitted.found.captures,
        requested: target,
        principal: None,
        flow_id: gateway.flow_ids.next(),
        now: now(),
        facts: Vec::new(),
    };
    let result = revision.begin(&context, &admitted.message);
    revision.judge(peer.ip(), result.is_err());
    match progress(revision, result?)? {
        Progress::Replied(message) => Ok(Ok(message)),
        Progress::Wants(step) => {
            let device = Device {
                address: peer.ip().to_canonical(),
                token: admitted.token,
                requested,
            };
            let exchange = Exchange {
                revision: revision.clone(),
                _permit: permit,
                device,
                context,
                deadline: Instant::now() + gateway.deadline,
                upstream: None,
            };
            Ok(Err((exchange, step)))
        }
    }
}

impl Exchange {
    /// Makes the calls that the rule asks for until it replies.
    ///
    /// # Errors
    /// [`Refusal`]: the rule trapped, broke its contract, or asked for too many steps.
    pub async fn finish(
        &mut self,
        gateway: &Gateway,
        mut step: Step,
    ) -> Result<coap::Message, Refusal> {
        for _ in 0..self.revision.limits().steps {
            let outcome = self.call(gateway, &mut step.request).await;
            self.upstream = Some(summary(&outcome));
            self.context.now = now();
            let result = self
                .revision
                .resume(&self.context, &step.state, outcome.as_ref());
            self.revision.judge(self.device.address, result.is_err());
            match progress(&self.revision, result?)? {
                Progress::Replied(message) => return Ok(message),
                Progress::Wants(next) => step = next,
            }
        }
        self.revision.state().budget.count(Limit::Steps);
        Err(Refusal::RuleBrokeContract(
            "it asked for more steps than its limit",
        ))
    }

    async fn call(&mut self, gateway: &Gateway, request: &mut HttpRequest) -> Outcome {
        self.deadline += Duration::from_millis(request.hold_ms.into()).min(MAX_HOLD);
        let limits = self.revision.limits();
        let body = request.body.as_ref().map_or(0, Vec::len);
        let beyond = if body > limits.body {
            Some(Limit::Body)
        } else {
            (request.headers.len() > limits.headers).then_some(Limit::Headers)
        };
        if let Some(limit) = beyond {
            self.revision.state().budget.count(limit);
        }
        let outcome = if beyond.is_none() && self.revision.needs(request) {
            gateway
                .upstreams
                .call(&self.device, request, self.deadline)
                .await
        } else {
            Err(CallError {
                reason: "denied".into(),
                sent: false,
            })
        };
        if outcome
            .as_ref()
            .is_err_and(|error| error.reason == "denied")
        {
            // Method and path are the rule's text: a password could stand in them.
            let now = std::time::Instant::now();
            if self.revision.state().budget.admit_line(now) {
                tracing::warn!(
                    "rule {}: a call was denied: it must be among the description's needs, with a method, headers and sizes that the contract allows; `comatrix-gateway rule run` shows it",
                    self.revision.name(),
                );
            }
        }
        outcome
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
fn progress(revision: &Revision, result: Result<Effect, Failure>) -> Result<Progress, Refusal> {
    match result {
        Ok(Effect::Reply(reply)) if reply.message.payload.len() > revision.limits().body => {
            revision.state().budget.count(Limit::Body);
            Err(Refusal::RuleBrokeContract("its reply is above its limit"))
        }
        Ok(Effect::Reply(reply)) => to_coap(reply.message).map(Progress::Replied),
        Err(failure) => failed(failure).map(Progress::Replied),
        Ok(Effect::Call(step)) if step.state.len() > revision.limits().state => {
            revision.state().budget.count(Limit::State);
            Err(Refusal::RuleBrokeContract("its state is above its limit"))
        }
        Ok(Effect::Call(step)) => Ok(Progress::Wants(step)),
    }
}

fn summary(outcome: &Outcome) -> Cow<'static, str> {
    match outcome {
        Ok(HttpResponse { status, .. }) => status.to_string().into(),
        Err(error) => escaped(&error.reason, 32).into(),
    }
}

/// The rule's answer as a response. Block-wise options are the endpoint's (see `types.message`).
///
/// # Errors
/// [`Refusal::RuleBrokeContract`].
pub fn to_coap(message: rule::Message) -> Result<coap::Message, Refusal> {
    let hosts = [
        option::BLOCK1,
        option::BLOCK2,
        option::SIZE1,
        option::SIZE2,
        option::OBSERVE,
    ];
    if !code::is_response(message.code) {
        return Err(Refusal::RuleBrokeContract(
            "its reply's code is no response code",
        ));
    }
    let bytes: usize = message
        .options
        .iter()
        .map(|option| option.value.len())
        .sum();
    if message.options.len() > MAX_OPTIONS || bytes > MAX_OPTION_BYTES {
        return Err(Refusal::RuleBrokeContract(
            "its reply has too many options, or too large ones",
        ));
    }
    if message
        .options
        .iter()
        .any(|option| hosts.contains(&option.number))
    {
        return Err(Refusal::RuleBrokeContract(
            "its reply holds block-wise or Observe options",
        ));
    }
    Ok(coap::Message {
        code: message.code,
        options: message
            .options
            .into_iter()
            .map(|option| CoapOption {
                number: option.number,
                value: option.value,
            })
            .collect(),
        payload: message.payload,
    })
}

/// The rule's failure as a response.
///
/// # Errors
/// [`Refusal::RuleBrokeContract`].
pub fn failed(failure: Failure) -> Result<coap::Message, Refusal> {
    if !matches!(code::class(failure.code), 4 | 5) {
        return Err(Refusal::RuleBrokeContract(
            "its failure's code is of neither class 4 nor 5",
        ));
    }
    let mut diagnostic = failure.diagnostic;
    diagnostic.truncate(diagnostic.floor_char_boundary(MAX_DIAGNOSTIC_BYTES));
    let mut response = coap::Message::diagnostic(failure.code, diagnostic);
    if let Some(seconds) = failure.max_age {
        response.push_uint_option(option::MAX_AGE, seconds);
    }
    Ok(response)
}

fn now() -> Option<u64> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
    (seconds >= EARLIEST_PLAUSIBLE_TIME).then_some(seconds)
}
