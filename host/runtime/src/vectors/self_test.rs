//! Runs a manifest's vectors against the component before it serves.

use std::collections::BTreeMap;

use comatrix_sdk::bindings as sdk;
use comatrix_sdk::vectors::{Case, Rule};

use super::conversion::{
    to_host_change, to_host_context, to_host_message, to_host_outcome, to_host_response,
    to_sdk_description, to_sdk_failure, to_sdk_message, to_sdk_progress, to_sdk_request,
    to_sdk_result,
};
use crate::call::Trap;
use crate::revision::Revision;
use contract::bindings::{Effect, Failure, HttpRequest};
use contract::escaping::escaped;

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
        let mut guarded = Guarded {
            activated: revision,
            configured: None,
            fault: None,
        };
        let ran = vector.run(&mut guarded);
        // The case gets a trap as a failure, which it could expect.
        let difference = guarded.fault.or_else(|| {
            let named = ran.err()?;
            let unnamed = named.strip_prefix(&format!("{}: ", vector.name));
            Some(unnamed.unwrap_or(&named).to_owned())
        });
        if let Some(difference) = difference {
            return Err(SelfTestError {
                vector: escaped(&vector.name, 64),
                difference: escaped(&difference, MAX_DIFFERENCE),
            });
        }
    }
    Ok(vectors.len())
}

/// The component, with the checks that the gateway makes.
struct Guarded<'a> {
    activated: &'a Revision,
    /// With the vector's settings.
    configured: Option<Revision>,
    /// A fault that no case may expect.
    fault: Option<String>,
}

impl Guarded<'_> {
    fn revision(&self) -> &Revision {
        self.configured.as_ref().unwrap_or(self.activated)
    }

    /// The result of a call, unless the gateway would end the exchange or deny the call that it asks for.
    fn checked(
        &mut self,
        result: Result<Result<Effect, Failure>, Trap>,
    ) -> Result<sdk::Effect, sdk::Failure> {
        let fault = match result {
            Err(trap) => trap.to_string(),
            Ok(Ok(Effect::Call(step))) => {
                let denied = denied(self.revision(), &step.request);
                let too_much = || {
                    self.is_too_much(&step.state)
                        .then(|| self.too_much(&step.state))
                };
                match denied.or_else(too_much) {
                    Some(fault) => fault,
                    None => return to_sdk_result(Ok(Effect::Call(step))),
                }
            }
            Ok(result) => return to_sdk_result(result),
        };
        Err(self.failed(fault))
    }

    /// The result of a call of the observer.
    fn observed<T>(
        &mut self,
        result: Result<Option<Result<T, Failure>>, Trap>,
        fault: impl FnOnce(&Self, &T) -> Option<String>,
    ) -> Option<Result<T, sdk::Failure>> {
        let fault = match result {
            Ok(None) => return None,
            Ok(Some(Err(failure))) => return Some(Err(to_sdk_failure(failure))),
            Ok(Some(Ok(value))) => match fault(self, &value) {
                None => return Some(Ok(value)),
                Some(fault) => fault,
            },
            Err(trap) => trap.to_string(),
        };
        Some(Err(self.failed(fault)))
    }

    fn is_too_much(&self, state: &[u8]) -> bool {
        state.len() > self.revision().limits().state
    }

    fn too_much(&self, state: &[u8]) -> String {
        let (bytes, limit) = (state.len(), self.revision().limits().state);
        format!("its state has {bytes} bytes, the limit is {limit}")
    }

    fn failed(&mut self, fault: String) -> sdk::Failure {
        self.fault = Some(fault.clone());
        sdk::Failure {
            code: comatrix_sdk::code::INTERNAL_SERVER_ERROR,
            diagnostic: fault,
            max_age: None,
        }
    }
}

/// The reason why a gateway would deny this call.
fn denied(revision: &Revision, request: &HttpRequest) -> Option<String> {
    let denied = revision.check_call(request.clone()).err()?;
    let path = request.path.join("/");
    Some(format!("it calls {} /{path}: {denied}", request.method))
}

impl Rule for Guarded<'_> {
    fn configure(
        &mut self,
        settings: &BTreeMap<String, String>,
    ) -> Result<sdk::Description, String> {
        let configured = self
            .activated
            .with_settings(settings)
            .map_err(|trap| trap.to_string())?
            .map_err(|refusal| format!("it refuses the settings: {refusal}"))?;
        let description = to_sdk_description(configured.description());
        self.configured = Some(configured);
        Ok(description)
    }

    fn begin(
        &mut self,
        context: &sdk::Context,
        request: &sdk::Message,
    ) -> Result<sdk::Effect, sdk::Failure> {
        let result = self
            .revision()
            .begin(&to_host_context(context), &to_host_message(request));
        self.checked(result)
    }

    fn resume(
        &mut self,
        context: &sdk::Context,
        state: &[u8],
        outcome: Result<sdk::HttpResponse, sdk::CallError>,
    ) -> Result<sdk::Effect, sdk::Failure> {
        let outcome = to_host_outcome(outcome);
        let context = to_host_context(context);
        let result = self.revision().resume(&context, state, outcome.as_ref());
        self.checked(result)
    }

    fn poll(
        &mut self,
        state: &[u8],
        topics: &[String],
    ) -> Option<Result<sdk::HttpRequest, sdk::Failure>> {
        let result = self.revision().poll(state, topics);
        let request = self.observed(result, |rule, request| denied(rule.revision(), request));
        request.map(|request| request.map(to_sdk_request))
    }

    fn polled(
        &mut self,
        state: &[u8],
        topics: &[String],
        response: &sdk::HttpResponse,
    ) -> Option<Result<sdk::Progress, sdk::Failure>> {
        let response = to_host_response(response.clone());
        let result = self.revision().polled(state, topics, &response);
        let progress = self.observed(result, |rule, progress| {
            rule.is_too_much(&progress.state)
                .then(|| rule.too_much(&progress.state))
        });
        progress.map(|progress| progress.map(to_sdk_progress))
    }

    fn notify(
        &mut self,
        context: &sdk::Context,
        change: &sdk::Change,
    ) -> Option<Result<sdk::Message, sdk::Failure>> {
        let (context, change) = (to_host_context(context), to_host_change(change));
        let result = self.revision().notify(&context, &change);
        let message = self.observed(result, |_, _| None);
        message.map(|message| message.map(to_sdk_message))
    }
}
