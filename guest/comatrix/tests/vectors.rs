//! Every case in `vectors/`, against the native code. The gateway's tests run the same ones against the component.

use std::collections::BTreeMap;
use std::path::Path;

use comatrix_rule::{describe, observe, translate};
use comatrix_sdk::bindings::{
    CallError, Change, Context, Description, Effect, Failure, HttpRequest, HttpResponse, Message,
    Progress,
};
use comatrix_sdk::vectors::{Rule, cases};

#[derive(Default)]
struct Native(BTreeMap<String, String>);

impl Rule for Native {
    fn configure(&mut self, settings: &BTreeMap<String, String>) -> Result<Description, String> {
        self.0 = settings.clone();
        describe::describe(&self.0)
    }

    fn begin(&mut self, context: &Context, request: &Message) -> Result<Effect, Failure> {
        translate::begin(&self.0, context, request)
    }

    fn resume(
        &mut self,
        context: &Context,
        state: &[u8],
        outcome: Result<HttpResponse, CallError>,
    ) -> Result<Effect, Failure> {
        translate::resume(&self.0, context, state, outcome)
    }

    fn poll(&mut self, state: &[u8], topics: &[String]) -> Option<Result<HttpRequest, Failure>> {
        Some(observe::poll(state, topics))
    }

    fn polled(
        &mut self,
        state: &[u8],
        topics: &[String],
        answer: &HttpResponse,
    ) -> Option<Result<Progress, Failure>> {
        Some(observe::polled(&self.0, state, topics, answer))
    }

    fn notify(&mut self, context: &Context, change: &Change) -> Option<Result<Message, Failure>> {
        Some(observe::notify(context, change))
    }
}

#[test]
fn every_case_ends_as_its_files_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    let cases = cases(&folder).unwrap_or_else(|error| panic!("{error}"));
    assert!(
        cases.len() > 60,
        "only {} cases in {}",
        cases.len(),
        folder.display()
    );
    let failures: Vec<_> = cases
        .iter()
        .filter_map(|case| case.run(&mut Native::default()).err())
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
