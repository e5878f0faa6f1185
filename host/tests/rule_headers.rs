//! The headers of a rule's calls: those of every rule, and those that the operator grants.

use contract::{Effect, HeaderGrants, HttpRequest, Step};

use crate::http_call;
use crate::rule_text::RuleText;
use crate::stage::{Stage, says};

/// A rule whose call has this header.
fn sending(name: &str) -> Vec<u8> {
    let request = HttpRequest {
        path: vec!["needed".into()],
        headers: vec![(name.into(), "meadow".into())],
        ..http_call::request()
    };
    let state = Vec::new();
    let mut rule = RuleText::new();
    rule.begin = rule.value(&Ok(Effect::Call(Step { request, state }))).1;
    rule.resume = rule.value(&says("resumed")).1;
    rule.component()
}

#[tokio::test]
async fn a_call_with_a_header_that_is_not_granted_does_not_leave_the_gateway() {
    for name in ["x-tenant", "x-client-ip", "forwarded", "via"] {
        let stage = Stage::new("headers-none", &[("a", sending(name))]);
        assert_eq!(stage.test("a").await, "resumed");
        assert_eq!(stage.stub.connections(), 0, "{name}");
    }
}

#[tokio::test]
async fn a_call_has_the_header_that_the_operator_grants_to_its_rule() {
    let rules = [("a", sending("x-tenant")), ("b", sending("x-tenant"))];
    let stage = Stage::with("headers-granted", &rules, |spec| {
        if spec.name == "a" {
            let names = vec!["x-tenant".to_owned()];
            spec.allow_headers = HeaderGrants::new(names).expect("it can be granted");
        }
    });
    stage.test("a").await;
    stage.test("b").await;
    assert_eq!(stage.stub.only().header("x-tenant"), Some("meadow"));
}
