//! Rules that are replaced while they serve: the revision that serves, exchanges under way, and the operator's report.

use std::fs;
use std::sync::Arc;

use coap::code;
use contract::{Effect, HttpRequest, Step};
use gateway::config::Component;
use gateway::control::Reply;
use gateway::rule_manager::ControlRequest;
use runtime::BuiltIn;

use crate::exchange::{request, response};
use crate::http_call;
use crate::rule_text::RuleText;
use crate::stage::{Stage, saying, says};

pub fn refusal(reply: Reply) -> String {
    match reply {
        Reply::Refused(line) => line,
        other => panic!("{other:?}"),
    }
}

pub fn rollback(rule: &str) -> ControlRequest {
    ControlRequest::Rollback { rule: rule.into() }
}

#[tokio::test]
async fn a_swapped_rule_serves_and_a_rollback_brings_back_the_one_before() {
    let stage = Stage::new("swap", &[("a", saying("one"))]);
    assert_eq!(stage.test("a").await, "one");
    stage.swapped("a", &saying("two")).await;
    assert_eq!(stage.test("a").await, "two");
    let status = stage.status("a").await;
    assert!(
        status.previous.is_some() && status.failure.is_none(),
        "{status:?}"
    );
    let reply = stage.control(rollback("a")).await;
    assert!(matches!(reply, Reply::Done(_)), "{reply:?}");
    assert_eq!(stage.test("a").await, "one");
    // And again: the revision that was rolled back is the former one now.
    stage.control(rollback("a")).await;
    assert_eq!(stage.test("a").await, "two");
}

