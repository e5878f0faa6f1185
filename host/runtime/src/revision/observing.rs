//! The calls of a rule that observes (`wit/observer.wit`).

use super::Revision;
use crate::call::Trap;
use crate::call::exports::Observer;
use crate::call::sensitive_inputs::{SensitiveInputs, told};
use contract::bindings::{Change, Context, Failure, HttpRequest, HttpResponse, Message, Progress};

impl Revision {
    /// Whether the rule exports what an observation needs.
    #[must_use]
    pub fn observes(&self) -> bool {
        self.exports.observer.is_some()
    }

    /// `observer.poll` in a fresh instance; none where the rule does not observe.
    ///
    /// # Errors
    /// [`Trap`]; the rule's own [`Failure`] is a result.
    pub fn poll(
        &self,
        state: &[u8],
        topics: &[String],
    ) -> Result<Option<Result<HttpRequest, Failure>>, Trap> {
        let given = SensitiveInputs {
            device: vec![state],
            answer: &[],
        };
        self.observer(|observer| {
            let params = (self.settings.as_slice(), state, topics);
            self.call(&observer.poll, params, &given)
        })
    }

    /// `observer.polled` in a fresh instance; none where the rule does not observe.
    ///
    /// # Errors
    /// [`Trap`]; the rule's own [`Failure`] is a result.
    pub fn polled(
        &self,
        state: &[u8],
        topics: &[String],
        answer: &HttpResponse,
    ) -> Result<Option<Result<Progress, Failure>>, Trap> {
        let given = SensitiveInputs {
            device: vec![state],
            answer: &answer.body,
        };
        self.observer(|observer| {
            let params = (self.settings.as_slice(), state, topics, answer);
            self.call(&observer.polled, params, &given)
        })
    }

    /// `observer.notify` in a fresh instance; none where the rule does not observe.
    ///
    /// # Errors
    /// [`Trap`]; the rule's own [`Failure`] is a result.
    pub fn notify(
        &self,
        context: &Context,
        change: &Change,
    ) -> Result<Option<Result<Message, Failure>>, Trap> {
        let given = SensitiveInputs {
            device: told(context, None),
            answer: &change.payload,
        };
        self.observer(|observer| {
            let params = (self.settings.as_slice(), context, change);
            self.call(&observer.notify, params, &given)
        })
    }

    fn observer<R>(
        &self,
        call: impl FnOnce(&Observer) -> Result<R, Trap>,
    ) -> Result<Option<R>, Trap> {
        self.exports.observer.as_ref().map(call).transpose()
    }
}
