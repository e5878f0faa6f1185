//! Bodies of requests above the limit of their rule: 4.13 with that limit, and the rule is not called.

use std::collections::BTreeMap;

use coap::{Block, Message, code, option};
use gateway::request::Gateway;
use runtime::RuleLimits;

use crate::default_rule::{activate_with, calls, engine, gateway_with, limits};
use crate::exchange::{request, response, send};
use crate::http_call::{homeserver, upstreams};
use crate::observing_device::Device;
use crate::over_udp::{PATIENCE, while_serving};
use crate::stub::Stub;

/// The default rule with bodies of at most 1,000 bytes.
fn small(stub: &Stub) -> Gateway {
    let small = RuleLimits {
        body: 1000,
        ..limits()
    };
    let revision = activate_with(&engine(), &BTreeMap::new(), small);
    let revision = revision.unwrap_or_else(|error| panic!("{error}"));
    gateway_with(revision, upstreams(vec![homeserver(stub.url(), None)]))
}

fn is_refused(response: &Message) {
    assert_eq!(
        response.code,
        code::REQUEST_ENTITY_TOO_LARGE,
        "{response:?}"
    );
    assert_eq!(response.uint_option(option::SIZE1), Some(1000));
}

#[tokio::test]
async fn a_body_above_the_limit_of_its_rule_is_4_13_with_that_limit() {
    let stub = Stub::content();
    let gateway = small(&stub);
    let before = calls(&gateway);
    let refused = response(&gateway, send().with_payload(vec![b'x'; 1001])).await;
    is_refused(&refused);
    assert_eq!(calls(&gateway), before);
    // One at the limit reaches the rule.
    let taken = response(&gateway, send().with_payload(vec![b'x'; 1000])).await;
    assert_eq!(taken.code, code::BAD_REQUEST, "{taken:?}");
    assert!(calls(&gateway) > before);
    let time = response(&gateway, request(code::GET, "time")).await;
    assert_eq!(time.code, code::CONTENT);
}

#[tokio::test]
async fn a_body_that_its_device_announces_is_refused_with_its_first_block() {
    let stub = Stub::content();
    let gateway = small(&stub);
    while_serving(&gateway, PATIENCE, |address| async move {
        let block = Block {
            number: 0,
            more: true,
            size_exponent: 5,
        };
        let first = |size| {
            send()
                .with_option(option::ACCESS_TOKEN, "syt_of_the_device")
                .with_option(option::BLOCK1, block.encode())
                .with_uint_option(option::SIZE1, size)
                .with_payload(vec![b'x'; 512])
        };
        let mut device = Device::new(address).await;
        is_refused(&device.ask("1", first(1001)).await.message);
        let taken = device.ask("2", first(1000)).await.message;
        assert_eq!(taken.code, code::CONTINUE, "{taken:?}");
    })
    .await;
}
