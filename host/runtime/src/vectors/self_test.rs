//! Runs a manifest's vectors against the component before it serves: by the gateway's own driver, so under its limits
//! and its policy.

use std::sync::Arc;

use comatrix_sdk::bindings as sdk;
use comatrix_sdk::vectors::{Case, Fault, Made, Observer, Outcome as CaseOutcome};

use super::conversion::{
    to_host_change, to_host_context, to_host_message, to_host_outcome, to_host_response,
    to_sdk_delivery, to_sdk_description, to_sdk_failure, to_sdk_message, to_sdk_progress,
    to_sdk_reply, to_sdk_request,
};
use crate::exchange::{
    Action, CheckedDelivery, Delivered, Egress, End, Exchange, ExchangeError, Progress,
};
use crate::revision::Revision;
use crate::revision::call_policy::CallDenied;
use crate::revision::observing::ObserverError;
use contract::bindings::HttpRequest;
use contract::escaping::escaped;
use contract::{Call, Delivery, Outcome, Sender, Upstream};

/// Bytes of a difference: it can contain a payload.
const MAX_DIFFERENCE: usize = 400;

/// A vector that the component does not pass.
#[derive(Debug, thiserror::Error)]
#[error(
    "vector \"{vector}\": {difference}; the component does not do what it was released for: ask its author, or \
     correct rule or vector if they are yours"
)]
pub struct SelfTestError {
    /// The vector's name.
    pub vector: String,
    /// The difference.
    pub difference: String,
}

/// Runs vectors against a revision, each with its own settings (none if it has none): they test the component and not
/// its operator's configuration. Returns their number.
///
/// # Errors
/// [`SelfTestError`] for the first that ends otherwise, traps, or exceeds the description's needs or the limits.
pub fn self_test(revision: &Revision, vectors: &[Case]) -> Result<usize, SelfTestError> {
    for vector in vectors {
        run(revision, vector).map_err(|Difference(difference)| SelfTestError {
            vector: escaped(&vector.name, 64),
            difference: escaped(&difference, MAX_DIFFERENCE),
        })?;
    }
    Ok(vectors.len())
}

/// How a component differs from a vector.
struct Difference(String);

impl From<String> for Difference {
    fn from(difference: String) -> Self {
        Self(difference)
    }
}

/// No vector may expect a trap or a result above a limit.
impl From<ExchangeError> for Difference {
    fn from(error: ExchangeError) -> Self {
        Self(error.to_string())
    }
}

fn run(activated: &Revision, vector: &Case) -> Result<(), Difference> {
    let configured = activated
        .with_settings(&vector.settings())
        .map_err(|trap| trap.to_string())?
        .map_err(|refusal| format!("it refuses the settings: {refusal}"))?;
    let revision = Arc::new(configured);
    let request = vector.message();
    let links = to_sdk_description(revision.description()).links;
    let context = vector.context(&links, request.code)?;
    let mut egress = ExpectedCalls {
        vector,
        now: context.now,
        made: 0,
        requested: None,
    };
    let request = to_host_message(&request);
    let (mut exchange, progress) = Exchange::begin(&revision, to_host_context(&context), &request)?;
    let end = match progress {
        Progress::Action(action) => exchange.drive_without_waiting(action, &mut egress)?,
        Progress::End(end) => end,
    };
    let end = match end {
        End::Reply(reply) => Ok(to_sdk_reply(reply)),
        End::Failure(failure) => Err(to_sdk_failure(failure)),
    };
    let watch = vector.check_end(egress.made, end)?;
    Ok(vector.observe(&mut Component(&revision), &context, watch)?)
}

/// Compares the calls with those of the vector, and returns the vector's outcomes.
struct ExpectedCalls<'a> {
    vector: &'a Case,
    now: Option<u64>,
    /// Calls so far.
    made: usize,
    /// The call or the delivery that the rule asks for.
    requested: Option<Requested>,
}

