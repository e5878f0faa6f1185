//! The payload of one device stays with its exchange: in memory, in globals, in state, and in the log.

use std::time::Instant;

use coap::code;
use contract::{Effect, HttpRequest, Step};

use crate::captured::Captured;
use crate::exchange::{request, response_to};
use crate::http_call;
use crate::rule_text::RuleText;
use crate::stage::{Stage, says};

/// Where the request's payload stands among the parameters of `begin`.
const PAYLOAD: &str = "(i32.load offset=100 (local.get 0)) (i32.load offset=104 (local.get 0))";

#[tokio::test]
async fn memory_and_globals_of_a_rule_are_gone_after_the_call() {
    let mut rule = RuleText::new();
    // The response's one digit counts calls: in a global, in memory far behind, and in memory that it adds.
    let (address, value) = rule.value(&says("0"));
    rule.extra = "(global $kept (mut i32) (i32.const 48))".into();
    let digit = rule.address_of(b"0");
    rule.begin = format!(
        "(global.set $kept (i32.add (global.get $kept) (i32.const 1)))
         (i32.store8 (i32.const 70000) (i32.add (i32.load8_u (i32.const 70000)) (i32.const 1)))
         (drop (memory.grow (i32.const 1)))
         (i32.store8 (i32.const 131072) (i32.add (i32.load8_u (i32.const 131072)) (i32.const 1)))
         (i32.store8 (i32.const {digit})
            (i32.add (i32.add (global.get $kept) (i32.load8_u (i32.const 70000))) (i32.load8_u (i32.const 131072))))
         {value}"
    );
    assert!(digit < address);
    let stage = Stage::new("leak-memory", &[("a", rule.component())]);
    for device in 0..100 {
        let response = stage
            .test_from(&format!("192.0.2.{device}:5683"), "a")
            .await;
        assert_eq!(response.payload, b"3", "device {device}");
    }
}

/// The log while a device asks a rule a hundred times with this payload, and how many lines of a rule may be
/// among it: ten at first, and ten a second.
async fn logged(test: &str, rule: &RuleText, payload: &[u8]) -> (String, usize) {
    let began = Instant::now();
    let captured = Captured::start();
    let stage = Stage::new(test, &[("a", rule.component())]);
    for _ in 0..100 {
        let mut message = request(code::GET, "a/test");
        message.payload = payload.to_vec();
        let response = response_to(&stage.gateway, "[::1]:5683", message).await;
        assert_eq!(response.code, code::CONTENT);
    }
    let most = 10 + 10 * (began.elapsed().as_secs() as usize + 1);
    (captured.text(), most)
}

#[tokio::test]
async fn a_password_that_a_rule_logs_is_hidden_and_its_lines_are_few_and_marked() {
    let mut rule = RuleText::new();
    rule.logs = true;
    let (_, value) = rule.value(&says("ok"));
    rule.begin = format!("(call $log (i32.const 1) {PAYLOAD}) {value}");
    let (logged, most) = logged("leak-log", &rule, b"hunter2 hunter2\n\x1b[31mforged").await;
    assert!(
        !logged.contains("unter") && !logged.contains('\u{1b}'),
        "{logged}"
    );
    let lines = logged
        .lines()
        .filter(|line| line.contains("rule a: "))
        .count();
    assert!((1..=most).contains(&lines), "{lines}: {logged}");
    assert!(logged.contains("rule a: [hidden]"), "{logged}");
}

#[tokio::test]
async fn a_password_in_the_path_of_a_denied_call_is_not_logged() {
    let mut rule = RuleText::new();
    let request = HttpRequest {
        path: vec!["hunter2pass".into()],
        ..http_call::request()
    };
    let state = Vec::new();
    rule.begin = rule.value(&Ok(Effect::Call(Step { request, state }))).1;
    rule.resume = rule.value(&says("denied")).1;
    let (logged, _) = logged("leak-denied", &rule, b"hunter2pass").await;
    assert!(logged.contains("rule a: a call was denied"), "{logged}");
    assert!(!logged.contains("hunter2"), "{logged}");
}

#[tokio::test]
async fn a_flood_of_lines_in_one_call_is_cut() {
    let mut rule = RuleText::new();
    rule.logs = true;
    let text = rule.address_of(b"all is well");
    let (_, value) = rule.value(&says("ok"));
    rule.begin = format!(
        "(local $n i32)
         (loop $again
            (call $log (i32.const 3) (i32.const {text}) (i32.const 11))
            (local.set $n (i32.add (local.get $n) (i32.const 1)))
            (br_if $again (i32.lt_u (local.get $n) (i32.const 10000))))
         {value}"
    );
    let (logged, most) = logged("leak-flood", &rule, b"").await;
    let lines = logged
        .lines()
        .filter(|line| line.contains("all is well"))
        .count();
    assert!((1..=most).contains(&lines), "{lines}");
}
