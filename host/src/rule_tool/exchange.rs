//! One exchange of a rule, driven as on a gateway, with HTTP responses from the command line.

use std::sync::Arc;

use super::error::ToolError;
use super::exchange_event::Event;
use super::feed::feed;
use super::observation::observe;
use coap::option::OBSERVE;
use contract::{Call, Mismatch, Outcome, Sender, Target, Upstream};
use gateway::request::GatewayError;
use gateway::request::admission::{self, Admitted};
use gateway::request::reply::{failed, to_coap};
use gateway::request::routing;
use runtime::exchange::{Action, CheckedDelivery, Delivered, Egress, End, Exchange, Progress};
use runtime::{CallDenied, Revision};

/// The id of every exchange. The vectors have the same one, so that outputs can be compared.
const FLOW_ID: &str = "00112233445566778899aabbccddeeff";

/// The input of an exchange.
pub(super) struct Setting {
    pub(super) request: coap::Message,
    pub(super) requested: Option<Target>,
    pub(super) outcomes: Vec<Outcome>,
    pub(super) now: Option<u64>,
}

/// Executes the rule for one request. `events` gets each step, also those before an error.
pub(super) fn exchange(
    revision: &Arc<Revision>,
    setting: Setting,
    events: &mut Vec<Event>,
) -> Result<(), ToolError> {
    let admitted = match admit(revision, setting.request, events) {
        Ok(admitted) => admitted,
        Err(error) => {
            events.push(Event::Error(error));
            return Ok(());
        }
    };
    let (mut context, request) = admitted.split(FLOW_ID.to_owned(), setting.now, None);
    context.requested = setting.requested;
    let (mut exchange, progress) = Exchange::begin(revision, context, &request.message)?;
    let mut egress = ScriptedEgress {
        outcomes: setting.outcomes.into_iter(),
        now: setting.now,
        made: 0,
        events,
    };
    let end = match progress {
        Progress::End(end) => end,
        Progress::Action(action) => exchange.drive_without_waiting(action, &mut egress)?,
    };
    let outcomes = egress.outcomes;
    let (message, session, watch) = match end {
        End::Failure(failure) => (failed(failure), None, None),
        End::Reply(reply) => {
            let watch = reply.watch.filter(|_| request.observes);
            (to_coap(reply.message), reply.session, watch)
        }
    };
    events.push(Event::Response {
        message: message?,
        session,
        watch: watch.as_ref().map(|watch| watch.topic.clone()),
    });
    match watch {
        Some(watch) if revision.feeds(exchange.context().link) => {
            feed(revision, exchange.context(), watch.state, outcomes, events)
        }
        Some(watch) => observe(revision, exchange.context(), watch, outcomes, events),
        None => Ok(()),
    }
}

/// Admits the request as a gateway does. Its Proxy-Uri is an argument of its own.
fn admit(
    revision: &Revision,
    request: coap::Message,
    events: &mut Vec<Event>,
) -> Result<Admitted, GatewayError> {
    let found = routing::path(&request).and_then(|path| {
        revision
            .find(&path, request.code)
            .map_err(|mismatch| match mismatch {
                Mismatch::Path => GatewayError::NotFound,
                Mismatch::Method => GatewayError::Method,
            })
    });
    let link = found.as_ref().ok().map(|found| found.link);
    events.push(Event::Request(request.clone(), link));
    let observes = request.uint_option(OBSERVE) == Some(0);
    let no_homeserver = |_: &_| Err("pass the Proxy-Uri with --proxy-uri");
    admission::admit(request, found?, revision, observes, no_homeserver)
}

/// Makes no calls: it returns the outcomes of the command line, and records each step.
struct ScriptedEgress<'a> {
    outcomes: std::vec::IntoIter<Outcome>,
    now: Option<u64>,
    /// Calls so far.
    made: usize,
    events: &'a mut Vec<Event>,
}

impl ScriptedEgress<'_> {
    fn record(&mut self, outcome: Option<Outcome>) -> Result<Outcome, ToolError> {
        let outcome = outcome.ok_or(ToolError::NoResponse(self.made))?;
        self.events.push(Event::Outcome(outcome.clone()));
        Ok(outcome)
    }
}

impl Egress for ScriptedEgress<'_> {
    type Error = ToolError;

    fn requested(&mut self, action: &Action) {
        self.made += 1;
        let step = action.step();
        self.events.push(Event::Call {
            request: step.request.clone(),
            delivery: match action {
                Action::Call(_) => None,
                Action::Deliver(delivery) => {
                    Some((delivery.lane.clone(), delivery.transaction.clone()))
                }
            },
            state: step.state.len(),
        });
    }

    async fn call(&mut self, _call: Call) -> Result<Outcome, ToolError> {
        let outcome = self.outcomes.next();
        self.record(outcome)
    }

    fn sender(&self) -> Sender {
        Sender::nobody()
    }

    fn origin(&self, _upstream: &Upstream) -> &str {
        ""
    }

    async fn deliver(&mut self, delivery: CheckedDelivery<'_>) -> Result<Delivered, ToolError> {
        self.call(delivery.call).await.map(Delivered::Outcome)
    }

    fn deny(&mut self, denied: CallDenied) -> Result<Outcome, ToolError> {
        self.record(Some(Err(denied.into())))
    }

    fn now(&self) -> Option<u64> {
        self.now
    }
}
