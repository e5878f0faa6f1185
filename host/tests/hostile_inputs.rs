//! Inputs that make a rule trap, chosen by devices that want it rolled back or out of service.

use std::time::Duration;

use coap::{Message, code};
use contract::{Effect, HttpRequest, Step};
use gateway::control::Reply;

use crate::exchange::{request, response_to};
use crate::http_call;
use crate::rule_text::RuleText;
use crate::stage::{Stage, saying, says, trapping};

/// Bodies of `begin` that fail on a request with a payload. The first of them is a fault of the rule for requests
/// of any size.
const FAILURES: [&str; 3] = [
    "unreachable",
    "(loop $more (drop (memory.grow (i32.const 1))) (br $more))",
    "(loop $again (br $again))",
];

/// A rule that says `text`, but fails on a payload.
fn failing_on_payload(text: &str, failure: &str) -> Vec<u8> {
    let mut rule = RuleText::new();
    let (_, value) = rule.value(&says(text));
    // The length of the payload among the parameters of `begin`.
    rule.begin = format!("(if (i32.load offset=104 (local.get 0)) (then {failure})) {value}");
    rule.component()
}

/// The response to a request whose payload makes the rule fail.
async fn attack(stage: &Stage, peer: &str) -> Message {
    let mut message = request(code::GET, "a/test");
    message.payload = vec![b'x'; 100];
    response_to(&stage.gateway, peer, message).await
}

async fn serves_undisturbed(stage: &Stage, text: &str) {
    assert_eq!(stage.test("a").await, text);
    let status = stage.status("a").await;
    assert_eq!((status.failure, status.paused_seconds), (None, None));
    assert_eq!(status.rolled_back, 0);
}

#[tokio::test]
async fn eight_addresses_of_one_network_cannot_roll_a_rule_back_or_take_it_out_of_service() {
    for failure in FAILURES {
        let stage = Stage::with("hostile-network", &[("a", saying("one"))], |spec| {
            spec.limits.call_time = Duration::from_millis(20);
        });
        stage
            .swapped("a", &failing_on_payload("two", failure))
            .await;
        for call in 0..104 {
            let peer = format!("[2001:db8::{}]:5683", call % 8);
            let response = attack(&stage, &peer).await;
            assert_eq!(response.code, code::INTERNAL_SERVER_ERROR, "{failure}");
        }
        serves_undisturbed(&stage, "two").await;
    }
}

#[tokio::test]
async fn time_and_memory_for_large_requests_are_not_the_rules_fault_whoever_sends_them() {
    for failure in &FAILURES[1..] {
        let stage = Stage::with("hostile-size", &[("a", saying("one"))], |spec| {
            spec.limits.call_time = Duration::from_millis(4);
        });
        stage
            .swapped("a", &failing_on_payload("two", failure))
            .await;
        stage.test("a").await;
        for call in 0..200 {
            let peer = format!("192.0.{}.1:5683", call % 20);
            let response = attack(&stage, &peer).await;
            assert_eq!(response.code, code::INTERNAL_SERVER_ERROR, "{failure}");
        }
        serves_undisturbed(&stage, "two").await;
    }
}

#[tokio::test]
async fn a_rule_is_not_rolled_back_to_a_revision_that_fails_on_the_same_requests() {
    let broken = failing_on_payload("one", FAILURES[0]);
    let stage = Stage::new("hostile-same", &[("a", broken)]);
    stage
        .swapped("a", &failing_on_payload("two", FAILURES[0]))
        .await;
    for call in 0..100 {
        let peer = format!("192.0.{}.1:5683", call % 10);
        match call % 5 {
            0 => drop(stage.test_from(&peer, "a").await),
            _ => drop(attack(&stage, &peer).await),
        }
    }
    let status = stage.until("a", |status| status.failure.is_some()).await;
    // What works keeps working.
    assert_eq!((status.rolled_back, status.paused_seconds), (0, None));
    assert_eq!(stage.test("a").await, "two");
}

#[tokio::test]
async fn the_resumed_calls_that_failed_are_tried_on_the_previous_revision() {
    let calling = |resume: Option<&str>| {
        let mut rule = RuleText::new();
        let request = HttpRequest {
            path: vec!["needed".into()],
            ..http_call::request()
        };
        let state = vec![7];
        rule.begin = rule.value(&Ok(Effect::Call(Step { request, state }))).1;
        if let Some(text) = resume {
            rule.resume = rule.value(&says(text)).1;
        }
        rule.component()
    };
    let stage = Stage::new("hostile-resume", &[("a", calling(Some("resumed")))]);
    stage.swapped("a", &calling(None)).await;
    // Each request has two calls: the first works, the second fails.
    stage.hundred_calls("a").await;
    stage.until("a", |status| status.rolled_back == 1).await;
    assert_eq!(stage.test("a").await, "resumed");
}

#[tokio::test]
async fn a_revision_that_its_operator_keeps_is_not_rolled_back_by_devices() {
    let stage = Stage::new("hostile-kept", &[("a", saying("one"))]);
    let reply = stage.swap_to("a", &trapping(), true).await;
    assert!(matches!(reply, Reply::Done(_)), "{reply:?}");
    assert!(stage.status("a").await.kept);
    stage.hundred_calls("a").await;
    let status = stage.until("a", |status| status.failure.is_some()).await;
    assert_eq!(status.rolled_back, 0);
    assert!(status.previous.is_some(), "its operator can roll it back");
}

#[tokio::test]
async fn a_pause_ends_when_a_call_that_is_tried_has_a_result() {
    let component = failing_on_payload("works", FAILURES[0]);
    let stage = Stage::new("hostile-pause", &[("a", component)]);
    // Pauses grow beyond the time of this test.
    for _ in 0..5 {
        while stage.status("a").await.paused_seconds.is_none() {
            for network in 0..9 {
                attack(&stage, &format!("192.0.{network}.1:5683")).await;
            }
        }
        if stage.status("a").await.paused_seconds >= Some(4) {
            break;
        }
        stage
            .until("a", |status| status.paused_seconds.is_none())
            .await;
    }
    stage
        .until("a", |status| status.paused_seconds <= Some(3))
        .await;
    assert_eq!(stage.test("a").await, "works");
    assert_eq!(stage.status("a").await.paused_seconds, None);
}
