//! Bodies of requests above the limit of their rule: 4.13 with that limit, and the rule is not called.

use std::collections::BTreeMap;

use coap::{code, option};
use runtime::RuleLimits;

use crate::default_rule::{activate_with, calls, engine, gateway_with, limits};
use crate::exchange::{request, response, send};
use crate::http_call::{homeserver, upstreams};
use crate::stub::Stub;

#[tokio::test]
async fn a_body_above_the_limit_of_its_rule_is_4_13_with_that_limit() {
    let stub = Stub::content();
    let small = RuleLimits {
        body: 1000,
        ..limits()
    };
    let revision = activate_with(&engine(), &BTreeMap::new(), small);
    let revision = revision.unwrap_or_else(|error| panic!("{error}"));
    let gateway = gateway_with(revision, upstreams(vec![homeserver(stub.url(), None)]));
    let before = calls(&gateway);
    let refused = response(&gateway, send().with_payload(vec![b'x'; 1001])).await;
    assert_eq!(refused.code, code::REQUEST_ENTITY_TOO_LARGE, "{refused:?}");
    assert_eq!(refused.uint_option(option::SIZE1), Some(1000));
    assert_eq!(calls(&gateway), before);
    // One at the limit reaches the rule.
    let taken = response(&gateway, send().with_payload(vec![b'x'; 1000])).await;
    assert_eq!(taken.code, code::BAD_REQUEST, "{taken:?}");
    assert!(calls(&gateway) > before);
    let time = response(&gateway, request(code::GET, "time")).await;
    assert_eq!(time.code, code::CONTENT);
}