#[tokio::test]
async fn a_component_that_cannot_serve_leaves_the_old_revision_and_names_step_cause_and_remedy() {
    let stage = Stage::new("swap-bad", &[("a", saying("one")), ("b", saying("b"))]);
    let greedy = RuleText::needing("test", "secrets");
    let mut liar = RuleText::at("..");
    liar.begin = liar.value(&says("lie")).1;
    let wasi = wat::parse_str(r#"(component (import "wasi:sockets/tcp@0.2.0" (instance)))"#)
        .unwrap_or_else(|error| panic!("{error}"));
    let good = saying("two");
    let crowded = RuleText::described("test", &[1; 5000], "needed");
    let cases: [(&str, &[u8], &str, &str); 8] = [
        (
            "thousands of methods",
            &crowded.component(),
            "describe",
            "more than seven",
        ),
        ("nothing", b"", "compile", "rule build"),
        (
            "text",
            b"not a component",
            "compile",
            "not a WebAssembly component",
        ),
        (
            "half",
            &good[..good.len() / 2],
            "compile",
            "not a WebAssembly component",
        ),
        ("sockets", &wasi, "check imports", "without WASI"),
        (
            "trap in describe",
            &hostile_describe(),
            "describe",
            "author",
        ),
        (
            "a path that is none",
            &liar.component(),
            "describe",
            "author",
        ),
        (
            "calls that are not granted",
            &greedy.component(),
            "policy",
            "allow = [\"GET none standard /secrets\"]",
        ),
    ];
    for (what, component, step, remedy) in cases {
        let Reply::Refused(line) = stage.swap("a", component).await else {
            panic!("{what} serves")
        };
        assert!(
            line.starts_with("rule a not replaced") && !line.contains('\n'),
            "{line}"
        );
        assert!(line.contains(&format!(": {step}: ")), "{what}: {line}");
        assert!(line.contains(remedy), "{what}: {line}");
        let failure = stage.status("a").await.failure.expect("it is shown");
        assert!(failure.starts_with(step), "{what}: {failure}");
        assert_eq!(stage.test("a").await, "one", "{what}");
        assert_eq!(stage.test("b").await, "b", "{what}");
    }
    let reply = stage.control(rollback("a")).await;
    assert!(
        matches!(reply, Reply::Refused(_)),
        "nothing was there before: {reply:?}"
    );
    stage.swapped("a", &good).await;
    assert_eq!(stage.status("a").await.failure, None);
}

fn hostile_describe() -> Vec<u8> {
    let mut rule = RuleText::new();
    rule.describe = "unreachable".into();
    rule.component()
}

#[tokio::test]
async fn a_rule_that_is_not_there_is_refused_with_where_to_look() {
    let stage = Stage::new("swap-unknown", &[("a", saying("one"))]);
    for reply in [
        stage.swap("c", &saying("two")).await,
        stage.control(rollback("c\n")).await,
    ] {
        let Reply::Refused(line) = reply else {
            panic!("there is no such rule")
        };
        assert!(
            line.contains("rules list") && !line.contains('\n'),
            "{line}"
        );
    }
}

#[tokio::test]
async fn two_links_on_one_path_are_refused_and_both_rules_are_named() {
    let folder = "swap-conflict";
    let rules = [("a", saying("a")), ("b", RuleText::at("other").component())];
    let stage = Stage::with(folder, &rules, |spec| spec.mount = Vec::new());
    let Reply::Refused(line) = stage.swap("b", &saying("b")).await else {
        panic!("both have /test")
    };
    for part in ["mount: ", "rule a", "rule b", "/test", "[[rule]] mount"] {
        assert!(line.contains(part), "{part:?} is not in {line}");
    }
    let response = response(&stage.gateway, request(code::GET, "test")).await;
    assert_eq!(response.payload, b"a");
}

#[tokio::test]
async fn the_longest_mount_wins_and_discovery_changes_with_a_swap() {
    let rules = [("a", saying("root")), ("b", saying("below"))];
    let stage = Stage::with("swap-mounts", &rules, |spec| {
        spec.mount = match spec.name.as_str() {
            "a" => Vec::new(),
            _ => vec!["test".into()],
        };
    });
    let get = |path| response(&stage.gateway, request(code::GET, path));
    assert_eq!(get("test").await.payload, b"root");
    assert_eq!(get("test/test").await.payload, b"below");
    assert_eq!(get("other").await.code, code::NOT_FOUND);
    let links = get(".well-known/core").await.payload;
    assert_eq!(String::from_utf8_lossy(&links), "</test/test>,</test>");
    let mut renamed = RuleText::at("new");
    renamed.begin = renamed.value(&says("new")).1;
    stage.swapped("b", &renamed.component()).await;
    let links = get(".well-known/core").await.payload;
    assert_eq!(String::from_utf8_lossy(&links), "</test/new>,</test>");
    assert_eq!(get("test/test").await.code, code::NOT_FOUND);
}

#[tokio::test]
async fn an_exchange_ends_on_the_revision_that_began_it_whose_memory_is_then_freed() {
    let mut slow = RuleText::new();
    let needed = Step {
        request: HttpRequest {
            path: vec!["needed".into()],
            ..http_call::request()
        },
        state: Vec::new(),
    };
    slow.begin = slow.value(&Ok(Effect::Call(needed))).1;
    slow.resume = slow.value(&says("old")).1;
    let stage = Stage::new("swap-running", &[("a", slow.component())]);
    let old = Arc::downgrade(&stage.gateway.snapshots.load().rules.rules()[0].revision);
    stage.hold_homeserver();
    let running = stage.test("a");
    let swap = async {
        stage.until("a", |status| status.in_flight == 1).await;
        stage.swapped("a", &saying("new")).await;
        assert_eq!(stage.test("a").await, "new");
        // The old one is kept for a rollback; a second swap lets it go.
        stage.swapped("a", &saying("newer")).await;
        assert!(old.upgrade().is_some(), "an exchange still runs on it");
        stage.release_homeserver();
    };
    let (response, ()) = tokio::join!(running, swap);
    assert_eq!(response, "old");
    assert_eq!(stage.test("a").await, "newer");
    assert!(old.upgrade().is_none());
}

#[tokio::test]
async fn a_reload_replaces_changed_rules_and_no_others() {
    let stage = Stage::new("swap-reload", &[("a", saying("one")), ("b", saying("b"))]);
    fs::write(stage.folder.join("a.wasm"), saying("two")).expect("the folder is the test's");
    let before = stage.status("b").await;
    stage.reload().await;
    assert_eq!(stage.test("a").await, "two");
    let after = stage.status("b").await;
    assert_eq!((after.previous, after.revision), (None, before.revision));
    // A component that an operator has swapped in stays: the file has not changed since.
    stage.swapped("a", &saying("three")).await;
    stage.reload().await;
    assert_eq!(stage.status("a").await.failure, None);
    assert_eq!(stage.test("a").await, "three");
}

#[tokio::test]
async fn a_component_in_the_place_of_the_built_in_rule_may_make_granted_calls_and_no_others() {
    let stage = Stage::with("swap-default", &[("comatrix", saying("mine"))], |spec| {
        // As configured without a file: the built-in rule.
        spec.component = Component::BuiltIn(BuiltIn::Comatrix);
    });
    let greedy = RuleText::needing("test", "secrets").component();
    let line = refusal(stage.swap("comatrix", &greedy).await);
    assert!(
        line.contains(": policy: ") && line.contains("/secrets"),
        "{line}"
    );
    stage.swapped("comatrix", &saying("granted")).await;
}
