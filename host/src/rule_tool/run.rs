//! `rule run`: one exchange without a gateway; prints each effect.

use std::io::Write;

use super::args::RunArgs;
use super::error::ToolError;
use super::exchange::{Setting, exchange};
use super::exchange_json::write_json;
use super::exchange_view::write_text;
use super::rule_harness::RuleHarness;
use super::{request_text, response_text};
use contract::Outcome;

/// Prints the steps of the exchange, also before an error.
pub(super) fn run(args: &RunArgs, out: &mut impl Write) -> Result<(), ToolError> {
    let texts = args.upstream_response.iter();
    let outcomes: Vec<Outcome> = texts
        .map(|text| response_text::outcome(text))
        .collect::<Result<_, _>>()?;
    let responses = outcomes.len();
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
    let result = exchange(&revision, setting, &mut events);
    match args.json {
        true => write_json(out, revision.description(), &events, responses)?,
        false => write_text(out, revision.description(), &events, responses)?,
    }
    result
}
