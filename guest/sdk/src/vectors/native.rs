//! Cases against a rule's native code.

use std::collections::BTreeMap;
use std::path::Path;

use super::native_rule::NativeRule;
use super::observer::{Fault, Observer};
use super::{Case, Made, Outcome, cases};
use crate::bindings::{
    Change, Context, Effect, Failure, HttpRequest, HttpResponse, Message, Progress, Reply,
};

/// Runs every case in `folder` against `rule`, and returns how many there were. For a test: it panics, and says what
/// differs in each case that does not end as its files say, or that there are none.
pub fn check(rule: &dyn NativeRule, folder: impl AsRef<Path>) -> usize {
    let folder = folder.as_ref();
    let cases = cases(folder).unwrap_or_else(|error| panic!("{error}"));
    assert!(!cases.is_empty(), "no case in {}", folder.display());
    let failures: Vec<_> = cases
        .iter()
        .filter_map(|case| {
            let difference = run(case, rule).err()?;
            Some(format!("{}: {difference}", case.name))
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    cases.len()
}

/// The diagnostics of all cases in `folder` that end with one, each after the name of its case. For a test: it panics
/// like [`check`].
pub fn diagnostics(rule: &dyn NativeRule, folder: impl AsRef<Path>) -> Vec<(String, String)> {
    let cases = cases(folder.as_ref()).unwrap_or_else(|error| panic!("{error}"));
    let diagnostic = |case: Case| {
        let run = end(&case, rule).map(|(_, end, _)| end);
        let end = run.unwrap_or_else(|error| panic!("{}: {error}", case.name));
        end.err().map(|failure| (case.name, failure.diagnostic))
    };
    cases.into_iter().filter_map(diagnostic).collect()
}

/// Runs one case. The error is the first difference.
fn run(case: &Case, rule: &dyn NativeRule) -> Result<(), String> {
    let (made, end, context) = end(case, rule)?;
    let settings = case.settings();
    let watch = case.check_end(made, end)?;
    let mut observer = NativeObserver { rule, settings };
    case.observe(&mut observer, &context, watch)
}

/// The end of a case's exchange, after so many calls, and its context.
fn end(
    case: &Case,
    rule: &dyn NativeRule,
) -> Result<(usize, Result<Reply, Failure>, Context), String> {
    let settings = case.settings();
    let description = rule.describe(&settings)?;
    let request = case.message();
    let context = case.context(&description.links, request.code)?;
    let mut effect = rule.begin(&settings, &context, &request);
    let mut made = 0;
    let end = loop {
        let (outcome, state) = match effect {
            Ok(Effect::Call(step)) => (case.outcome(made, Made::Call(&step.request))?, step.state),
            Ok(Effect::Deliver(delivery)) => {
                let outcome = case.outcome(made, Made::Delivery(&delivery))?;
                (outcome, delivery.step.state)
            }
            Ok(Effect::Reply(reply)) => break Ok(reply),
            Err(failure) => break Err(failure),
        };
        made += 1;
        match outcome {
            Outcome::Response(outcome) => {
                effect = rule.resume(&settings, &context, &state, outcome);
            }
            Outcome::Accepted(id) => {
                break rule.accepted(&context, &id).map(|message| Reply {
                    message,
                    session: None,
                    watch: None,
                });
            }
        }
    };
    Ok((made, end, context))
}

struct NativeObserver<'a> {
    rule: &'a dyn NativeRule,
    settings: BTreeMap<String, String>,
}

impl Observer for NativeObserver<'_> {
    fn poll(&mut self, state: &[u8], topics: &[String]) -> Result<HttpRequest, Fault> {
        Ok(self.rule.poll(state, topics)?)
    }

    fn polled(
        &mut self,
        state: &[u8],
        topics: &[String],
        response: &HttpResponse,
    ) -> Result<Progress, Fault> {
        Ok(self.rule.polled(&self.settings, state, topics, response)?)
    }

    fn notify(&mut self, context: &Context, change: &Change) -> Result<Message, Fault> {
        Ok(self.rule.notify(context, change)?)
    }
}
