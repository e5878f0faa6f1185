//! Exchanges of rules that break the contract or exceed their limits: the device gets 5.00, others are not affected.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use coap::{Message, code, option};
use contract::{CoapOption, Effect, Failure, HttpRequest, Message as RuleMessage, Reply, Step};
use gateway::request::Gateway;
use runtime::{Engines, RuleLimits};

use crate::default_rule::{activate_rule, engine, gateway_with};
use crate::exchange::{request, response};
use crate::http_call::{self, homeserver, upstreams};
use crate::rule_text::RuleText;
use crate::stub::Stub;

/// The gateway with this rule, and its one homeserver.
fn with(rule: &RuleText) -> (Gateway, Stub) {
    on(&engine(), rule)
}

fn on(engine: &Engines, rule: &RuleText) -> (Gateway, Stub) {
    let stub = Stub::content();
    let (component, limits) = (rule.component(), RuleLimits::trusted());
    let revision = activate_rule(engine, None, "hand", &component, BTreeMap::new(), limits)
        .unwrap_or_else(|error| panic!("{error}"));
    let upstreams = upstreams(vec![homeserver(stub.url(), None)]);
    (gateway_with(revision, upstreams), stub)
}

async fn test(gateway: &Gateway) -> Message {
    response(gateway, request(code::GET, "test")).await
}

fn reply(code: u8, options: Vec<CoapOption>, payload: &[u8]) -> Result<Effect, Failure> {
    Ok(Effect::Reply(Reply {
        message: RuleMessage {
            code,
            options,
            payload: payload.to_vec(),
        },
        session: None,
        watch: None,
    }))
}

/// `GET /needed`: the rule's description has it among its needs.
fn needed() -> HttpRequest {
    HttpRequest {
        path: vec!["needed".into()],
        ..http_call::request()
    }
}

fn call(request: HttpRequest, state: usize) -> Result<Effect, Failure> {
    let state = vec![7; state];
    Ok(Effect::Call(Step { request, state }))
}

/// The gateway's response if `begin` returns this value.
async fn response_of(value: Result<Effect, Failure>) -> Message {
    let mut rule = RuleText::new();
    rule.begin = rule.value(&value).1;
    test(&with(&rule).0).await
}

#[tokio::test]
async fn the_device_gets_the_rules_reply() {
    let max_age = CoapOption {
        number: option::MAX_AGE,
        value: vec![9],
    };
    let response = response_of(reply(code::CONTENT, vec![max_age], b"hello")).await;
    assert_eq!(
        (response.code, response.payload.as_slice()),
        (code::CONTENT, b"hello".as_slice())
    );
    assert_eq!(response.uint_option(option::MAX_AGE), Some(9));
}

#[tokio::test]
async fn a_failure_becomes_a_diagnostic_of_at_most_512_bytes_with_its_max_age() {
    let failure = Failure {
        code: code::TOO_MANY_REQUESTS,
        diagnostic: "\u{e9}".repeat(400),
        max_age: Some(30),
    };
    let response = response_of(Err(failure)).await;
    assert_eq!(response.code, code::TOO_MANY_REQUESTS);
    assert_eq!(response.payload, "\u{e9}".repeat(256).as_bytes());
    assert_eq!(response.uint_option(option::MAX_AGE), Some(30));
}

#[tokio::test]
async fn replies_and_failures_beyond_the_contract_are_5_00() {
    let block = |number| CoapOption {
        number,
        value: vec![8],
    };
    let failure = |code| {
        Err(Failure {
            code,
            diagnostic: "secret".into(),
            max_age: None,
        })
    };
    let wrong = [
        reply(code::GET, vec![], b"secret"),
        reply(code::EMPTY, vec![], b"secret"),
        reply(0x60, vec![], b"secret"),
        reply(code::CONTENT, vec![block(option::BLOCK2)], b"secret"),
        reply(code::CONTENT, vec![block(option::OBSERVE)], b"secret"),
        failure(code::CONTENT),
        failure(code::EMPTY),
    ];
    for value in wrong {
        let response = response_of(value).await;
        assert_eq!(response.code, code::INTERNAL_SERVER_ERROR);
        let diagnostic = String::from_utf8_lossy(&response.payload);
        assert!(
            diagnostic.contains("contract") && !diagnostic.contains("secret"),
            "{diagnostic}"
        );
    }
}

