//! How far an exchange has come after a call of the component.

use crate::call::Trap;
use crate::contract_violation::ContractViolation;
use crate::limits::Limit;
use crate::revision::Revision;
use contract::{Delivery, Effect, Failure, Message, Reply, Step, delivery};

/// The class of a success (RFC 7252 §5.9.1).
const SUCCESS: u8 = 2;

/// The state of an exchange after a call of the component.
pub enum Progress {
    /// The rule asks for something, and waits for its outcome.
    Action(Action),
    /// The rule has ended the exchange.
    End(End),
}

/// What a rule waits for.
pub enum Action {
    /// A homeserver call.
    Call(Step),
    /// A delivery. Its own parts have the form that the contract allows.
    Deliver(Delivery),
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

impl Action {
    /// Its request and state; the path of a delivery's request lacks the last segment.
    #[must_use]
    pub fn step(&self) -> &Step {
        match self {
            Self::Call(step) => step,
            Self::Deliver(delivery) => &delivery.step,
        }
    }
}

/// Checks a result of `begin` or `resume` against the contract and the revision's limits.
pub(super) fn progress(
    revision: &Revision,
    result: Result<Effect, Failure>,
) -> Result<Progress, ContractViolation> {
    Ok(match result {
        Ok(Effect::Call(step)) => {
            check_state(revision, &step)?;
            Progress::Action(Action::Call(step))
        }
        Ok(Effect::Deliver(delivery)) => {
            check_state(revision, &delivery.step)?;
            delivery::check(&delivery)?;
            Progress::Action(Action::Deliver(delivery))
        }
        Ok(Effect::Reply(reply)) => {
            check_body(revision, &reply.message)?;
            Progress::End(End::Reply(reply))
        }
        Err(failure) => Progress::End(End::Failure(failure)),
    })
}

/// Checks a result of `outbox.accepted`. A message must be a success: the delivery is stored, and the device must not
/// hear that it is not. After a failure the device repeats its message, which has the same id.
pub(super) fn accepted(
    revision: &Revision,
    result: Option<Result<Message, Failure>>,
) -> Result<End, ContractViolation> {
    match result {
        None => Err(ContractViolation::NoOutbox),
        Some(Err(failure)) => Ok(End::Failure(failure)),
        Some(Ok(message)) if message.code >> 5 != SUCCESS => {
            let code = message.code;
            Err(ContractViolation::Accepted { code })
        }
        Some(Ok(message)) => {
            check_body(revision, &message)?;
            Ok(End::Reply(Reply {
                message,
                session: None,
                watch: None,
            }))
        }
    }
}

fn check_state(revision: &Revision, step: &Step) -> Result<(), ContractViolation> {
    let (bytes, limit) = (step.state.len(), revision.limits().state);
    if bytes > limit {
        revision.state().budget.count(Limit::State);
        return Err(ContractViolation::State { bytes, limit });
    }
    Ok(())
}

fn check_body(revision: &Revision, message: &Message) -> Result<(), ContractViolation> {
    let (bytes, limit) = (message.payload.len(), revision.limits().body);
    if bytes > limit {
        revision.state().budget.count(Limit::Body);
        return Err(ContractViolation::Reply { bytes, limit });
    }
    Ok(())
}
