//! The default rule as the component that the gateway carries, and the cases of its folder `vectors` against it.

use std::collections::BTreeMap;
use std::path::Path;

use comatrix_sdk::bindings::{
    CallError, Change, Context, Description, Effect, Failure, HttpRequest, HttpResponse, Message,
    Progress,
};
use comatrix_sdk::vectors::{Rule, cases};
use runtime::conversion::{
    to_host_change, to_host_context, to_host_message, to_host_outcome, to_host_response,
    to_sdk_description, to_sdk_failure, to_sdk_message, to_sdk_progress, to_sdk_request,
    to_sdk_result,
};
use runtime::{Engines, Revision};

use crate::default_rule;

/// The default rule, activated; each call gets a fresh instance of its own.
pub struct Component {
    engine: Engines,
    /// The component.
    pub revision: Revision,
}

impl Component {
    pub fn new() -> Self {
        let engine = default_rule::engine();
        let revision = default_rule::activate(&engine, &BTreeMap::new())
            .unwrap_or_else(|error| panic!("{error}"));
        Self { engine, revision }
    }

    /// The contract's `begin`. A trap fails the test.
    pub fn call_begin(&self, context: &Context, request: &Message) -> Result<Effect, Failure> {
        self.revision
            .begin(&to_host_context(context), &to_host_message(request))
            .map(to_sdk_result)
            .unwrap_or_else(|trap| panic!("{trap}"))
    }

    /// The contract's `resume`. A trap fails the test.
    pub fn call_resume(
        &self,
        context: &Context,
        state: &[u8],
        outcome: Result<HttpResponse, CallError>,
    ) -> Result<Effect, Failure> {
        let outcome = to_host_outcome(outcome);
        self.revision
            .resume(&to_host_context(context), state, outcome.as_ref())
            .map(to_sdk_result)
            .unwrap_or_else(|trap| panic!("{trap}"))
    }
}

impl Rule for Component {
    fn configure(&mut self, settings: &BTreeMap<String, String>) -> Result<Description, String> {
        self.revision =
            default_rule::activate(&self.engine, settings).map_err(|error| error.to_string())?;
        Ok(to_sdk_description(self.revision.description()))
    }

    fn begin(&mut self, context: &Context, request: &Message) -> Result<Effect, Failure> {
        self.call_begin(context, request)
    }

    fn resume(
        &mut self,
        context: &Context,
        state: &[u8],
        outcome: Result<HttpResponse, CallError>,
    ) -> Result<Effect, Failure> {
        self.call_resume(context, state, outcome)
    }

    fn poll(&mut self, state: &[u8], topics: &[String]) -> Option<Result<HttpRequest, Failure>> {
        let polled = self.revision.poll(state, topics);
        let request = polled.unwrap_or_else(|trap| panic!("{trap}"))?;
        Some(request.map(to_sdk_request).map_err(to_sdk_failure))
    }

    fn polled(
        &mut self,
        state: &[u8],
        topics: &[String],
        response: &HttpResponse,
    ) -> Option<Result<Progress, Failure>> {
        let response = to_host_response(response.clone());
        let polled = self.revision.polled(state, topics, &response);
        let progress = polled.unwrap_or_else(|trap| panic!("{trap}"))?;
        Some(progress.map(to_sdk_progress).map_err(to_sdk_failure))
    }

    fn notify(&mut self, context: &Context, change: &Change) -> Option<Result<Message, Failure>> {
        let change = to_host_change(change);
        let notified = self.revision.notify(&to_host_context(context), &change);
        let message = notified.unwrap_or_else(|trap| panic!("{trap}"))?;
        Some(message.map(to_sdk_message).map_err(to_sdk_failure))
    }
}

#[test]
fn every_case_ends_as_its_files_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../guest/comatrix/vectors");
    let cases = cases(&folder).unwrap_or_else(|error| panic!("{error}"));
    assert!(cases.len() > 100, "only {} cases were found", cases.len());
    let mut component = Component::new();
    let failures: Vec<_> = cases
        .iter()
        .filter_map(|case| case.run(&mut component).err())
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
