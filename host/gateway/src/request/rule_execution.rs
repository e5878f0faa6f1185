//! Executes a rule for one request: drives the exchange with the homeserver as its egress, and makes the response.

use std::net::IpAddr;
use std::sync::Arc;

use tokio::time::Instant;

use super::admission::Admitted;
use super::device_session::DeviceSession;
use super::error::GatewayError;
use super::held_bytes::{Full, HeldBytes, Holding, bytes_of};
use super::homeserver_egress::HomeserverEgress;
use super::remembered::OfSession;
use super::reply::{failed, to_coap};
use super::response::{ObserveRequest, Response, SideEffect};
use super::sent::SentRequest;
use super::snapshot::Snapshot;
use super::source::Source;
use crate::outbox::{Deliveries, Received};
use crate::sessions::Sessions;
use coap::option;
use contract::clock::Clock;
use contract::{Message, Reply, SessionChange};
use homeserver::Caller;
use runtime::exchange::{Action, End, Exchange, ExchangeError, Progress};
use runtime::{CallEnd, CallInput, Revision};
use share::Owner;

/// A rule that waits for a homeserver.
pub(super) struct RuleExecution {
    exchange: Exchange,
    homeserver: HomeserverEgress,
    /// Set if the request may start an observation.
    observing: Option<Observing>,
}

/// The path of an observation's request, and when it came.
struct Observing {
    path: Vec<String>,
    began: std::time::Instant,
}

/// What makes the exchange's messages recognisable.
pub(super) struct Flow {
    /// `flow-id` of the contract.
    pub(super) id: String,
    /// Keeps its deliveries, with the identity of its datagram.
    pub(super) deliveries: Option<(Deliveries, Received)>,
    /// Logins of devices; none without a store.
    pub(super) sessions: Option<Sessions>,
    /// Its values of sticky options; none if it has none.
    pub(super) remembered: Option<OfSession>,
}

/// How far a rule came without waiting.
pub(super) enum Started {
    /// To its end.
    Ended(Response),
    /// To its first homeserver call or delivery; [`RuleExecution::finish`] makes it.
    Waiting(Box<RuleExecution>, Action),
    /// To a look into the store.
    Sent(SentRequest),
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
    flow: Flow,
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
    let (context, request) = admitted.split(flow.id, clock.now(), peer.principal.as_deref());
    let begun = revision.begin(&context, &request.message);
    let input = CallInput::Begin(&context, &request.message);
    revision.judge(began, (peer, source.owner), &input, CallEnd::of(&begun));
    let result = begun.map_err(ExchangeError::from)?;
    let (exchange, progress) =
        Exchange::after(revision, context, result).map_err(ExchangeError::from)?;
    match progress {
        Progress::End(End::Failure(failure)) => return Ok(Started::Ended(failed(failure)?.into())),
        // Most exchanges without a homeserver call end here.
        Progress::End(End::Reply(reply)) if reply.watch.is_none() && reply.session.is_none() => {
            return Ok(Started::Ended(to_coap(reply.message)?.into()));
        }
        _ => {}
    }
    let sessions = flow.sessions.filter(|_| peer.authenticated);
    let find =
        |sessions: &Sessions| sessions.find(peer, request.homeserver.as_ref(), &snapshot.upstreams);
    let without_token = sessions.as_ref().filter(|_| request.token.is_none());
    let caller = Caller {
        session: without_token.and_then(find),
        peer: peer.clone(),
        owner: source.owner,
        is_proven: source.facts.is_proven || peer.authenticated,
        token: request.token,
        requested: request.homeserver,
    };
    if let Progress::Action(action) = &progress {
        let request = &action.step().request;
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
    if let Progress::Action(action) = &progress {
        holding
            .set(bytes_of(action.step(), of_request))
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
            deliveries: flow.deliveries,
            session: sessions.as_ref().map(DeviceSession::new),
            remembered: flow.remembered,
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
        Progress::Action(action) => Started::Waiting(Box::new(execution), action),
        Progress::End(end) => Started::Ended(execution.response(end)?),
    })
}

impl RuleExecution {
    /// Makes the calls and deliveries that the rule asks for until it replies.
    ///
    /// # Errors
    /// [`GatewayError`]: the rule trapped, broke its contract, or asked for too many calls.
    pub(super) async fn finish(&mut self, action: Action) -> Result<Response, GatewayError> {
        let end = self.exchange.drive(action, &mut self.homeserver).await?;
        if let End::Reply(reply) = &end
            && let Some(SessionChange::Open(token)) = &reply.session
        {
            self.homeserver.open_session(token).await;
        }
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
            self.homeserver.close_session();
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

/// Uri-Path: its segments are text, as routing has checked.
fn path(request: &Message) -> Vec<String> {
    let options = request.options.iter();
    let segments = options.filter(|option| option.number == option::URI_PATH);
    segments
        .map(|segment| String::from_utf8_lossy(&segment.value).into_owned())
        .collect()
}