#[tokio::test]
async fn a_call_that_the_description_does_not_name_is_denied_and_no_packet_leaves() {
    let mut rule = RuleText::new();
    let beyond = HttpRequest {
        path: vec!["beyond".into()],
        ..needed()
    };
    rule.begin = rule.value(&call(beyond, 0)).1;
    // Replies with the reason of the call's failure: text at 100 and 104 of the parameters.
    let (address, value) = rule.value(&reply(code::CONTENT, vec![], b""));
    let (pointer, length) = (address + 20, address + 24);
    rule.resume = format!(
        "(i32.store (i32.const {pointer}) (i32.load offset=100 (local.get 0)))
         (i32.store (i32.const {length}) (i32.load offset=104 (local.get 0)))
         {value}"
    );
    let (gateway, stub) = with(&rule);
    let response = test(&gateway).await;
    assert_eq!(
        (response.code, response.payload.as_slice()),
        (code::CONTENT, b"denied".as_slice())
    );
    assert_eq!(stub.connections(), 0);
}

#[tokio::test]
async fn an_exchange_whose_rule_makes_calls_without_end_ends_at_the_limit_of_steps() {
    let mut rule = RuleText::new();
    rule.begin = rule.value(&call(needed(), 16)).1;
    rule.resume.clone_from(&rule.begin);
    let (gateway, stub) = with(&rule);
    let response = test(&gateway).await;
    assert_eq!(response.code, code::INTERNAL_SERVER_ERROR);
    assert_eq!(stub.received().len(), 6);
}

#[tokio::test]
async fn a_state_may_have_as_many_bytes_as_its_limit_and_no_more() {
    for (state, expected) in [
        (16 << 10, code::CONTENT),
        ((16 << 10) + 1, code::INTERNAL_SERVER_ERROR),
    ] {
        let mut rule = RuleText::new();
        rule.begin = rule.value(&call(needed(), state)).1;
        rule.resume = rule.value(&reply(code::CONTENT, vec![], b"")).1;
        let (gateway, stub) = with(&rule);
        assert_eq!(test(&gateway).await.code, expected, "{state}");
        assert_eq!(
            stub.received().len(),
            usize::from(expected == code::CONTENT)
        );
    }
}

/// Bodies of functions that never return a value.
pub const HOSTILE: [(&str, &str); 5] = [
    ("endless loop", "(loop $again (br $again)) unreachable"),
    (
        "memory",
        "(loop $more (drop (memory.grow (i32.const 1))) (br $more)) unreachable",
    ),
    (
        "recursion",
        "(call $deep (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4)) unreachable",
    ),
    ("trap", "unreachable"),
    ("an address beyond memory", "i32.const -8"),
];

#[tokio::test]
async fn a_rule_that_traps_hangs_or_takes_too_much_is_5_00_and_the_next_call_works() {
    let engine = engine();
    let mut rule = RuleText::new();
    rule.begin = rule.value(&reply(code::CONTENT, vec![], b"")).1;
    let (good, _stub) = on(&engine, &rule);
    for (what, body) in HOSTILE {
        rule.begin = body.into();
        let (hostile, _stub) = on(&engine, &rule);
        for _ in 0..20 {
            let began = Instant::now();
            let response = test(&hostile).await;
            assert_eq!(response.code, code::INTERNAL_SERVER_ERROR, "{what}");
            let diagnostic = String::from_utf8_lossy(&response.payload);
            assert!(
                diagnostic.contains("log") && !diagnostic.contains("wasm"),
                "{diagnostic}"
            );
            // 20 ms is the limit of a call; the rest is for a machine that is busy with other tests.
            assert!(began.elapsed() < Duration::from_secs(5), "{what}");
            assert_eq!(test(&good).await.code, code::CONTENT, "after {what}");
        }
        let snapshot = hostile.snapshots.load();
        let table = &snapshot.rules;
        assert_eq!(table.rules()[0].revision.state().traps(), 20, "{what}");
    }
}
