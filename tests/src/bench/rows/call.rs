//! One call of the rule: in a fresh instance of the component, as the gateway makes it, and the same source
//! compiled natively and called directly.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use comatrix_rule::RULE;
use contract::Effect;
use runtime::DEFAULT_RULE;
use runtime::{Candidate, Engines, Revision, RuleAccounting, RuleBinary, RuleLimits};

use super::super::Failure;
use super::super::plan::Plan;
use super::super::process::Gateway;
use super::super::report::{Row, Target, median};

/// Batches per pair of the plan. A batch takes a fraction of a millisecond: long enough for the clock, short enough
/// that most of them run without being preempted, also on a busy machine.
const BATCHES: usize = 400;
const FRESH_CALLS: u32 = 20;
const NATIVE_CALLS: u32 = 200;

/// The same requests in the host's and in the rule's types: both are made from `wit`, but Rust distinguishes them.
macro_rules! requests {
    ($name:ident, $($types:tt)*) => {
        mod $name {
            use $($types)*::{CoapOption, Context, Message, Target};

            fn context(link: u16, requested: Option<Target>) -> Context {
                Context {
                    link,
                    captures: Vec::new(),
                    requested,
                    principal: None,
                    flow_id: "0123456789abcdef0123456789abcdef".to_owned(),
                    now: Some(1_800_000_000),
                    facts: Vec::new(),
                }
            }

            pub fn time(link: u16) -> (Context, Message) {
                (context(link, None), Message { code: 1, options: Vec::new(), payload: Vec::new() })
            }

            pub fn send(link: u16) -> (Context, Message) {
                let path = ["9", "!bench:example.org", "m.room.message", "0123456789abcdef"];
                let target = Target { path: path.map(str::to_owned).to_vec(), query: Vec::new() };
                let message = Message {
                    code: 3,
                    options: vec![CoapOption { number: 12, value: vec![60] }],
                    payload: b"\xa2\x67msgtype\x66m.text\x64body\x6c22.5 degrees".to_vec(),
                };
                (context(link, Some(target)), message)
            }
        }
    };
}

requests!(hosted, contract);
requests!(native, comatrix_sdk::bindings);

/// Nanoseconds per `begin` of `/send` and of `/time`.
pub fn measure(plan: &Plan, _gateway: &Gateway) -> Result<Vec<Row>, Failure> {
    let limits = RuleLimits::trusted();
    let candidate = Candidate {
        state: &RuleAccounting::new("comatrix", limits, None),
        code: &RuleBinary::from(DEFAULT_RULE),
        number: 0,
        settings: &BTreeMap::new(),
        limits,
        allow: None,
        allow_headers: &contract::HeaderGrants::default(),
    };
    let revision = Revision::activate(&Engines::new()?, None, &candidate)?;
    let link = |path, method| match revision.find(&[path], method) {
        Ok(found) => Ok(found.link),
        Err(mismatch) => Err(format!("the rule has no /{path}: {mismatch:?}")),
    };

    let (context, message) = hosted::send(link("send", 3)?);
    let fresh_send = || {
        let effect = revision.begin(&context, &message);
        matches!(effect, Ok(Ok(Effect::Deliver(_))))
    };
    let (native_context, native_message) = native::send(context.link);
    let native_send = || {
        let effect = RULE.begin(&[], black_box(&native_context), black_box(&native_message));
        matches!(
            black_box(effect),
            Ok(comatrix_sdk::bindings::Effect::Deliver(_))
        )
    };
    // The target is about a rule's work: payload read, call built. `/time` has nearly none, so its ratio is that
    // of an instance to nothing; it is there for its figure.
    let target = Target::RatioAtMost(13.0);
    let send = compare("/send", fresh_send, native_send, target, plan)?;

    let (context, message) = hosted::time(link("time", 1)?);
    let fresh_time = || matches!(revision.begin(&context, &message), Ok(Ok(Effect::Reply(_))));
    let (native_context, native_message) = native::time(context.link);
    let native_time = || {
        let effect = RULE.begin(&[], black_box(&native_context), black_box(&native_message));
        matches!(
            black_box(effect),
            Ok(comatrix_sdk::bindings::Effect::Reply(_))
        )
    };
    let time = compare("/time", fresh_time, native_time, Target::None, plan)?;
    Ok(vec![send, time])
}

fn compare(
    resource: &str,
    fresh: impl Fn() -> bool,
    native: impl Fn() -> bool,
    target: Target,
    plan: &Plan,
) -> Result<Row, Failure> {
    let batches = BATCHES * plan.pairs;
    let mut fresh_costs = Vec::new();
    let mut native_costs = Vec::new();
    for _ in 0..batches {
        native_costs
            .push(batch(NATIVE_CALLS, &native).ok_or("the native rule gave a wrong effect")?);
        fresh_costs.push(batch(FRESH_CALLS, &fresh).ok_or("the component gave a wrong effect")?);
    }
    let ratios = fresh_costs
        .iter()
        .zip(&native_costs)
        .map(|(fresh, native)| fresh / native);
    let ratio = median(ratios);
    Ok(Row {
        name: format!("`begin` of `{resource}` in a fresh instance"),
        figure: median(fresh_costs) / 1e3,
        unit: "µs",
        baseline: Some(("native call", median(native_costs) / 1e3)),
        ratio: Some(ratio),
        target,
        runs: batches,
        notes: format!(
            "batches of {FRESH_CALLS} and {NATIVE_CALLS} calls in turn; median of the pairs' ratios"
        ),
    })
}

/// Nanoseconds per call; none if one of them gave a wrong result.
fn batch(calls: u32, call: impl Fn() -> bool) -> Option<f64> {
    let started = Instant::now();
    let right = (0..calls).all(|_| call());
    right.then(|| started.elapsed().as_nanos() as f64 / f64::from(calls))
}