enum Requested {
    Call(HttpRequest),
    Delivery(Delivery),
}

impl ExpectedCalls<'_> {
    /// The outcome of the call or the delivery that the rule asks for.
    fn outcome(&mut self) -> Result<CaseOutcome, Difference> {
        let outcome = match self.requested.take().expect("the rule has asked for it") {
            Requested::Call(request) => {
                let request = to_sdk_request(request);
                self.vector.outcome(self.made, Made::Call(&request))?
            }
            Requested::Delivery(delivery) => {
                let delivery = to_sdk_delivery(delivery);
                self.vector.outcome(self.made, Made::Delivery(&delivery))?
            }
        };
        self.made += 1;
        Ok(outcome)
    }
}

impl Egress for ExpectedCalls<'_> {
    type Error = Difference;

    fn requested(&mut self, action: &Action) {
        self.requested = Some(match action {
            Action::Call(step) => Requested::Call(step.request.clone()),
            Action::Deliver(delivery) => Requested::Delivery(delivery.clone()),
        });
    }

    async fn call(&mut self, _call: Call) -> Result<Outcome, Difference> {
        match self.outcome()? {
            CaseOutcome::Response(outcome) => Ok(to_host_outcome(outcome)),
            CaseOutcome::Accepted(_) => unreachable!("a case accepts only deliveries"),
        }
    }

    fn sender(&self) -> Sender {
        Sender::nobody()
    }

    fn origin(&self, _upstream: &Upstream) -> &str {
        ""
    }

    async fn deliver(&mut self, _delivery: CheckedDelivery<'_>) -> Result<Delivered, Difference> {
        Ok(match self.outcome()? {
            CaseOutcome::Response(outcome) => Delivered::Outcome(to_host_outcome(outcome)),
            CaseOutcome::Accepted(id) => Delivered::Accepted(id),
        })
    }

    fn deny(&mut self, denied: CallDenied) -> Result<Outcome, Difference> {
        let request = match self.requested.take().expect("the rule has asked for it") {
            Requested::Call(request) => request,
            Requested::Delivery(delivery) => delivery.step.request,
        };
        Err(is_denied(&request, denied).into())
    }

    fn now(&self) -> Option<u64> {
        self.now
    }
}

/// No vector may expect a call that a gateway would deny.
fn is_denied(request: &HttpRequest, denied: CallDenied) -> String {
    let path = request.path.join("/");
    format!("it calls {} /{path}: {denied}", request.method)
}

/// The observer of a component.
struct Component<'a>(&'a Revision);

impl Observer for Component<'_> {
    fn poll(&mut self, state: &[u8], topics: &[String]) -> Result<sdk::HttpRequest, Fault> {
        let request = self.0.poll(state, topics).map_err(fault)?;
        match self.0.check_call(request.clone()) {
            Ok(_) => Ok(to_sdk_request(request)),
            Err(denied) => Err(Fault::Broken(is_denied(&request, denied))),
        }
    }

    fn polled(
        &mut self,
        state: &[u8],
        topics: &[String],
        response: &sdk::HttpResponse,
    ) -> Result<sdk::Progress, Fault> {
        let response = to_host_response(response.clone());
        let progress = self.0.polled(state, topics, &response).map_err(fault)?;
        Ok(to_sdk_progress(progress))
    }

    fn notify(
        &mut self,
        context: &sdk::Context,
        change: &sdk::Change,
    ) -> Result<sdk::Message, Fault> {
        let (context, change) = (to_host_context(context), to_host_change(change));
        let message = self.0.notify(&context, &change).map_err(fault)?;
        Ok(to_sdk_message(message))
    }
}

fn fault(error: ObserverError) -> Fault {
    match error {
        ObserverError::Failed(failure) => Fault::Failed(to_sdk_failure(failure)),
        broken => Fault::Broken(broken.to_string()),
    }
}
