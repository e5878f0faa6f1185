//! Another configuration in place of the one that serves: whole, or not at all.

use std::fs;

use coap::{Message, code};
use contract::{Effect, HttpRequest, Step};
use gateway::config::Component;
use gateway::control::Reply;
use gateway::rule_manager::ControlRequest;

use crate::exchange::{request, response};
use crate::http_call::{self, homeserver, settings};
use crate::rule_text::RuleText;
use crate::stage::{Stage, saying, says, spec};
use crate::stub::Stub;
use crate::swapping::{refusal, rollback};

async fn get(stage: &Stage, path: &str) -> Message {
    response(&stage.gateway, request(code::GET, path)).await
}

fn is_done(reply: &Reply) {
    assert!(matches!(reply, Reply::Done(_)), "{reply:?}");
}

/// A rule that asks the homeserver before it replies.
fn asking() -> Vec<u8> {
    let needed = Step {
        request: HttpRequest {
            path: vec!["needed".into()],
            ..http_call::request()
        },
        state: Vec::new(),
    };
    let mut rule = RuleText::new();
    rule.begin = rule.value(&Ok(Effect::Call(needed))).1;
    rule.resume = rule.value(&says("asked")).1;
    rule.component()
}

#[tokio::test]
async fn rules_come_go_and_move_with_everything_else_in_one_step() {
    let stage = Stage::new("reconfigure", &[("a", saying("a")), ("b", saying("b"))]);
    fs::write(stage.folder.join("c.wasm"), saying("c")).expect("the folder is the test's");
    let untouched = stage.status("a").await;
    let reply = stage
        .reconfigure(|configured| {
            configured.rules[1].mount = vec!["moved".into()];
            configured.rules.push(spec(&stage.folder, "c"));
            configured.disabled = vec!["c".into()];
        })
        .await;
    is_done(&reply);
    assert_eq!(get(&stage, "a/test").await.payload, b"a");
    assert_eq!(get(&stage, "b/test").await.code, code::NOT_FOUND);
    assert_eq!(get(&stage, "moved/test").await.payload, b"b");
    assert_eq!(
        get(&stage, "c/test").await.code,
        code::NOT_FOUND,
        "it is switched off"
    );
    let after = stage.status("a").await;
    assert_eq!(
        (after.revision, after.previous, after.failure),
        (untouched.revision, None, None)
    );
    let reply = stage
        .reconfigure(|configured| {
            configured.disabled.clear();
            configured.rules.remove(0);
        })
        .await;
    is_done(&reply);
    assert_eq!(get(&stage, "c/test").await.payload, b"c");
    assert_eq!(get(&stage, "a/test").await.code, code::NOT_FOUND);
    let reply = stage.control(rollback("a")).await;
    assert!(refusal(reply).contains("there is no rule a"));
}

