//! A rule's native code, as its tests call it.

use std::collections::BTreeMap;

use crate::bindings::{
    CallError, Change, Context, Description, Effect, Failure, HttpRequest, HttpResponse, Message,
    Progress,
};
use crate::code::INTERNAL_SERVER_ERROR;
use crate::message::failure;
use crate::rule::Rule;

/// The operator's settings of a case.
pub type CaseSettings = BTreeMap<String, String>;

/// The functions of the contract, natively. A [`Rule`] has all of them; a rule that is written with
/// [`bindings`](crate::bindings) has those of `translator`, and others if it exports them.
pub trait NativeRule {
    /// The contract's `describe`.
    fn describe(&self, settings: &CaseSettings) -> Result<Description, String>;

    /// The contract's `begin`.
    fn begin(
        &self,
        settings: &CaseSettings,
        context: &Context,
        request: &Message,
    ) -> Result<Effect, Failure>;

    /// The contract's `resume`.
    fn resume(
        &self,
        settings: &CaseSettings,
        context: &Context,
        state: &[u8],
        outcome: Result<HttpResponse, CallError>,
    ) -> Result<Effect, Failure>;

    /// The contract's `accepted`.
    fn accepted(&self, _: &Context, _: &str) -> Result<Message, Failure> {
        Err(absent("outbox"))
    }

    /// The contract's `poll`.
    fn poll(&self, _: &[u8], _: &[String]) -> Result<HttpRequest, Failure> {
        Err(absent("observer"))
    }

    /// The contract's `polled`.
    fn polled(
        &self,
        _: &CaseSettings,
        _: &[u8],
        _: &[String],
        _: &HttpResponse,
    ) -> Result<Progress, Failure> {
        Err(absent("observer"))
    }

    /// The contract's `notify`.
    fn notify(&self, _: &Context, _: &Change) -> Result<Message, Failure> {
        Err(absent("observer"))
    }
}

fn absent(interface: &str) -> Failure {
    failure(
        INTERNAL_SERVER_ERROR,
        format!("the rule does not export {interface}"),
    )
}

impl NativeRule for Rule {
    fn describe(&self, settings: &CaseSettings) -> Result<Description, String> {
        Rule::describe(self, settings)
    }

    fn begin(
        &self,
        settings: &CaseSettings,
        context: &Context,
        request: &Message,
    ) -> Result<Effect, Failure> {
        Rule::begin(self, settings, context, request)
    }

    fn resume(
        &self,
        settings: &CaseSettings,
        context: &Context,
        state: &[u8],
        outcome: Result<HttpResponse, CallError>,
    ) -> Result<Effect, Failure> {
        Rule::resume(self, settings, context, state, outcome)
    }

    fn accepted(&self, context: &Context, id: &str) -> Result<Message, Failure> {
        Rule::accepted(self, context, id)
    }

    fn poll(&self, state: &[u8], topics: &[String]) -> Result<HttpRequest, Failure> {
        Rule::poll(self, state, topics)
    }

    fn polled(
        &self,
        settings: &CaseSettings,
        state: &[u8],
        topics: &[String],
        response: &HttpResponse,
    ) -> Result<Progress, Failure> {
        Rule::polled(self, settings, state, topics, response)
    }

    fn notify(&self, context: &Context, change: &Change) -> Result<Message, Failure> {
        Rule::notify(self, context, change)
    }
}
