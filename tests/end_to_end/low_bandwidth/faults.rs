//! A homeserver that refuses, fails, or is slow.

use std::time::Duration;

use comatrix_tests::aiocoap::Aiocoap;
use comatrix_tests::device::{Request, Response, option};
use comatrix_tests::low_bandwidth::Device;
use comatrix_tests::stub::{Behaviour, Stub};
use comatrix_tests::wire::{Loss, Wire};
use serde_json::{Value, json};

use super::stage::{stubbed, with_keys};

fn error(status: u16, errcode: &str) -> Behaviour {
    Behaviour::json(status, json!({ "errcode": errcode, "error": "said so" }))
}

/// A message by code and with integer keys.
fn send() -> Request {
    with_keys(Request::new("PUT", "/9/!room:localhost/m.room.message/1"))
        .token("a-token")
        .cbor(json!({ "msgtype": "m.text", "body": "hello" }))
}

/// What a device gets from a homeserver that always does this.
fn answered(behaviour: Behaviour) -> Response {
    let (_stub, gateway) = stubbed(Stub::always(behaviour));
    Aiocoap::start(gateway.address).request(&send())
}

/// `errcode` and `error` by their keys.
fn error_of(response: &Response) -> (Value, Value) {
    let value = response.value.clone().unwrap_or_default();
    (value["102"].clone(), value["103"].clone())
}

#[test]
fn a_homeserver_that_limits_the_rate_is_4_29_with_its_time() {
    let limited = error(429, "M_LIMIT_EXCEEDED").with_header("Retry-After", "77");
    let response = answered(limited);
    assert_eq!(response.code, "4.29");
    assert_eq!(response.number(option::MAX_AGE), Some(77));
    assert_eq!(
        error_of(&response),
        (json!("M_LIMIT_EXCEEDED"), json!("said so"))
    );
}

#[test]
fn a_homeserver_that_says_its_time_in_the_body_is_4_29_with_it() {
    let body = json!({ "errcode": "M_LIMIT_EXCEEDED", "error": "slow", "retry_after_ms": 4_200 });
    let response = answered(Behaviour::json(429, body));
    assert_eq!(
        (response.code.as_str(), response.number(option::MAX_AGE)),
        ("4.29", Some(5))
    );
}

#[test]
fn a_homeserver_under_maintenance_is_5_03_with_its_time() {
    let away = error(503, "M_UNKNOWN").with_header("Retry-After", "300");
    let response = answered(away);
    assert_eq!(
        (response.code.as_str(), response.number(option::MAX_AGE)),
        ("5.03", Some(300))
    );
}

#[test]
fn every_status_has_the_code_of_the_proposals_decisions() {
    for (status, code) in [
        (201, "2.01"),
        (302, "5.02"),
        (400, "4.00"),
        (401, "4.01"),
        (403, "4.03"),
        (404, "4.04"),
        (405, "4.05"),
        (409, "4.00"),
        (413, "4.13"),
        (422, "4.00"),
        (500, "5.00"),
        (502, "5.02"),
        (504, "5.04"),
    ] {
        let response = answered(error(status, "M_UNKNOWN"));
        assert_eq!(response.code, code, "{status}: {response:?}");
    }
}

#[test]
fn a_client_library_waits_as_long_as_the_homeserver_says() {
    let limited = error(429, "M_LIMIT_EXCEEDED").with_header("Retry-After", "9");
    let (_stub, gateway) = stubbed(Stub::always(limited));
    let wire = Wire::to(gateway.address, Loss::NOTHING);
    let mut device = Device::over_coap("sensor", &wire, None);
    let refused = device.nio().call("login", json!({ "password": "p" }));
    assert_eq!(
        (
            refused.response.as_str(),
            refused.status,
            refused.retry_after
        ),
        ("LoginError", 429, Some(9))
    );
}

#[test]
fn a_sync_that_is_not_observed_waits_for_its_homeserver() {
    let nothing = Behaviour::json(200, json!({ "next_batch": "s1" }));
    let late = Behaviour::Late(Duration::from_secs(20), Box::new(nothing));
    let (_stub, gateway) = stubbed(Stub::always(late));
    let mut device = Aiocoap::start(gateway.address);
    let sync = with_keys(Request::new("GET", "/7?since=s0&timeout=30000")).token("a-token");
    let response = device.request(&sync);
    assert_eq!(response.code, "2.05", "{response:?}");
    assert_eq!(response.value, Some(json!({ "19": "s1" })));
}