#[tokio::test]
async fn where_one_rule_cannot_serve_nothing_changes_and_one_line_says_why() {
    let stage = Stage::new("reconfigure-bad", &[("a", saying("a")), ("b", saying("b"))]);
    let other = Stub::content();
    fs::write(stage.folder.join("bad.wasm"), b"not a component").expect("it is the test's");
    let before = stage
        .configured
        .lock()
        .expect("nobody panics with it")
        .clone();
    type Change = fn(&mut crate::stage::Configured);
    let cases: [(&str, Change, &[&str], bool); 5] = [
        (
            "a file that is not there",
            |configured| configured.rules[1].component = Component::File("/nowhere/b.wasm".into()),
            &["verify: ", "/nowhere/b.wasm", "check the path"],
            true,
        ),
        (
            "a component that is none",
            |configured| {
                let component = configured.rules[1].component.file().expect("it has one");
                let component = component.with_file_name("bad.wasm");
                configured.rules[1].component = Component::File(component);
            },
            &["compile: rule b", "rule build"],
            true,
        ),
        (
            "two rules at one place",
            |configured| configured.rules[1].mount = vec!["a".into()],
            &["rule a", "rule b", "[[rule]] mount"],
            false,
        ),
        (
            "calls that are no longer granted",
            |configured| configured.rules[1].allow.clear(),
            &["policy: rule b", "allow = ["],
            true,
        ),
        (
            "certificate authorities that are not there",
            |configured| configured.upstreams.ca_file = Some("/nowhere/ca.pem".into()),
            &["/nowhere/ca.pem", "give a PEM file"],
            false,
        ),
    ];
    for (what, change, parts, is_b) in cases {
        let reply = stage
            .reconfigure(|configured| {
                *configured = before.clone();
                // All of this is in order, and not taken all the same.
                configured.upstreams.homeservers = vec![homeserver(other.url(), None)];
                configured.disabled = vec!["a".into()];
                configured.rules[0].settings = [("k".to_owned(), "v".to_owned())].into();
                change(configured);
            })
            .await;
        let line = refusal(reply);
        let start = "the test's configuration not applied; the old configuration keeps serving: ";
        assert!(
            line.starts_with(start) && !line.contains('\n'),
            "{what}: {line}"
        );
        for part in parts {
            assert!(line.contains(part), "{what}: {part:?} is not in {line}");
        }
        for rule in ["a", "b"] {
            assert_eq!(stage.test(rule).await, rule, "{what}");
        }
        // It stands with the rule whose fault it is, for as long as it is so.
        let failure = stage.status("b").await.failure;
        let shown = failure.as_ref().map(|failure| line.ends_with(failure));
        assert_eq!(shown, is_b.then_some(true), "{what}: {failure:?}");
        assert_eq!(stage.status("a").await.failure, None, "{what}");
    }
    assert_eq!(other.connections(), 0);
    let bad = |configured: &mut crate::stage::Configured| configured.rules[1].allow.clear();
    refusal(stage.reconfigure(bad).await);
    assert!(stage.status("b").await.failure.is_some());
    is_done(&stage.reconfigure(|configured| *configured = before).await);
    assert_eq!(stage.status("b").await.failure, None);
}

#[tokio::test]
async fn an_exchange_ends_with_the_homeserver_and_rule_that_it_began_with() {
    let stage = Stage::new("reconfigure-running", &[("a", asking())]);
    let other = Stub::content();
    stage.hold_homeserver();
    let running = stage.test("a");
    let reconfigured = async {
        stage.until("a", |status| status.in_flight == 1).await;
        let reply = stage
            .reconfigure(|configured| {
                configured.upstreams = settings(vec![homeserver(other.url(), None)]);
                configured.rules.clear();
            })
            .await;
        is_done(&reply);
        assert_eq!(get(&stage, "a/test").await.code, code::NOT_FOUND);
        stage.release_homeserver();
    };
    let (response, ()) = tokio::join!(running, reconfigured);
    assert_eq!(response, "asked");
    assert_eq!(other.connections(), 0);
}

#[tokio::test]
async fn requests_go_to_the_homeservers_of_now() {
    let stage = Stage::new("reconfigure-homeserver", &[("a", asking())]);
    let other = Stub::content();
    let reply = stage
        .reconfigure(|configured| {
            configured.upstreams = settings(vec![homeserver(other.url(), None)]);
        })
        .await;
    is_done(&reply);
    assert_eq!(stage.test("a").await, "asked");
    assert_eq!(other.only().target, "/needed");
}

#[tokio::test]
async fn a_rule_that_an_operator_swapped_in_stays_until_its_own_table_changes() {
    let stage = Stage::new("reconfigure-swapped", &[("a", saying("file"))]);
    stage.swapped("a", &saying("swapped")).await;
    is_done(
        &stage
            .reconfigure(|configured| configured.disabled = vec!["x".into()])
            .await,
    );
    assert_eq!(stage.test("a").await, "swapped");
    is_done(
        &stage
            .reconfigure(|configured| configured.rules[0].limits.per_second = 7)
            .await,
    );
    assert_eq!(stage.test("a").await, "file");
    // The former revision had other limits: there is no way back to it.
    let reply = stage
        .control(ControlRequest::Rollback { rule: "a".into() })
        .await;
    assert!(refusal(reply).contains("no revision before this one"));
}

#[tokio::test]
async fn a_rules_new_limits_count_at_once() {
    let stage = Stage::new("reconfigure-limits", &[("a", saying("a"))]);
    is_done(
        &stage
            .reconfigure(|configured| configured.rules[0].limits.per_second = 1)
            .await,
    );
    let codes: Vec<u8> = [
        stage.test_from("[::1]:1", "a").await,
        stage.test_from("[::1]:1", "a").await,
    ]
    .map(|response| response.code)
    .to_vec();
    assert_eq!(codes, [code::CONTENT, code::SERVICE_UNAVAILABLE]);
}
