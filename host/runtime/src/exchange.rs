//! Drives a rule through one exchange: `begin`, the calls that it asks for, `resume`, until it replies.
//!
//! There is one driver for the gateway, for `comatrix-gateway rule run` and for the vectors of a manifest; they differ
//! in their [`Egress`]. So a rule meets the same limits and the same policy on its author's machine and on a gateway.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Waker};

use crate::call::Trap;
use crate::contract_violation::ContractViolation;
use crate::limits::Limit;
use crate::revision::Revision;
use crate::revision::call_input::{CallEnd, CallInput};
use crate::revision::call_policy::CallDenied;
use contract::{Call, Context, Effect, Failure, Message, Outcome, Reply, Step};

/// Makes the calls of an exchange.
pub trait Egress {
    /// Ends the exchange before the rule has replied.
    type Error: From<ExchangeError>;

    /// The rule asks for a call, which it may make or not.
    fn requested(&mut self, _step: &Step) {}

    /// Makes a call that the rule may make.
    ///
    /// # Errors
    /// The exchange ends with them; a call without an HTTP response is an [`Outcome`] instead.
    fn call(&mut self, call: Call) -> impl Future<Output = Result<Outcome, Self::Error>>;

    /// The rule may not make the call. The rule learns it from the outcome `denied`.
    ///
    /// # Errors
    /// The exchange ends with them.
    fn deny(&mut self, denied: CallDenied) -> Result<Outcome, Self::Error>;

    /// `context.now` of the rule's next call.
    fn now(&self) -> Option<u64>;

    /// The component was called again, with this input.
    fn resumed(&mut self, _input: &CallInput<'_>, _end: CallEnd<'_>) {}
}

/// An exchange that a rule has begun.
pub struct Exchange {
    revision: Arc<Revision>,
    context: Context,
}

/// The state of an exchange after a call of the component.
pub enum Progress {
    /// The rule asks for a homeserver call.
    Call(Step),
    /// The rule has ended the exchange.
    End(End),
}

/// The rule's end of an exchange.
pub enum End {
    /// Its reply.
    Reply(Reply),
    /// Its own failure.
    Failure(Failure),
}

/// The rule gave no result that counts.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// The component trapped.
    #[error(transparent)]
    Trapped(#[from] Trap),
    /// The result breaks the contract.
    #[error(transparent)]
    Contract(#[from] ContractViolation),
}

impl Exchange {
    /// Calls `translator.begin`.
    ///
    /// # Errors
    /// [`ExchangeError`]: the component trapped, or its result is above a limit.
    pub fn begin(
        revision: &Arc<Revision>,
        context: Context,
        request: &Message,
    ) -> Result<(Self, Progress), ExchangeError> {
        let result = revision.begin(&context, request)?;
        Ok(Self::begun(revision, context, result)?)
    }

    /// An exchange whose `translator.begin` was called, with this result.
    ///
    /// # Errors
    /// [`ContractViolation`]: the result is above a limit.
    pub fn begun(
        revision: &Arc<Revision>,
        context: Context,
        result: Result<Effect, Failure>,
    ) -> Result<(Self, Progress), ContractViolation> {
        let progress = progress(revision, result)?;
        let revision = revision.clone();
        Ok((Self { revision, context }, progress))
    }

    /// Makes the calls that the rule asks for, the first of them `step`, until it ends the exchange.
    ///
    /// # Errors
    /// The egress's own, and [`ExchangeError`]: the component trapped, its result is above a limit, or it asks for too
    /// many calls.
    pub async fn drive<E: Egress>(
        &mut self,
        mut step: Step,
        egress: &mut E,
    ) -> Result<End, E::Error> {
        let limit = self.revision.limits().steps;
        for _ in 0..limit {
            egress.requested(&step);
            let Step { request, state } = step;
            let outcome = match self.revision.check_call(request) {
                Ok(call) => egress.call(call).await?,
                Err(denied) => egress.deny(denied)?,
            };
            self.context.now = egress.now();
            let result = self
                .revision
                .resume(&self.context, &state, outcome.as_ref());
            let input = CallInput::Resume(&self.context, &state, outcome.as_ref());
            egress.resumed(&input, CallEnd::of(&result));
            let result = result.map_err(ExchangeError::from)?;
            match progress(&self.revision, result).map_err(ExchangeError::from)? {
                Progress::Call(next) => step = next,
                Progress::End(end) => return Ok(end),
            }
        }
        self.revision.state().budget.count(Limit::Steps);
        Err(ExchangeError::from(ContractViolation::Steps { limit }).into())
    }

    /// As [`Exchange::drive`], for an egress that never waits: one that holds its outcomes already.
    ///
    /// # Errors
    /// As [`Exchange::drive`].
    ///
    /// # Panics
    /// If the egress waits.
    pub fn drive_without_waiting<E: Egress>(
        &mut self,
        step: Step,
        egress: &mut E,
    ) -> Result<End, E::Error> {
        let driven = pin!(self.drive(step, egress));
        match driven.poll(&mut TaskContext::from_waker(Waker::noop())) {
            Poll::Ready(end) => end,
            Poll::Pending => unreachable!("the egress holds its outcomes"),
        }
    }

    /// The revision that began the exchange.
    #[must_use]
    pub fn revision(&self) -> &Arc<Revision> {
        &self.revision
    }

    /// The context of the exchange's calls.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.context
    }
}

/// Checks a result of the component against the revision's limits.
fn progress(
    revision: &Revision,
    result: Result<Effect, Failure>,
) -> Result<Progress, ContractViolation> {
    let limits = revision.limits();
    let violation = match &result {
        Ok(Effect::Reply(reply)) if reply.message.payload.len() > limits.body => {
            let (bytes, limit) = (reply.message.payload.len(), limits.body);
            Some((Limit::Body, ContractViolation::Reply { bytes, limit }))
        }
        Ok(Effect::Call(step)) if step.state.len() > limits.state => {
            let (bytes, limit) = (step.state.len(), limits.state);
            Some((Limit::State, ContractViolation::State { bytes, limit }))
        }
        _ => None,
    };
    if let Some((limit, violation)) = violation {
        revision.state().budget.count(limit);
        return Err(violation);
    }
    Ok(match result {
        Ok(Effect::Call(step)) => Progress::Call(step),
        Ok(Effect::Reply(reply)) => Progress::End(End::Reply(reply)),
        Err(failure) => Progress::End(End::Failure(failure)),
    })
}
