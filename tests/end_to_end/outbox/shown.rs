//! What the metrics, the status page and the commands show of messages that wait: numbers, and no secrets.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use comatrix_tests::aiocoap::Aiocoap;
use comatrix_tests::device::Request;
use comatrix_tests::gateway;
use comatrix_tests::page::Page;
use comatrix_tests::places::Scratch;
use comatrix_tests::stub::{Behaviour, Received, Stub};
use serde_json::{Value, json};

use crate::metrics::Metrics;

/// A message with a token of its device's own.
fn send(room: &str, txn_id: &str) -> Request {
    Request::new("PUT", &format!("/send/{room}/{txn_id}"))
        .token("DEVICE-SECRET")
        .cbor(json!({ "msgtype": "m.text", "body": "TEXT-SECRET" }))
}

/// A homeserver that responds to each message with the status in the cell, and repeats the message.
fn homeserver(status: &Arc<AtomicU16>) -> Stub {
    let status = status.clone();
    Stub::scripted(move |request: &Received| {
        if !request.target.contains("/send/") {
            return Behaviour::json(200, json!({ "versions": [] }));
        }
        let status = status.load(Ordering::SeqCst);
        let repeated = String::from_utf8_lossy(&request.body).into_owned();
        let event = json!({ "event_id": "$e" });
        let error = json!({ "errcode": "M_FORBIDDEN", "error": repeated });
        Behaviour::json(status, if status == 200 { event } else { error })
    })
}

/// Waits for this value of a metric.
fn until(page: &Page, name: &str, labels: &[(&str, &str)], value: f64) -> Metrics {
    let began = Instant::now();
    loop {
        let metrics = Metrics::of(page);
        if metrics.value(name, labels) == value {
            return metrics;
        }
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "{name} {labels:?} is not {value}"
        );
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn depth_age_and_failures_are_shown_everywhere_and_secrets_nowhere() {
    let status = Arc::new(AtomicU16::new(503));
    let stub = homeserver(&status);
    let scratch = Scratch::new("outbox-shown");
    let socket = scratch.path().join("control.sock").display().to_string();
    let (gateway, page) = Page::start(&[
        "--homeserver",
        &stub.origin,
        "--control-socket",
        &socket,
        "--log-level",
        "trace",
    ]);
    let outbox = |args: &[&str]| {
        let to = ["outbox", "--control-socket", &socket];
        let output = gateway::run(&[&to, args].concat());
        assert_eq!(output.status.code(), Some(0), "{args:?}: {output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let mut device = Aiocoap::start(gateway.address);
    let queued = device.request(&send("!a:h", "1"));
    assert_eq!(queued.code, "2.04");
    assert_eq!(device.request(&send("!a:h", "2")).code, "2.04");
    assert_eq!(
        device.request(&send("!a:h", "2")).code,
        "2.04",
        "a repetition"
    );
    let metrics = until(&page, "comatrix_outbox_messages", &[], 2.0);
    for (name, value) in [
        ("comatrix_outbox_accepted_total", 2.0),
        ("comatrix_outbox_duplicates_total", 1.0),
        ("comatrix_outbox_refused_total", 0.0),
        ("comatrix_outbox_sent_total", 0.0),
        ("comatrix_outbox_failed_messages", 0.0),
        ("comatrix_outbox_disk_errors_total", 0.0),
    ] {
        assert_eq!(metrics.value(name, &[]), value, "{name}");
    }
    assert!(metrics.value("comatrix_outbox_bytes", &[]) > 500.0);
    let without_result = "comatrix_outbox_attempts_without_result_total";
    assert!(metrics.value(without_result, &[("reason", "5xx")]) >= 1.0);
    assert_eq!(metrics.value(without_result, &[("reason", "401")]), 0.0);

    let shown = page.get("/").body;
    for part in [
        "Messages that wait",
        "2 of 20,000",
        "messages waiting in the last hour: now 2",
    ] {
        assert!(shown.contains(part), "{part:?} is not in {shown}");
    }
    assert_eq!(page.status()["outbox"]["waiting"], 2);
    let list: Value = serde_json::from_str(&outbox(&["list", "--json"])).expect("it is JSON");
    let id = list["records"][0]["id"]
        .as_str()
        .expect("it is text")
        .to_owned();
    let mut said = vec![
        outbox(&["list"]),
        outbox(&["show", &id]),
        outbox(&["show", &id, "--json"]),
        page.get("/status.json").body,
        page.get("/metrics").body,
        shown,
    ];

    status.store(403, Ordering::SeqCst);
    said.push(outbox(&["retry"]));
    let forbidden = [("reason", "403")];
    until(&page, "comatrix_outbox_failed_total", &forbidden, 2.0);
    said.push(outbox(&["list", "--failed"]));
    said.push(outbox(&["show", &id]));
    said.push(page.get("/").body);
    assert!(said[said.len() - 1].contains("failed since the start: 403"));
    let dropped = outbox(&["drop", &id]);
    assert!(dropped.contains(&id), "{dropped}");
    status.store(200, Ordering::SeqCst);
    said.push(dropped);
    said.push(outbox(&["retry", "all"]));
    let metrics = until(&page, "comatrix_outbox_sent_total", &[], 1.0);
    // One that had failed is not counted a second time when it is dropped.
    let dropped = [("reason", "dropped")];
    assert_eq!(metrics.value("comatrix_outbox_failed_total", &dropped), 0.0);
    assert_eq!(metrics.value("comatrix_outbox_messages", &[]), 0.0);
    said.push(page.get("/metrics").body);
    said.push(gateway.log());
    for text in &said {
        for secret in ["DEVICE-SECRET", "TEXT-SECRET"] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
    }
}

#[test]
fn a_gateway_that_keeps_no_messages_says_so() {
    let stub = homeserver(&Arc::new(AtomicU16::new(503)));
    let scratch = Scratch::new("outbox-none");
    let file = scratch.write("file", "").display().to_string();
    let nowhere = format!("{file}/state");
    let (gateway, page) = Page::start(&["--homeserver", &stub.origin, "--state-dir", &nowhere]);
    let mut device = Aiocoap::start(gateway.address);
    assert_eq!(device.request(&send("!a:h", "1")).code, "5.03");
    let shown = page.get("/").body;
    assert!(shown.contains("keeps no messages"), "{shown}");
    assert!(
        !shown.contains("messages waiting in the last hour"),
        "{shown}"
    );
    assert_eq!(page.status()["outbox"], Value::Null);
    assert!(!page.get("/metrics").body.contains("comatrix_outbox"));
}
