//! Cases against a rule's native code.

use std::collections::BTreeMap;
use std::path::Path;

use super::cases;
use super::rule::Rule;
use crate::bindings::{
    CallError, Change, Context, Description, Effect, Failure, HttpRequest, HttpResponse, Message,
    Progress,
};
use crate::rule;

/// Runs every case in `folder` against `rule`, and returns how many there were. For a test: it panics, and says what
/// differs in each case that does not end as its files say, or that there are none.
pub fn check(rule: &'static rule::Rule, folder: impl AsRef<Path>) -> usize {
    let folder = folder.as_ref();
    let cases = cases(folder).unwrap_or_else(|error| panic!("{error}"));
    assert!(!cases.is_empty(), "no case in {}", folder.display());
    let mut native = Native {
        rule,
        settings: BTreeMap::new(),
    };
    let failures: Vec<_> = cases
        .iter()
        .filter_map(|case| case.run(&mut native).err())
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    cases.len()
}

struct Native {
    rule: &'static rule::Rule,
    settings: BTreeMap<String, String>,
}

impl Rule for Native {
    fn configure(&mut self, settings: &BTreeMap<String, String>) -> Result<Description, String> {
        self.settings = settings.clone();
        self.rule.describe(&self.settings)
    }

    fn begin(&mut self, context: &Context, request: &Message) -> Result<Effect, Failure> {
        self.rule.begin(&self.settings, context, request)
    }

    fn resume(
        &mut self,
        context: &Context,
        state: &[u8],
        outcome: Result<HttpResponse, CallError>,
    ) -> Result<Effect, Failure> {
        self.rule.resume(&self.settings, context, state, outcome)
    }

    fn poll(&mut self, state: &[u8], topics: &[String]) -> Option<Result<HttpRequest, Failure>> {
        Some(self.rule.poll(state, topics))
    }

    fn polled(
        &mut self,
        state: &[u8],
        topics: &[String],
        response: &HttpResponse,
    ) -> Option<Result<Progress, Failure>> {
        Some(self.rule.polled(&self.settings, state, topics, response))
    }

    fn notify(&mut self, context: &Context, change: &Change) -> Option<Result<Message, Failure>> {
        Some(self.rule.notify(context, change))
    }
}
