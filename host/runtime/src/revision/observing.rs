//! Calls the functions of `wit/observer.wit`, and checks their results: once, for the gateway, for
//! `comatrix-gateway rule run` and for the vectors of a manifest.

use super::Revision;
use crate::call::Trap;
use crate::call::exports::Observer;
use crate::call::sensitive_inputs::{SensitiveInputs, device_inputs};
use crate::contract_violation::ContractViolation;
use crate::limits::{Limit, MAX_CHANGE, MAX_CHANGES};
use contract::bindings::{Change, Context, Failure, HttpRequest, HttpResponse, Message, Progress};

/// Why a function of the observer has no result.
#[derive(Debug, thiserror::Error)]
pub enum ObserverError {
    /// The rule does not export the observer interface.
    #[error("it exports no observer")]
    NotExported,
    /// The component trapped.
    #[error(transparent)]
    Trapped(#[from] Trap),
    /// The result breaks the contract.
    #[error(transparent)]
    Contract(#[from] ContractViolation),
    /// The rule's own failure.
    #[error("the rule failed with {}", .0.code)]
    Failed(Failure),
}

impl ObserverError {
    /// The trap, if the component trapped.
    #[must_use]
    pub fn trap(&self) -> Option<&Trap> {
        match self {
            Self::Trapped(trap) => Some(trap),
            _ => None,
        }
    }
}

impl Revision {
    /// Whether the rule exports the observer interface.
    #[must_use]
    pub fn observes(&self) -> bool {
        self.exports.observer.is_some()
    }

    /// `observer.poll` in a fresh instance.
    ///
    /// # Errors
    /// [`ObserverError`].
    pub fn poll(&self, state: &[u8], topics: &[String]) -> Result<HttpRequest, ObserverError> {
        let inputs = SensitiveInputs {
            device: vec![state],
            http_body: &[],
        };
        self.observer(|observer| {
            let params = (self.settings.as_slice(), state, topics);
            self.call(&observer.poll, params, &inputs)
        })
    }

    /// `observer.polled` in a fresh instance.
    ///
    /// # Errors
    /// [`ObserverError`], also for a state or changes above their limits.
    pub fn polled(
        &self,
        state: &[u8],
        topics: &[String],
        response: &HttpResponse,
    ) -> Result<Progress, ObserverError> {
        let inputs = SensitiveInputs {
            device: vec![state],
            http_body: &response.body,
        };
        let progress = self.observer(|observer| {
            let params = (self.settings.as_slice(), state, topics, response);
            self.call(&observer.polled, params, &inputs)
        })?;
        self.check_progress(&progress)?;
        Ok(progress)
    }

    /// `observer.notify` in a fresh instance.
    ///
    /// # Errors
    /// [`ObserverError`], also for a message above the limit of a reply.
    pub fn notify(&self, context: &Context, change: &Change) -> Result<Message, ObserverError> {
        let inputs = SensitiveInputs {
            device: device_inputs(context, None),
            http_body: &change.payload,
        };
        let message = self.observer(|observer| {
            let params = (self.settings.as_slice(), context, change);
            self.call(&observer.notify, params, &inputs)
        })?;
        let (bytes, limit) = (message.payload.len(), self.limits().body);
        if bytes > limit {
            self.state().budget.count(Limit::Body);
            return Err(ContractViolation::Reply { bytes, limit }.into());
        }
        Ok(message)
    }

    fn observer<T>(
        &self,
        call: impl FnOnce(&Observer) -> Result<Result<T, Failure>, Trap>,
    ) -> Result<T, ObserverError> {
        let observer = self
            .exports
            .observer
            .as_ref()
            .ok_or(ObserverError::NotExported)?;
        call(observer)?.map_err(ObserverError::Failed)
    }

    fn check_progress(&self, progress: &Progress) -> Result<(), ContractViolation> {
        let (bytes, limit) = (progress.state.len(), self.limits().state);
        if bytes > limit {
            self.state().budget.count(Limit::State);
            return Err(ContractViolation::State { bytes, limit });
        }
        let (count, limit) = (progress.changes.len(), MAX_CHANGES);
        if count > limit {
            return Err(ContractViolation::Changes { count, limit });
        }
        let payloads = progress.changes.iter().map(|change| change.payload.len());
        match payloads.max().filter(|bytes| *bytes > MAX_CHANGE) {
            Some(bytes) => Err(ContractViolation::Change {
                bytes,
                limit: MAX_CHANGE,
            }),
            None => Ok(()),
        }
    }
}
