//! Executes a rule for one request: drives the exchange with the homeserver as its egress, and makes the response.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::admission::Admitted;
use super::error::GatewayError;
use super::held_bytes::{Full, HeldBytes, Holding, bytes_of};
use super::reply::{failed, to_coap};
use super::response::{ObserveRequest, Response, SideEffect};
use super::snapshot::Snapshot;
use super::source::Source;
use crate::telemetry::denied_call;
use coap::option;
use contract::clock::Clock;
use contract::escaping::escaped;
use contract::{Call, CallError, HttpResponse, Message, Outcome, Reply, SessionChange, Step};
use homeserver::Caller;
use runtime::exchange::{Egress, End, Exchange, ExchangeError, Progress};
use runtime::{CallDenied, CallEnd, CallInput, Revision};
use share::Owner;

/// The longest hold of a long poll: the limits of homeservers and their proxies are seldom higher.
pub const MAX_HOLD: Duration = Duration::from_secs(60);

/// A rule that waits for a homeserver.
pub(super) struct RuleExecution {
    exchange: Exchange,
    homeserver: HomeserverEgress,
    /// Set if the request may start an observation.
    observing: Option<Observing>,
}

/// Makes the calls of one exchange.
struct HomeserverEgress {
    /// The snapshot of the exchange's start.
    snapshot: Arc<Snapshot>,
    clock: Clock,
    revision: Arc<Revision>,
    caller: Caller,
    /// Its share of the rule's limits and of the gateway's memory.
    holding: Holding,
    /// Bytes of the options of its request.
    of_request: usize,
    /// Whether there is no room for the call that the rule asks for now.
    is_full: bool,
    /// Of all steps; a held call extends it.
    deadline: Instant,
    /// The status of the last HTTP response, or the reason why there was none.
    last_outcome: Option<Cow<'static, str>>,
    /// Whether a call had no access token only because of the device's address.
    refuses_address: bool,
}

/// The path of an observation's request, and when it came.
struct Observing {
    path: Vec<String>,
    began: std::time::Instant,
}

/// How far a rule came without waiting.
pub(super) enum Started {
    /// To its end.
    Ended(Response),
    /// To its first homeserver call; [`RuleExecution::finish`] makes it.
    Waiting(Box<RuleExecution>, Step),
    /// To that call, for which its device has to prove its address first.
    NeedsProof,
}

/// Calls the rule's `begin`. An exchange that needs no homeserver ends here.
///
/// # Errors
/// [`GatewayError`]: the rule is out of service or at a limit, it trapped, or it broke its contract.
pub(super) fn start(
    snapshot: &Arc<Snapshot>,
    clock: Clock,
    flow_id: String,
    revision: &Arc<Revision>,
    held_bytes: &HeldBytes,
    source: &Source,
    admitted: Admitted,
) -> Result<Started, GatewayError> {
    let peer = &source.device;
    let state = revision.state();
    let began = std::time::Instant::now();
    state.admit(began).map_err(GatewayError::RulePaused)?;
    let permit = state
        .budget
        .admit(began, source.owner)
        .map_err(GatewayError::RuleLimit)?;
    let (context, request) = admitted.split(flow_id, clock.now(), peer.principal.as_deref());
    let begun = revision.begin(&context, &request.message);
    let input = CallInput::Begin(&context, &request.message);
    revision.judge(began, (peer, source.owner), &input, CallEnd::of(&begun));
    let result = begun.map_err(ExchangeError::from)?;
    let (exchange, progress) =
        Exchange::begun(revision, context, result).map_err(ExchangeError::from)?;
    match progress {
        Progress::End(End::Failure(failure)) => return Ok(Started::Ended(failed(failure)?.into())),
        // Most exchanges without a homeserver call end here.
        Progress::End(End::Reply(reply)) if reply.watch.is_none() && reply.session.is_none() => {
            return Ok(Started::Ended(to_coap(reply.message)?.into()));
        }
        _ => {}
    }
    let caller = Caller {
        peer: peer.clone(),
        owner: source.owner,
        is_proven: source.facts.is_proven || peer.authenticated,
        token: request.token,
        requested: request.homeserver,
    };
    if let Progress::Call(Step { request, .. }) = &progress {
        let (upstream, credential) = (&request.upstream, request.credential.as_str());
        if snapshot
            .upstreams
            .needs_proof(&caller, upstream, credential)
        {
            return Ok(Started::NeedsProof);
        }
    }
    let of_request = request.message.options.iter();
    let of_request = of_request.map(|option| option.value.len()).sum();
    let mut holding = Holding::new(held_bytes, source.owner, permit);
    if let Progress::Call(step) = &progress {
        holding
            .set(bytes_of(step, of_request))
            .map_err(|full| match full {
                Full::Account => GatewayError::Busy,
                Full::Rule(limit) => GatewayError::RuleLimit(limit),
            })?;
    }
    let mut execution = RuleExecution {
        exchange,
        homeserver: HomeserverEgress {
            snapshot: snapshot.clone(),
            clock,
            revision: revision.clone(),
            caller,
            holding,
            of_request,
            is_full: false,
            deadline: Instant::now() + snapshot.deadline,
            last_outcome: None,
            refuses_address: false,
        },
        observing: request.observes.then(|| Observing {
            path: path(&request.message),
            began,
        }),
    };
    Ok(match progress {
        Progress::Call(step) => Started::Waiting(Box::new(execution), step),
        Progress::End(end) => Started::Ended(execution.response(end)?),
    })
}

