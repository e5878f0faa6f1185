//! Drives a rule through an exchange: begin, the calls it asks for, resume, until it replies.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use super::Gateway;
use super::admission::Admitted;
use super::refusal::Refusal;
use crate::access_log::escaped;
use crate::coap::{self, CoapOption, code, option};
use crate::rule::{self, CallError, Context, Effect, Failure, HttpResponse, Step};
use crate::upstream::{Device, Outcome};

/// Bytes of a rule's diagnostic: one line for a person, small enough for a constrained link.
const MAX_DIAGNOSTIC_BYTES: usize = 512;
/// The longest hold of a long poll.
const MAX_HOLD: Duration = Duration::from_secs(60);
/// No gateway of this kind ran before 2025: an earlier clock is one that is not set.
const EARLIEST_PLAUSIBLE_TIME: u64 = 1_735_689_600;

/// What an exchange did, for its log line.
#[derive(Default)]
pub struct Trace {
    /// The rule was called.
    pub called: bool,
    /// The last homeserver status, or why there was none.
    pub upstream: Option<Cow<'static, str>>,
}

/// Runs the rule until it replies.
///
/// # Errors
/// [`Refusal`]: the rule trapped, broke its contract, or asked for too many steps.
pub async fn drive(
    gateway: &Gateway,
    peer: SocketAddr,
    admitted: Admitted,
    trace: &mut Trace,
) -> Result<coap::Message, Refusal> {
    let revision = &gateway.revision;
    let limits = revision.limits();
    let (requested, target) = admitted.requested.unzip();
    let device = Device {
        address: peer.ip().to_canonical(),
        token: admitted.token,
        requested,
    };
    let mut context = Context {
        link: admitted.found.link,
        captures: admitted.found.captures,
        requested: target,
        principal: None,
        flow_id: gateway.flow_ids.next(),
        now: now(),
        facts: Vec::new(),
    };
    let mut deadline = Instant::now() + gateway.deadline;
    trace.called = true;
    let mut result = revision.begin(&context, &admitted.message)?;
    // The rule has what it needs of it: a body must not be held twice while a homeserver is slow.
    drop(admitted.message);
    for _ in 0..limits.steps {
        let Step { mut request, state } = match result {
            Ok(Effect::Reply(reply)) => return to_coap(reply.message),
            Err(failure) => return failed(failure),
            Ok(Effect::Call(step)) => step,
        };
        if state.len() > limits.state {
            return Err(Refusal::RuleBrokeContract("its state is above its limit"));
        }
        deadline += Duration::from_millis(request.hold_ms.into()).min(MAX_HOLD);
        let outcome = if revision.needs(&request) {
            gateway
                .upstreams
                .call(&device, &mut request, deadline)
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
            tracing::warn!(
                "rule {}: denied {}: a call must be among the description's needs, with a method, headers and sizes that the contract allows",
                revision.name(),
                escaped(
                    &format!("{} /{}", request.method, request.path.join("/")),
                    160
                ),
            );
        }
        trace.upstream = Some(summary(&outcome));
        context.now = now();
        result = revision.resume(&context, &state, outcome.as_ref())?;
    }
    match result {
        Ok(Effect::Reply(reply)) => to_coap(reply.message),
        Err(failure) => failed(failure),
        Ok(Effect::Call(_)) => Err(Refusal::RuleBrokeContract(
            "it asked for more steps than its limit",
        )),
    }
}

fn summary(outcome: &Outcome) -> Cow<'static, str> {
    match outcome {
        Ok(HttpResponse { status, .. }) => status.to_string().into(),
        Err(error) => escaped(&error.reason, 32).into(),
    }
}

/// The rule's answer as a response. Block-wise options are the endpoint's (see `types.message`).
fn to_coap(message: rule::Message) -> Result<coap::Message, Refusal> {
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

fn failed(failure: Failure) -> Result<coap::Message, Refusal> {
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
