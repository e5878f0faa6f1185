//! Calls the functions of `wit/feed.wit`, and checks their results.

use super::Revision;
use super::observing::ObserverError;
use crate::call::Trap;
use crate::call::exports::Feeder;
use crate::call::sensitive_inputs::{SensitiveInputs, device_inputs};
use crate::contract_violation::ContractViolation;
use crate::limits::Limit;
use contract::bindings::{Context, Failure, HttpRequest, HttpResponse};
use contract::feed_progress::FeedProgress;

impl Revision {
    /// Whether the observations of this link are feeds.
    #[must_use]
    pub fn feeds(&self, link: u16) -> bool {
        self.feeds.contains(&link)
    }

    /// `feed.poll` in a fresh instance.
    ///
    /// # Errors
    /// [`ObserverError`].
    pub fn feed_poll(&self, context: &Context, state: &[u8]) -> Result<HttpRequest, ObserverError> {
        let inputs = inputs(context, state, &[]);
        self.feeder(|feeder| {
            let params = (self.settings.as_slice(), context, state);
            self.call(&feeder.poll, params, &inputs)
        })
    }

    /// `feed.polled` in a fresh instance.
    ///
    /// # Errors
    /// [`ObserverError`], also for a state or a message above their limits.
    pub fn feed_polled(
        &self,
        context: &Context,
        state: &[u8],
        response: &HttpResponse,
    ) -> Result<FeedProgress, ObserverError> {
        let inputs = inputs(context, state, &response.body);
        let progress = self.feeder(|feeder| {
            let params = (self.settings.as_slice(), context, state, response);
            self.call(&feeder.polled, params, &inputs)
        })?;
        let (bytes, limit) = (progress.state.len(), self.limits().state);
        if bytes > limit {
            self.state().budget.count(Limit::State);
            return Err(ContractViolation::State { bytes, limit }.into());
        }
        let bytes = progress
            .message
            .as_ref()
            .map_or(0, |message| message.payload.len());
        let limit = self.limits().body;
        if bytes > limit {
            self.state().budget.count(Limit::Body);
            return Err(ContractViolation::Reply { bytes, limit }.into());
        }
        Ok(progress)
    }

    fn feeder<T>(
        &self,
        call: impl FnOnce(&Feeder) -> Result<Result<T, Failure>, Trap>,
    ) -> Result<T, ObserverError> {
        let feeder = self.exports.feeder.as_ref();
        let feeder = feeder.ok_or(ObserverError::NotExported)?;
        call(feeder)?.map_err(ObserverError::Failed)
    }
}

fn inputs<'a>(context: &'a Context, state: &'a [u8], http_body: &'a [u8]) -> SensitiveInputs<'a> {
    SensitiveInputs {
        device: device_inputs(context, None)
            .into_iter()
            .chain([state])
            .collect(),
        http_body,
    }
}
