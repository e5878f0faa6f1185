//! Rules that misbehave, at work: their effect on devices of the good rule, and how soon an endless loop is ended.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use contract::{Context, Effect, HttpRequest, Message, Step, Upstream};
use runtime::DEFAULT_RULE;
use runtime::{Candidate, Engines, Revision, RuleAccounting, RuleBinary, RuleLimits};

use super::super::Failure;
use super::super::datagram::Request;
use super::super::load::Load;
use super::super::plan::Plan;
use super::super::process::{Gateway, Server};
use super::super::report::{Row, Target, median, millis};
use super::super::rule_text::RuleText;
use super::super::window;
use comatrix_tests::tally::Tally;

const NO_HOMESERVER: &str = "http://127.0.0.1:9";
const CLIENTS: usize = 64;
/// Devices that use the hostile rule, and how often.
const HOSTILE_CLIENTS: usize = 8;
const HOSTILE_PERIOD: Duration = Duration::from_millis(10);
/// Calls of the endless loop.
const LOOPS: usize = 200;

/// The share of the undisturbed rate with each rule, and the end of an endless loop.
pub fn measure(plan: &Plan, gateway: &Gateway) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    for (what, component) in rules() {
        rows.push(beside(what, &component, plan, gateway)?);
    }
    rows.push(endless_loop()?);
    Ok(rows)
}

/// The fixtures that become a revision; those that do not are the tests' business.
fn rules() -> Vec<(&'static str, Vec<u8>)> {
    let doing = |begin: &str| {
        let mut rule = RuleText::new();
        rule.begin = begin.to_owned();
        rule.component()
    };
    let asking = |state: usize| {
        let mut rule = RuleText::new();
        let state = vec![7; state];
        let request = HttpRequest {
            upstream: Upstream::Standard,
            credential: "none".into(),
            method: "GET".into(),
            path: vec!["needed".into()],
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
            hold_ms: 0,
        };
        rule.begin = rule.value(&Ok(Effect::Call(Step { request, state }))).1;
        rule.resume.clone_from(&rule.begin);
        rule.component()
    };
    let mut flood = RuleText::new();
    flood.logs = true;
    flood.begin = "(loop $again
        (call $log (i32.const 1) (i32.const 1024) (i32.const 64))
        (br $again)) unreachable"
        .to_owned();
    vec![
        (
            "endless loop",
            doing("(loop $again (br $again)) unreachable"),
        ),
        (
            "memory hog",
            doing("(loop $more (drop (memory.grow (i32.const 1))) (br $more)) unreachable"),
        ),
        (
            "deep recursion",
            doing(
                "(call $deep (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4)) unreachable",
            ),
        ),
        ("panic", doing("unreachable")),
        ("oversized state", asking(1 << 16)),
        ("endless calls", asking(0)),
        ("log flood", flood.component()),
    ]
}

fn beside(what: &str, component: &[u8], plan: &Plan, gateway: &Gateway) -> Result<Row, Failure> {
    let folder = gateway.scratch();
    fs::write(folder.join("hostile.wasm"), component)?;
    let configuration = "[[rule]]\nname = \"hostile\"\ncomponent = \"hostile.wasm\"\n\
        allow = [\"GET none standard /needed\"]\n";
    fs::write(folder.join("hostile.toml"), configuration)?;
    let file = folder.join("hostile.toml");
    let server = gateway.start_with(NO_HOMESERVER, &["--config".as_ref(), file.as_os_str()])?;
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for _ in 0..plan.pairs {
        alone.push(rate(&server, false, plan)?);
        beside.push(rate(&server, true, plan)?);
    }
    let ratios = beside
        .iter()
        .zip(&alone)
        .map(|(beside, alone)| beside / alone);
    let ratio = median(ratios);
    Ok(Row {
        name: format!("`/time`, 64 clients, beside a hostile rule: {what}"),
        figure: median(beside),
        unit: "/s",
        baseline: Some(("undisturbed", median(alone))),
        ratio: Some(ratio),
        target: Target::RatioAtLeast(0.8),
        runs: plan.pairs,
        notes: format!("{HOSTILE_CLIENTS} devices call it every 10 ms each"),
    })
}

/// Right responses per second of the good rule.
fn rate(server: &Server, disturbed: bool, plan: &Plan) -> Result<f64, Failure> {
    let mut load = Load::new(server.address)?;
    load.add(CLIENTS, &[Request::time()], None, Duration::ZERO)?;
    if disturbed {
        let hostile = [Request::any("hostile", "test")];
        load.add(
            HOSTILE_CLIENTS,
            &hostile,
            Some(HOSTILE_PERIOD),
            HOSTILE_PERIOD,
        )?;
    }
    let windows = window::measure(&mut load, server, plan)?;
    let good = windows.first().ok_or("a load without clients")?;
    if good.errors.is_empty() {
        Ok(good.rate)
    } else {
        Err(format!("good requests failed: {:?}", good.errors).into())
    }
}

/// Each call of an endless loop, in this process; afterwards every slot of the pool still works.
fn endless_loop() -> Result<Row, Failure> {
    let engines = Engines::new()?;
    let limits = RuleLimits {
        cpu_percent: 100,
        ..RuleLimits::default()
    };
    let activate = |component: &[u8]| {
        let candidate = Candidate {
            state: &RuleAccounting::new("bench", limits, None),
            code: &RuleBinary::from(component),
            number: 0,
            settings: &BTreeMap::new(),
            limits,
            allow: None,
            allow_headers: &contract::HeaderGrants::default(),
        };
        Revision::activate(&engines, None, &candidate)
    };
    let mut rule = RuleText::new();
    rule.begin = "(loop $again (br $again)) unreachable".to_owned();
    let hostile = activate(&rule.component())?;
    let good = activate(DEFAULT_RULE)?;
    let time = good
        .find(&["time"], 1)
        .map_err(|mismatch| format!("the rule has no /time: {mismatch:?}"))?;
    let context = |link| Context {
        link,
        captures: Vec::new(),
        requested: None,
        principal: None,
        flow_id: "0123456789abcdef0123456789abcdef".to_owned(),
        now: Some(1_800_000_000),
        facts: Vec::new(),
    };
    let message = Message {
        code: 1,
        options: Vec::new(),
        payload: Vec::new(),
    };
    let mut tally = Tally::default();
    for _ in 0..LOOPS {
        let began = Instant::now();
        if hostile.begin(&context(0), &message).is_ok() {
            return Err("an endless loop ended by itself".into());
        }
        tally.count(Ok(()), began.elapsed());
    }
    let worked = (0..600)
        .filter(|_| {
            good.begin(&context(time.link), &message)
                .is_ok_and(|result| result.is_ok())
        })
        .count();
    Ok(Row {
        name: "an endless loop is ended after, p99".to_owned(),
        figure: millis(tally.latency(0.99)),
        unit: "ms",
        baseline: None,
        ratio: None,
        target: Target::AtMost(25.0),
        runs: LOOPS,
        notes: format!(
            "limit 20 ms of CPU time; median {:.1} ms; {worked} of 600 good calls afterwards",
            millis(tally.latency(0.50))
        ),
    })
}
