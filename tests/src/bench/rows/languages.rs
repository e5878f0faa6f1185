//! The same kind of work in two languages: a reading becomes a call of the homeserver, in a fresh instance.

use std::collections::BTreeMap;
use std::fs;
use std::time::Instant;

use comatrix_tests::places;
use contract::{CoapOption, Context, Effect, Message, Target as Requested};
use runtime::DEFAULT_RULE;
use runtime::{Candidate, Engines, Revision, RuleAccounting, RuleBinary, RuleLimits};

use super::super::Failure;
use super::super::plan::Plan;
use super::super::process::Gateway;
use super::super::report::{Row, Target, median};

/// Calls of which the median is taken, per pair of the plan.
const CALLS: usize = 200;

/// Microseconds per `begin` of the default rule's `/send` and of the JavaScript rule's `POST /<room>`.
pub fn measure(plan: &Plan, _gateway: &Gateway) -> Result<Vec<Row>, Failure> {
    let engines = Engines::new()?;
    let rust = activate(&engines, "comatrix", DEFAULT_RULE, RuleLimits::trusted())?;
    let file = places::workspace().join("target/guest/convert.wasm");
    let component = fs::read(&file)
        .map_err(|error| format!("{}: {error}; run `cargo xtask guest`", file.display()))?;
    let limits = RuleLimits {
        memory: 4 << 20,
        memories: 3,
        ..RuleLimits::trusted()
    };
    let javascript = activate(&engines, "convert", &component, limits)?;

    let path = ["9", "!r:h", "m.room.message", "1"].map(str::to_owned);
    let requested = Requested {
        path: path.to_vec(),
        query: Vec::new(),
    };
    let cbor = b"\xa2\x67msgtype\x66m.text\x64body\x6c22.5 degrees";
    let rust = cost(&rust, (&["send"], 3), Some(requested), (60, cbor), plan)?;
    let json = br#"{"value": 70, "from": "F", "to": "C"}"#;
    let javascript = cost(&javascript, (&["!r:h"], 2), None, (50, json), plan)?;
    Ok(vec![Row {
        name: "a reading translated in a fresh instance, in JavaScript".to_owned(),
        figure: javascript,
        unit: "µs",
        baseline: Some(("in Rust", rust)),
        ratio: Some(javascript / rust),
        target: Target::None,
        runs: CALLS * plan.pairs,
        notes: "QuickJS in the component, 1.1 MB; medians".to_owned(),
    }])
}

fn activate(
    engines: &Engines,
    name: &str,
    component: &[u8],
    limits: RuleLimits,
) -> Result<Revision, Failure> {
    let candidate = Candidate {
        state: &RuleAccounting::new(name, limits, None),
        code: &RuleBinary::from(component),
        number: 0,
        settings: &BTreeMap::new(),
        limits,
        allow: None,
        allow_headers: &contract::HeaderGrants::default(),
    };
    Ok(Revision::activate(engines, None, &candidate)?)
}

/// Median microseconds of `begin`, which must lead to a call.
fn cost(
    revision: &Revision,
    (path, method): (&[&str], u8),
    requested: Option<Requested>,
    (format, payload): (u8, &[u8]),
    plan: &Plan,
) -> Result<f64, Failure> {
    let found = revision
        .find(path, method)
        .map_err(|mismatch| format!("{} has no {path:?}: {mismatch:?}", revision.name()))?;
    let context = Context {
        link: found.link,
        captures: found.captures,
        requested,
        principal: None,
        flow_id: "0123456789abcdef0123456789abcdef".to_owned(),
        now: Some(1_800_000_000),
        facts: Vec::new(),
    };
    let message = Message {
        code: method,
        options: vec![CoapOption {
            number: 12,
            value: vec![format],
        }],
        payload: payload.to_vec(),
    };
    let mut costs = Vec::new();
    for _ in 0..CALLS * plan.pairs {
        let began = Instant::now();
        let result = revision.begin(&context, &message)?;
        costs.push(began.elapsed().as_nanos() as f64 / 1e3);
        if !matches!(result, Ok(Effect::Deliver(_))) {
            return Err(format!("{} did not deliver: {result:?}", revision.name()).into());
        }
    }
    Ok(median(costs))
}
