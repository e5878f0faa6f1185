//! The bounds of a rule: each gives the device a precise response and the operator a count.

use std::time::{Duration, Instant};

use coap::code::Dotted;
use coap::{Message, code, option};
use contract::{CoapOption, Effect, Failure, HttpRequest, Step};
use futures_util::future::join_all;
use gateway::config::RuleSpec;
use runtime::RuleLimits;

use crate::http_call;
use crate::rule_text::RuleText;
use crate::stage::{Stage, saying, says};

fn limited(change: impl Fn(&mut RuleLimits)) -> impl Fn(&mut RuleSpec) {
    move |spec| change(&mut spec.limits)
}

fn is_busy(response: &Message) -> bool {
    response.code == code::SERVICE_UNAVAILABLE && response.uint_option(option::MAX_AGE) == Some(1)
}

fn call(request: HttpRequest, state: usize) -> Result<Effect, Failure> {
    let state = vec![7; state];
    Ok(Effect::Call(Step { request, state }))
}

fn needed() -> HttpRequest {
    HttpRequest {
        path: vec!["needed".into()],
        ..http_call::request()
    }
}

/// A rule that makes this call, and then says how it failed, or `resumed`.
fn calling(request: HttpRequest, state: usize) -> Vec<u8> {
    let mut rule = RuleText::new();
    rule.pages = 8;
    rule.begin = rule.value(&call(request, state)).1;
    rule.resume = rule.value(&says("resumed")).1;
    rule.component()
}

#[tokio::test]
async fn a_rule_beyond_its_exchanges_per_second_is_5_03_and_others_are_not() {
    let rules = [("a", saying("a")), ("b", saying("b"))];
    let stage = Stage::with(
        "limit-rate",
        &rules,
        limited(|limits| limits.per_second = 20),
    );
    let began = Instant::now();
    let mut refused = 0;
    // Of many hosts: one has only a share of the limit.
    for host in 0..60 {
        let peer = format!("192.0.2.{host}:1");
        refused += usize::from(is_busy(&stage.test_from(&peer, "a").await));
    }
    // Twenty at first, and twenty a second on a machine that is busy with other tests.
    let most = 20 + 20 * (began.elapsed().as_secs() as usize + 1);
    assert!(
        (60_usize.saturating_sub(most)..=40).contains(&refused),
        "{refused}"
    );
    assert!(refused > 0 || most >= 60, "{refused}");
    assert_eq!(stage.test("b").await, "b");
    let hit = stage.status("a").await.limits_hit;
    assert_eq!(hit, [("per_second".to_owned(), refused as u64)]);
}

#[tokio::test]
async fn a_rule_beyond_its_exchanges_in_flight_is_5_03_until_one_ends() {
    let rules = [("a", calling(needed(), 0))];
    let stage = Stage::with(
        "limit-flight",
        &rules,
        limited(|limits| limits.in_flight = 2),
    );
    stage.hold_homeserver();
    let third = async {
        stage.until("a", |status| status.in_flight == 2).await;
        let response = stage.test_from("[::1]:3", "a").await;
        stage.release_homeserver();
        response
    };
    let (first, second) = (stage.test("a"), stage.test_from("[::2]:1", "a"));
    let (first, second, third) = tokio::join!(first, second, third);
    assert_eq!(
        (first.as_str(), second.payload.as_slice()),
        ("resumed", b"resumed".as_slice())
    );
    assert!(is_busy(&third), "{}", Dotted(third.code));
    assert_eq!(stage.test("a").await, "resumed");
    assert_eq!(
        stage.status("a").await.limits_hit,
        [("in_flight".to_owned(), 1)]
    );
}

#[tokio::test]
async fn a_rule_beyond_its_bytes_in_flight_is_5_03_until_some_come_back_and_others_are_not() {
    let large = HttpRequest {
        body: Some(vec![b'x'; 200 << 10]),
        ..needed()
    };
    let rules = [("a", calling(large, 0)), ("b", saying("b"))];
    let stage = Stage::with(
        "limit-flight-bytes",
        &rules,
        limited(|limits| limits.in_flight_bytes = 1 << 20),
    );
    stage.hold_homeserver();
    let peers = [1, 2, 3, 4, 5, 6, 7, 8].map(|host| format!("[::{host}]:1"));
    let requests = join_all(peers.iter().map(|peer| stage.test_from(peer, "a")));
    let others = async {
        stage.until("a", |status| status.in_flight == 5).await;
        assert_eq!(stage.test("b").await, "b");
        stage.release_homeserver();
    };
    let (responses, ()) = tokio::join!(requests, others);
    let refused = responses.iter().filter(|response| is_busy(response));
    assert_eq!(refused.count(), 3);
    assert_eq!(stage.test("a").await, "resumed");
    let hit = stage.status("a").await.limits_hit;
    assert_eq!(hit, [("in_flight_bytes".to_owned(), 3)]);
}

#[tokio::test]
async fn one_host_leaves_half_of_a_rules_exchanges_in_flight_to_others() {
    let rules = [("a", calling(needed(), 0))];
    let stage = Stage::with(
        "limit-flight-host",
        &rules,
        limited(|limits| limits.in_flight = 16),
    );
    stage.hold_homeserver();
    let flood = join_all((0..16).map(|_| stage.test_from("[::1]:1", "a")));
    let other = async {
        stage.until("a", |status| status.in_flight == 8).await;
        let other = stage.test_from("[::2]:1", "a");
        let release = async {
            stage.until("a", |status| status.in_flight == 9).await;
            stage.release_homeserver();
        };
        tokio::join!(other, release).0
    };
    let (responses, other) = tokio::join!(flood, other);
    let refused = responses.iter().filter(|response| is_busy(response));
    assert_eq!(refused.count(), 8);
    assert_eq!(other.payload, b"resumed");
}

