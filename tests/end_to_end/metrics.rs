//! Metrics after a fixed series of requests, read by the Prometheus client library.

use std::io::Write;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use comatrix_tests::aiocoap::Aiocoap;
use comatrix_tests::device::Request;
use comatrix_tests::gateway;
use comatrix_tests::page::Page;
use comatrix_tests::places::{self, Scratch};
use comatrix_tests::raw::Raw;
use comatrix_tests::stub::{Behaviour, Received, Stub};
use serde_json::{Value, json};

use crate::stage::send_to;

/// All samples of a gateway.
pub struct Metrics(Vec<Value>);

impl Metrics {
    pub fn of(page: &Page) -> Self {
        let response = page.get("/metrics");
        assert_eq!(
            (response.status, response.header("content-type")),
            (200, Some("text/plain; version=0.0.4; charset=utf-8"))
        );
        let mut reader = Command::new(places::python())
            .arg(places::client_program("exposition.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("python starts");
        let mut stdin = reader.stdin.take().expect("it was asked for");
        let body = response.body;
        thread::spawn(move || stdin.write_all(body.as_bytes()));
        let output = reader.wait_with_output().expect("it ends");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        let lines = String::from_utf8_lossy(&output.stdout).into_owned();
        let samples = lines.lines().map(serde_json::from_str);
        Self(samples.collect::<Result<_, _>>().expect("it writes JSON"))
    }

    /// The value of a sample whose labels are these among others; none where there is none.
    pub fn find(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let is = |sample: &&Value| {
            let has = |(label, value): &(&str, &str)| sample[1][*label] == *value;
            sample[0] == name && labels.iter().all(has)
        };
        self.0.iter().find(is).and_then(|sample| sample[2].as_f64())
    }

    /// The same, which must be there.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let found = self.find(name, labels);
        found.unwrap_or_else(|| panic!("no {name} {labels:?} in {:#?}", self.0))
    }
}

fn homeserver(request: &Received) -> Behaviour {
    let response = match request.target.contains("/rooms/!closed") {
        true => Behaviour::json(403, json!({ "errcode": "M_FORBIDDEN" })),
        false => Behaviour::json(200, json!({ "event_id": "$e" })),
    };
    Behaviour::Late(Duration::from_millis(60), Box::new(response))
}

#[test]
fn requests_are_counted_by_resource_code_and_rule_and_calls_by_homeserver() {
    let stub = Stub::scripted(homeserver);
    let scratch = Scratch::new("metrics");
    let socket = scratch.path().join("control.sock").display().to_string();
    let (gateway, page) = Page::start(&["--homeserver", &stub.origin, "--control-socket", &socket]);
    let before = Metrics::of(&page);
    assert_eq!(before.find("comatrix_requests_total", &[]), None);

    let mut device = Aiocoap::start(gateway.address);
    for _ in 0..3 {
        assert_eq!(device.request(&send_to(&stub.origin)).code, "2.04");
    }
    let closed = Request::new("GET", "/getmsg/!closed:localhost").token("a-token");
    assert_eq!(device.request(&closed).code, "4.03");
    let other_format = Request::new("PUT", "/send/!room:localhost").bytes(b"\xa0", Some(42));
    assert_eq!(device.request(&other_format).code, "4.15");
    for _ in 0..2 {
        assert_eq!(
            device.request(&Request::new("GET", "/nothing-here")).code,
            "4.04"
        );
    }
    assert_eq!(device.request(&Request::new("GET", "/time")).code, "2.05");
    let links = Request::new("GET", "/.well-known/core");
    assert_eq!(device.request(&links).code, "2.05");
    // Version 3 of CoAP: no message of it.
    Raw::connect(gateway.address).send(&[0xc0, 0x01, 0x00, 0x01]);

    let started = Instant::now();
    let metrics = loop {
        let metrics = Metrics::of(&page);
        let malformed = metrics.value("comatrix_coap_malformed_messages_total", &[]);
        if malformed == 1.0 || started.elapsed() > Duration::from_secs(5) {
            break metrics;
        }
    };
    assert_eq!(
        metrics.value("comatrix_coap_malformed_messages_total", &[]),
        1.0
    );
    let requests = |resource: &str, code: &str, rule: &str| {
        let labels = [("resource", resource), ("code", code), ("rule", rule)];
        metrics.find("comatrix_requests_total", &labels)
    };
    assert_eq!(requests("/send", "2.04", "comatrix"), Some(3.0));
    assert_eq!(requests("/getmsg/*", "4.03", "comatrix"), Some(1.0));
    assert_eq!(requests("/send/*", "4.15", "comatrix"), Some(1.0));
    assert_eq!(requests("unknown", "4.04", ""), Some(2.0));
    assert_eq!(requests("/time", "2.05", "comatrix"), Some(1.0));
    assert_eq!(requests("/.well-known/core", "2.05", ""), Some(1.0));
    let to_stub = ("homeserver", stub.origin.as_str());
    let calls = |outcome| {
        let labels = [to_stub, ("outcome", outcome)];
        metrics.value("comatrix_homeserver_calls_total", &labels)
    };
    assert_eq!((calls("2xx"), calls("4xx"), calls("5xx")), (3.0, 1.0, 0.0));
    let took = |suffix: &str, labels: &[(&str, &str)]| {
        let name = format!("comatrix_homeserver_call_duration_seconds{suffix}");
        metrics.value(&name, labels)
    };
    assert_eq!(took("_count", &[to_stub]), 4.0);
    assert!((0.24..4.0).contains(&took("_sum", &[to_stub])));
    assert_eq!(took("_bucket", &[to_stub, ("le", "0.05")]), 0.0);
    assert_eq!(took("_bucket", &[to_stub, ("le", "+Inf")]), 4.0);
    for (name, value) in [
        ("comatrix_homeserver_reachable", 1.0),
        ("comatrix_homeserver_calls_in_flight", 0.0),
        ("comatrix_homeserver_calls_queued", 0.0),
        ("comatrix_requests_in_flight", 0.0),
        ("comatrix_observations", 0.0),
        ("comatrix_long_polls_refused_total", 0.0),
        ("comatrix_devices", 1.0),
        ("comatrix_rule_serving", 1.0),
        ("comatrix_rule_failed_calls_total", 0.0),
        ("comatrix_rule_rollbacks_total", 0.0),
        ("comatrix_coap_requests_total", 9.0),
    ] {
        assert_eq!(metrics.value(name, &[]), value, "{name}");
    }
    let resident = metrics.value("process_resident_memory_bytes", &[]);
    assert!((4e6..4e8).contains(&resident), "{resident}");

    let rule = places::workspace().join("target/guest/senml.wasm");
    let rule = rule.display().to_string();
    for command in [
        vec!["swap", "comatrix", &rule],
        vec!["rollback", "comatrix"],
        vec!["swap", "comatrix", "/no/such/file.wasm"],
    ] {
        gateway::run(&[&["rules", "--control-socket", &socket][..], &command].concat());
    }
    let after = Metrics::of(&page);
    let of_rule = |name: &str| after.value(name, &[("rule", "comatrix")]);
    assert_eq!(of_rule("comatrix_rule_activations_total"), 2.0);
    assert_eq!(of_rule("comatrix_rule_rollbacks_total"), 1.0);
    assert_eq!(of_rule("comatrix_rule_activation_failures_total"), 1.0);
    let listed = gateway::run(&["rules", "--control-socket", &socket, "list", "--json"]);
    let listed: Value = serde_json::from_slice(&listed.stdout).expect("it is JSON");
    let revision = listed[0]["revision"].as_str().expect("it serves");
    let labels = [("rule", "comatrix"), ("revision", revision)];
    assert_eq!(after.value("comatrix_rule_info", &labels), 1.0);
}

#[test]
fn the_manual_lists_every_metric_and_no_other() {
    let (_gateway, page) = Page::start(&["--homeserver", "http://127.0.0.1:9"]);
    let metrics = page.get("/metrics").body;
    let names = metrics
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "));
    let names: Vec<&str> = names.filter_map(|rest| rest.split(' ').next()).collect();
    assert!(names.len() > 50, "{names:?}");
    let manual = std::fs::read_to_string(places::workspace().join("host/README.md"));
    let manual = manual.expect("it is a file of the repository");
    let rows = manual.lines().filter_map(|line| line.strip_prefix("| `"));
    let listed = rows.filter_map(|row| row.split('`').next());
    let is_metric = |name: &&str| name.starts_with("comatrix_") || name.starts_with("process_");
    let listed: Vec<&str> = listed.filter(is_metric).collect();
    for name in &names {
        assert!(listed.contains(name), "host/README.md lacks {name}");
    }
    for name in listed {
        assert!(names.contains(&name), "the gateway has no metric {name}");
    }
}
