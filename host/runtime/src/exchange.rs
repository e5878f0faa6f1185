//! Drives a rule through one exchange: `begin`, the calls that it asks for, `resume`, until it replies.
//!
//! There is one driver for the gateway, for `comatrix-gateway rule run` and for the vectors of a manifest; they differ
//! in their [`Egress`]. So a rule meets the same limits and the same policy on its author's machine and on a gateway.

mod egress;
mod progress;

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Waker};

use crate::contract_violation::ContractViolation;
use crate::limits::Limit;
use crate::revision::Revision;
use crate::revision::call_input::{CallEnd, CallInput};
use contract::{
    CallError, Context, DeliveryId, Effect, Failure, HttpRequest, HttpResponse, Message, Step,
};
pub use egress::{CheckedDelivery, Delivered, Egress};
use progress::progress;
pub use progress::{Action, End, ExchangeError, Progress};

/// An exchange that a rule has begun.
pub struct Exchange {
    revision: Arc<Revision>,
    context: Context,
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
        Ok(Self::after(revision, context, result)?)
    }

    /// Calls `translator.resume` with the outcome of a stored delivery. It can be that of another revision of the rule.
    ///
    /// # Errors
    /// [`ExchangeError`]: the component trapped, or its result is above a limit.
    pub fn resumed(
        revision: &Arc<Revision>,
        context: Context,
        state: &[u8],
        outcome: Result<&HttpResponse, &CallError>,
    ) -> Result<(Self, Progress), ExchangeError> {
        let result = revision.resume(&context, state, outcome)?;
        Ok(Self::after(revision, context, result)?)
    }

    /// An exchange whose first call of the component, `translator.begin` or `translator.resume`, was made, with this
    /// result.
    ///
    /// # Errors
    /// [`ContractViolation`]: the result is above a limit.
    pub fn after(
        revision: &Arc<Revision>,
        context: Context,
        result: Result<Effect, Failure>,
    ) -> Result<(Self, Progress), ContractViolation> {
        let progress = progress(revision, result)?;
        let revision = revision.clone();
        Ok((Self { revision, context }, progress))
    }

    /// Makes the calls and deliveries that the rule asks for, the first of them `action`, until it ends the exchange or
    /// a delivery is stored.
    ///
    /// # Errors
    /// The egress's own, and [`ExchangeError`]: the component trapped, its result is above a limit, or it asks for too
    /// many calls.
    pub async fn drive<E: Egress>(
        &mut self,
        mut action: Action,
        egress: &mut E,
    ) -> Result<End, E::Error> {
        let limit = self.revision.limits().steps;
        for _ in 0..limit {
            egress.requested(&action);
            let (outcome, state) = match action {
                Action::Call(Step { request, state }) => {
                    let outcome = match self.revision.check_call(request) {
                        Ok(call) => egress.call(call).await?,
                        Err(denied) => egress.deny(denied)?,
                    };
                    (outcome, state)
                }
                Action::Deliver(delivery) => {
                    let Step { request, state } = delivery.step;
                    let named = (delivery.lane.as_str(), delivery.transaction.as_str());
                    match self.deliver(named, request, &state, egress).await? {
                        Delivered::Outcome(outcome) => (outcome, state),
                        Delivered::Accepted(id) => return self.accepted(&state, &id, egress),
                    }
                }
            };
            self.context.now = egress.now();
            let result = self
                .revision
                .resume(&self.context, &state, outcome.as_ref());
            let input = CallInput::Resume(&self.context, &state, outcome.as_ref());
            egress.resumed(&input, CallEnd::of(&result));
            let result = result.map_err(ExchangeError::from)?;
            match progress(&self.revision, result).map_err(ExchangeError::from)? {
                Progress::Action(next) => action = next,
                Progress::End(end) => return Ok(end),
            }
        }
        self.revision.state().budget.count(Limit::Steps);
        Err(ExchangeError::from(ContractViolation::Steps { limit }).into())
    }

    /// Makes a delivery, unless the rule may not.
    async fn deliver<E: Egress>(
        &self,
        (lane, transaction): (&str, &str),
        request: HttpRequest,
        state: &[u8],
        egress: &mut E,
    ) -> Result<Delivered, E::Error> {
        let origin = egress.origin(&request.upstream);
        let id = DeliveryId::of(&egress.sender(), origin, &request, transaction);
        match self.revision.check_delivery(request, id) {
            Ok(call) => {
                let delivery = CheckedDelivery {
                    id,
                    lane,
                    transaction,
                    call,
                    context: &self.context,
                    state,
                    can_wait: self.revision.deliveries_can_wait(),
                };
                egress.deliver(delivery).await
            }
            Err(denied) => egress.deny(denied).map(Delivered::Outcome),
        }
    }

    /// The end of an exchange whose delivery is stored.
    fn accepted<E: Egress>(
        &mut self,
        state: &[u8],
        id: &str,
        egress: &mut E,
    ) -> Result<End, E::Error> {
        self.context.now = egress.now();
        let result = self.revision.accepted(&self.context, state, id);
        egress.resumed(
            &CallInput::Accepted,
            CallEnd::of_trap(result.as_ref().err()),
        );
        let result = result.map_err(ExchangeError::from)?;
        Ok(progress::accepted(&self.revision, result).map_err(ExchangeError::from)?)
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
        action: Action,
        egress: &mut E,
    ) -> Result<End, E::Error> {
        let driven = pin!(self.drive(action, egress));
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