impl RuleExecution {
    /// Makes the calls that the rule asks for until it replies.
    ///
    /// # Errors
    /// [`GatewayError`]: the rule trapped, broke its contract, or asked for too many calls.
    pub(super) async fn finish(&mut self, step: Step) -> Result<Response, GatewayError> {
        let end = self.exchange.drive(step, &mut self.homeserver).await?;
        self.response(end)
    }

    /// The rule's revision.
    pub(super) fn revision(&self) -> &Revision {
        self.exchange.revision()
    }

    /// The status of the last HTTP response, or the reason why there was none.
    pub(super) fn last_outcome(&self) -> Option<&str> {
        self.homeserver.last_outcome.as_deref()
    }

    /// The device, if a call had no access token only because of its address.
    pub(super) fn refused_address(&self) -> Option<(IpAddr, Owner)> {
        let HomeserverEgress {
            caller,
            refuses_address,
            ..
        } = &self.homeserver;
        refuses_address.then(|| (caller.peer.ip(), caller.owner))
    }

    fn response(&mut self, end: End) -> Result<Response, GatewayError> {
        match end {
            End::Failure(failure) => Ok(failed(failure)?.into()),
            End::Reply(reply) => self.reply(reply),
        }
    }

    /// The rule's reply as the response, and the side effect that it asks for.
    fn reply(&mut self, reply: Reply) -> Result<Response, GatewayError> {
        let message = to_coap(reply.message)?;
        let HomeserverEgress {
            snapshot, caller, ..
        } = &self.homeserver;
        let side_effect = if matches!(reply.session, Some(SessionChange::Close)) {
            snapshot
                .upstreams
                .own_account(caller)
                .map(SideEffect::LoggedOut)
        } else {
            let wanted = reply.watch.zip(self.observing.take());
            wanted.map(|(watch, observing)| {
                SideEffect::Observation(Box::new(ObserveRequest {
                    revision: self.exchange.revision().clone(),
                    watch,
                    context: self.exchange.context().clone(),
                    device: caller.clone(),
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
}

impl Egress for HomeserverEgress {
    type Error = GatewayError;

    fn requested(&mut self, step: &Step) {
        self.is_full = self.holding.set(bytes_of(step, self.of_request)).is_err();
    }

    async fn call(&mut self, call: Call) -> Result<Outcome, GatewayError> {
        if self.is_full {
            return Ok(self.record(Err(CallError::unsent("busy"))));
        }
        self.deadline += Duration::from_millis(call.request.hold_ms().into()).min(MAX_HOLD);
        let upstreams = &self.snapshot.upstreams;
        let outcome = match upstreams.prepare(&self.caller, call) {
            Ok(call) => {
                let outcome = upstreams.send(&self.caller, &call, self.deadline).await;
                let is_refused = |error: &CallError| error.reason == "no-credential";
                self.refuses_address = outcome.as_ref().is_err_and(is_refused)
                    && upstreams.refuses_address(&self.caller, &call);
                outcome
            }
            Err(denied) => Err(denied),
        };
        Ok(self.record(outcome))
    }

    fn deny(&mut self, denied: CallDenied) -> Result<Outcome, GatewayError> {
        Ok(self.record(Err(denied.into())))
    }

    fn now(&self) -> Option<u64> {
        self.clock.now()
    }

    fn resumed(&mut self, input: &CallInput<'_>, end: CallEnd<'_>) {
        let now = std::time::Instant::now();
        let device = (&self.caller.peer, self.caller.owner);
        self.revision.judge(now, device, input, end);
    }
}

impl HomeserverEgress {
    fn record(&mut self, outcome: Outcome) -> Outcome {
        denied_call::log_denied(&self.revision, &outcome);
        self.last_outcome = Some(match &outcome {
            Ok(HttpResponse { status, .. }) => status.to_string().into(),
            Err(error) => escaped(&error.reason, 32).into(),
        });
        outcome
    }
}

/// Uri-Path: its segments are text, as routing has checked.
fn path(request: &Message) -> Vec<String> {
    let options = request.options.iter();
    let segments = options.filter(|option| option.number == option::URI_PATH);
    segments
        .map(|segment| String::from_utf8_lossy(&segment.value).into_owned())
        .collect()
}