#[tokio::test]
async fn an_endless_loop_gets_its_share_of_a_core_and_the_others_the_rest() {
    let mut rule = RuleText::new();
    rule.begin = "(loop $again (br $again)) unreachable".into();
    let rules = [("a", rule.component()), ("b", saying("b"))];
    let stage = Stage::with("limit-share", &rules, |spec| {
        if spec.name == "a" {
            spec.limits.cpu_percent = 10;
            spec.limits.call_time = Duration::from_millis(20);
        }
    });
    let (mut ended, mut refused) = (0, 0);
    for _ in 0..200 {
        let response = stage.test_from("[::1]:1", "a").await;
        match response.code {
            code::INTERNAL_SERVER_ERROR => ended += 1,
            _ => refused += usize::from(is_busy(&response)),
        }
        assert_eq!(stage.test("b").await, "b");
    }
    // 100 ms a second at 20 ms each, however fast they are asked for; more only where this test took seconds.
    assert!((1..100).contains(&ended), "{ended}");
    assert_eq!(ended + refused, 200);
    let hit = stage.status("a").await.limits_hit;
    let expected = [
        ("call_ms".to_owned(), ended as u64),
        ("cpu_percent".to_owned(), refused as u64),
    ];
    assert_eq!(hit, expected);
}

#[tokio::test]
async fn state_body_headers_steps_and_memory_have_bounds_that_are_counted() {
    let big = HttpRequest {
        body: Some(vec![b'x'; 1001]),
        ..needed()
    };
    let many = HttpRequest {
        headers: (0..3).map(|n| (format!("x-{n}"), "1".to_owned())).collect(),
        ..needed()
    };
    let mut endless = RuleText::new();
    endless.begin = endless.value(&call(needed(), 0)).1;
    endless.resume.clone_from(&endless.begin);
    let mut hog = RuleText::new();
    hog.begin = "(loop $more (drop (memory.grow (i32.const 1))) (br $more)) unreachable".into();
    let cases = [
        (
            "state",
            calling(needed(), 1001),
            code::INTERNAL_SERVER_ERROR,
        ),
        // Denied, as the rule learns: it may still reply.
        ("body", calling(big, 0), code::CONTENT),
        ("headers", calling(many, 0), code::CONTENT),
        (
            "body",
            saying(&"x".repeat(1001)),
            code::INTERNAL_SERVER_ERROR,
        ),
        ("steps", endless.component(), code::INTERNAL_SERVER_ERROR),
        ("memory", hog.component(), code::INTERNAL_SERVER_ERROR),
    ];
    for (limit, component, expected) in cases {
        let test = format!("limit-{limit}");
        let stage = Stage::with(
            &test,
            &[("a", component)],
            limited(|limits| {
                limits.state = 1000;
                limits.body = 1000;
                limits.headers = 2;
                limits.steps = 3;
            }),
        );
        let response = stage.test_from("[::1]:1", "a").await;
        assert_eq!(Dotted(response.code), Dotted(expected), "{limit}");
        assert_eq!(stage.status("a").await.limits_hit, [(limit.to_owned(), 1)]);
    }
}

#[tokio::test]
async fn a_result_that_would_take_much_memory_and_time_to_read_is_not_read() {
    let mut rule = RuleText::new();
    rule.pages = 16;
    let (address, value) = rule.value(&says("x"));
    // The payload's length; its address stays, and there is as much memory.
    let length = address + 24;
    rule.begin = format!("(i32.store (i32.const {length}) (i32.const 1000000)) {value}");
    let stage = Stage::new("limit-result", &[("a", rule.component())]);
    let response = stage.test_from("[::1]:1", "a").await;
    assert_eq!(Dotted(response.code), Dotted(code::INTERNAL_SERVER_ERROR));
    let said = String::from_utf8_lossy(&response.payload);
    assert!(said.contains("rule failed"), "it was read: {said}");
}

#[tokio::test]
async fn a_reply_with_more_options_than_a_datagram_has_room_for_is_5_00() {
    let option = |value: usize| CoapOption {
        number: 8,
        value: vec![b'x'; value],
    };
    for options in [vec![option(1); 33], vec![option(300), option(300)]] {
        let mut rule = RuleText::new();
        let Ok(Effect::Reply(mut reply)) = says("x") else {
            panic!("it is a reply")
        };
        reply.message.options = options;
        rule.begin = rule.value(&Ok(Effect::Reply(reply))).1;
        let stage = Stage::new("limit-options", &[("a", rule.component())]);
        let response = stage.test_from("[::1]:1", "a").await;
        assert_eq!(Dotted(response.code), Dotted(code::INTERNAL_SERVER_ERROR));
    }
}

#[tokio::test]
async fn many_memories_are_refused_at_activation() {
    let stage = Stage::new("limit-memories", &[("a", saying("a"))]);
    let mut rule = RuleText::new();
    rule.extra = "(memory 1) (memory 1) (memory 1)".into();
    let reply = stage.swap("a", &rule.component()).await;
    let line = format!("{reply:?}");
    assert!(line.contains("Refused") && line.contains("memor"), "{line}");
    assert_eq!(stage.test("a").await, "a");
}
