//! Makes the homeserver calls and the deliveries of one exchange.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use url::Url;

use super::device_session::DeviceSession;
use super::error::GatewayError;
use super::held_bytes::{Holding, bytes_of};
use super::remembered::OfSession;
use super::snapshot::Snapshot;
use crate::outbox::{Deliveries, Received, Sending};
use crate::telemetry::denied_call;
use contract::clock::Clock;
use contract::escaping::escaped;
use contract::{Call, CallError, HttpResponse, Outcome, Sender, Upstream};
use homeserver::Caller;
use runtime::exchange::{Action, CheckedDelivery, Delivered, Egress};
use runtime::{CallDenied, CallEnd, CallInput, Revision};

/// The longest hold of a long poll: the limits of homeservers and their proxies are seldom higher.
pub const MAX_HOLD: Duration = Duration::from_secs(60);

/// Makes the calls of one exchange.
pub(super) struct HomeserverEgress {
    /// The snapshot of the exchange's start.
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) clock: Clock,
    pub(super) revision: Arc<Revision>,
    pub(super) caller: Caller,
    /// Keeps its deliveries; none without a store, and for a request that changes nothing.
    pub(super) deliveries: Option<(Deliveries, Received)>,
    /// What it has to do with sessions; none if its device has not authenticated itself, or there is no store.
    pub(super) session: Option<DeviceSession>,
    /// Its values of sticky options.
    pub(super) remembered: Option<OfSession>,
    /// Its share of the rule's limits and of the gateway's memory.
    pub(super) holding: Holding,
    /// Bytes of the options of its request.
    pub(super) of_request: usize,
    /// Whether there is no room for the call that the rule asks for now.
    pub(super) is_full: bool,
    /// Of all steps; a held call extends it.
    pub(super) deadline: Instant,
    /// The status of the last HTTP response, or the reason why there was none.
    pub(super) last_outcome: Option<Cow<'static, str>>,
    /// Whether a call had no access token only because of the device's address.
    pub(super) refuses_address: bool,
}

impl Egress for HomeserverEgress {
    type Error = GatewayError;

    fn requested(&mut self, action: &Action) {
        let bytes = bytes_of(action.step(), self.of_request);
        self.is_full = self.holding.set(bytes).is_err();
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
                self.note_refusal(&outcome);
                if let Some(session) = &mut self.session {
                    session.note(&self.caller, &call, &outcome);
                }
                if let Some((deliveries, _)) = &self.deliveries
                    && let Some(login) = call.login(&outcome)
                {
                    deliveries.logged_in(&self.caller, &call, &login).await;
                }
                outcome
            }
            Err(denied) => Err(denied),
        };
        Ok(self.record(outcome))
    }

    fn sender(&self) -> Sender {
        let Caller {
            peer,
            token,
            session,
            ..
        } = &self.caller;
        match session {
            Some(session) => Sender::of_session(peer, &session.user),
            None => Sender::of(peer, token.as_ref()),
        }
    }

    fn origin(&self, upstream: &Upstream) -> &str {
        let origin = self.snapshot.upstreams.origin(&self.caller, upstream);
        origin.map_or("", Url::as_str)
    }

    /// At once, if there is no store.
    async fn deliver(&mut self, delivery: CheckedDelivery<'_>) -> Result<Delivered, GatewayError> {
        let Some((deliveries, received)) = self.deliveries.clone().filter(|_| !self.is_full) else {
            return self.call(delivery.call).await.map(Delivered::Outcome);
        };
        let upstreams = &self.snapshot.upstreams;
        let sending = Sending {
            snapshot: &self.snapshot,
            caller: &self.caller,
            rule: self.revision.name(),
            received,
            deadline: self.deadline,
        };
        let delivered = match upstreams.prepare(&self.caller, delivery.call.clone()) {
            Ok(call) => {
                let refuses_address = upstreams.refuses_address(&self.caller, &call);
                let session = self.caller.session_of(&call);
                let delivered = deliveries.deliver(&sending, &delivery, call).await;
                if let Delivered::Outcome(outcome) = &delivered
                    && let Some((of_device, session)) = self.session.as_ref().zip(session)
                {
                    of_device.refuse(&self.caller, session, outcome);
                }
                if let Delivered::Outcome(outcome) = &delivered {
                    self.note_refusal(outcome);
                }
                let is_refused = matches!(&delivered,
                    Delivered::Outcome(Err(error)) if error.reason == "no-credential");
                self.refuses_address = is_refused && refuses_address;
                delivered
            }
            Err(denied) => Delivered::Outcome(Err(denied)),
        };
        Ok(match delivered {
            Delivered::Outcome(outcome) => Delivered::Outcome(self.record(outcome)),
            Delivered::Accepted(id) => {
                self.last_outcome = Some("queued".into());
                Delivered::Accepted(id)
            }
        })
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
    /// The rule says that the device has logged in with this token. The host ignores it on an unsecured transport.
    pub(super) async fn open_session(&self, token: &str) {
        if let Some(remembered) = &self.remembered {
            remembered.forget_token();
        }
        if let Some(session) = &self.session
            && session.open(&self.caller, token).await.is_err()
            && self
                .revision
                .state()
                .budget
                .admit_line(std::time::Instant::now())
        {
            tracing::warn!(
                "rule {}: it opens a session with a token that no homeserver has given out in this exchange; the \
                 device has to send its token",
                self.revision.name()
            );
        }
    }

    /// The rule says that the device has logged out.
    pub(super) fn close_session(&self) {
        if let Some(remembered) = &self.remembered {
            remembered.forget_token();
        }
        if let Some(session) = &self.session {
            session.close(&self.caller, self.origin(&self.own_upstream()));
        }
    }

    fn note_refusal(&self, outcome: &Outcome) {
        if let Some(remembered) = &self.remembered {
            remembered.note(&self.caller, outcome);
        }
    }

    /// The upstream of the device's own token.
    fn own_upstream(&self) -> Upstream {
        match self.caller.requested {
            Some(_) => Upstream::Requested,
            None => Upstream::Standard,
        }
    }

    fn record(&mut self, outcome: Outcome) -> Outcome {
        denied_call::log_denied(&self.revision, &outcome);
        self.last_outcome = Some(match &outcome {
            Ok(HttpResponse { status, .. }) => status.to_string().into(),
            Err(error) => escaped(&error.reason, 32).into(),
        });
        outcome
    }
}
