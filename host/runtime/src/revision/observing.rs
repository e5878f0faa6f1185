//! Calls the functions of `wit/observer.wit`.

use super::Revision;
use crate::call::Trap;
use crate::call::exports::Observer;
use crate::call::sensitive_inputs::{SensitiveInputs, device_inputs};
use contract::bindings::{Change, Context, Failure, HttpRequest, HttpResponse, Message, Progress};

impl Revision {
    /// Whether the rule exports the observer interface.
    #[must_use]
    pub fn observes(&self) -> bool {
        self.exports.observer.is_some()
    }

    /// `observer.poll` in a fresh instance; none if the rule does not export it.
    ///
    /// # Errors
    /// [`Trap`]; the rule's own [`Failure`] is a result.
    pub fn poll(
        &self,
        state: &[u8],
        topics: &[String],
    ) -> Result<Option<Result<HttpRequest, Failure>>, Trap> {
        let inputs = SensitiveInputs {
            device: vec![state],
            http_body: &[],
        };
        self.observer(|observer| {
            let params = (self.settings.as_slice(), state, topics);
            self.call(&observer.poll, params, &inputs)
        })
    }

    /// `observer.polled` in a fresh instance; none if the rule does not export it.
    ///
    /// # Errors
    /// [`Trap`]; the rule's own [`Failure`] is a result.
    pub fn polled(
        &self,
        state: &[u8],
        topics: &[String],
        response: &HttpResponse,
    ) -> Result<Option<Result<Progress, Failure>>, Trap> {
        let inputs = SensitiveInputs {
            device: vec![state],
            http_body: &response.body,
        };
        self.observer(|observer| {
            let params = (self.settings.as_slice(), state, topics, response);
            self.call(&observer.polled, params, &inputs)
        })
    }

    /// `observer.notify` in a fresh instance; none if the rule does not export it.
    ///
    /// # Errors
    /// [`Trap`]; the rule's own [`Failure`] is a result.
    pub fn notify(
        &self,
        context: &Context,
        change: &Change,
    ) -> Result<Option<Result<Message, Failure>>, Trap> {
        let inputs = SensitiveInputs {
            device: device_inputs(context, None),
            http_body: &change.payload,
        };
        self.observer(|observer| {
            let params = (self.settings.as_slice(), context, change);
            self.call(&observer.notify, params, &inputs)
        })
    }

    fn observer<R>(
        &self,
        call: impl FnOnce(&Observer) -> Result<R, Trap>,
    ) -> Result<Option<R>, Trap> {
        self.exports.observer.as_ref().map(call).transpose()
    }
}
