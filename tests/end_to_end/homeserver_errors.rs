//! The homeserver's errors, and the device's response: the second half of the wire contract's table.

use comatrix_tests::device::{CBOR, option};
use comatrix_tests::stub::Behaviour;
use serde_json::{Value, json};

use crate::stage::Stubbed;

fn error(errcode: &str) -> Value {
    json!({ "errcode": errcode, "error": "no", "nested": { "list": [1, null, "é"] } })
}

#[test]
fn a_4xx_with_json_keeps_its_meaning_and_its_json_comes_as_cbor() {
    let codes = [
        (400, "4.00"),
        (401, "4.01"),
        (403, "4.03"),
        (404, "4.04"),
        (405, "4.05"),
        (413, "4.13"),
        (429, "4.29"),
        // Others become the general code of their class.
        (402, "4.00"),
        (409, "4.00"),
        (418, "4.00"),
        (451, "4.00"),
    ];
    for (status, code) in codes {
        let mut stubbed = Stubbed::always(Behaviour::json(status, error("M_TEST")));
        let response = stubbed.device.request(&stubbed.send());
        assert_eq!(response.code, code, "for {status}: {response:?}");
        assert_eq!(
            response.number(option::CONTENT_FORMAT),
            Some(CBOR.into()),
            "for {status}"
        );
        assert_eq!(response.value, Some(error("M_TEST")), "for {status}");
    }
}

#[test]
fn the_max_age_of_4_29_is_retry_after() {
    let limited = Behaviour::json(429, error("M_LIMIT_EXCEEDED")).with_header("Retry-After", "17");
    let mut stubbed = Stubbed::always(limited);
    let response = stubbed.device.request(&stubbed.send());
    assert_eq!(
        (response.code.as_str(), response.number(option::MAX_AGE)),
        ("4.29", Some(17)),
        "{response:?}"
    );
}

#[test]
fn without_retry_after_the_max_age_of_4_29_is_retry_after_ms_rounded_up() {
    let body = json!({ "errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 4_001 });
    let mut stubbed = Stubbed::always(Behaviour::json(429, body));
    let response = stubbed.device.request(&stubbed.send());
    assert_eq!(
        (response.code.as_str(), response.number(option::MAX_AGE)),
        ("4.29", Some(5)),
        "{response:?}"
    );
}

#[test]
fn a_4_29_without_any_time_is_still_4_29() {
    let mut stubbed = Stubbed::always(Behaviour::json(429, error("M_LIMIT_EXCEEDED")));
    assert_eq!(stubbed.device.request(&stubbed.send()).code, "4.29");
}

#[test]
fn a_retry_after_that_is_no_number_of_seconds_does_no_harm() {
    for value in [
        "Wed, 21 Oct 2026 07:28:00 GMT",
        "-1",
        "99999999999999999999",
        "soon",
        "",
    ] {
        let limited =
            Behaviour::json(429, error("M_LIMIT_EXCEEDED")).with_header("Retry-After", value);
        let mut stubbed = Stubbed::always(limited);
        assert_eq!(
            stubbed.device.request(&stubbed.send()).code,
            "4.29",
            "{value:?}"
        );
    }
}

#[test]
fn a_5xx_becomes_5_02() {
    for status in [500, 501, 502, 504, 520] {
        let mut stubbed = Stubbed::always(Behaviour::json(status, error("M_UNKNOWN")));
        let response = stubbed.device.request(&stubbed.send());
        assert_eq!(response.code, "5.02", "for {status}: {response:?}");
    }
}

#[test]
fn a_503_becomes_5_03_with_max_age() {
    let unavailable = Behaviour::json(503, error("M_UNKNOWN"));
    let mut stubbed = Stubbed::always(unavailable.clone());
    let response = stubbed.device.request(&stubbed.send());
    assert_eq!(response.code, "5.03", "{response:?}");
    assert!(response.number(option::MAX_AGE).is_some(), "{response:?}");

    let mut stubbed = Stubbed::always(unavailable.with_header("Retry-After", "33"));
    let response = stubbed.device.request(&stubbed.send());
    assert_eq!(
        (response.code.as_str(), response.number(option::MAX_AGE)),
        ("5.03", Some(33)),
        "{response:?}"
    );
}
