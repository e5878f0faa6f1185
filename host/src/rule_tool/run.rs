//! `rule run`: one exchange on the desk, each effect printed.

use std::io::Write;

use super::args::RunArgs;
use super::error::ToolError;
use super::exchange::{Setting, exchange};
use super::exchange_view::{write_json, write_text};
use super::rule_harness::RuleHarness;
use super::{request_text, response_text};
use contract::Outcome;

/// Prints what happened, also where it ends with an error.
pub(super) fn run(args: &RunArgs, out: &mut impl Write) -> Result<(), ToolError> {
    let responses = args.upstream_response.iter();
    let outcomes: Vec<Outcome> = responses
        .map(|text| response_text::outcome(text))
        .collect::<Result<_, _>>()?;
    let given = outcomes.len();
    let setting = Setting {
        request: request_text::request(&args.request)?,
        requested: args
            .proxy_uri
            .as_deref()
            .map(request_text::proxy_target)
            .transpose()?,
        outcomes,
        now: args.now,
    };
    let revision = RuleHarness::open(&args.component)?.revision;
    let mut events = Vec::new();
    let ended = exchange(&revision, setting, &mut events);
    match args.json {
        true => write_json(out, revision.description(), &events, given)?,
        false => write_text(out, revision.description(), &events, given)?,
    }
    ended
}
