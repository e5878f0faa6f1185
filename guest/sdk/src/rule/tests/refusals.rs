//! What the rule refuses, and what its own errors become.

use super::*;

#[test]
fn an_unknown_setting_is_refused_with_those_that_there_are() {
    let error = RULE.describe(&[("prefx", "a")]).expect_err("mistyped");
    assert!(
        error.contains("prefx") && error.contains("prefix"),
        "{error}"
    );
    assert!(
        RULE.describe(&[("prefix", "a"), ("room.kitchen", "!k")])
            .is_ok()
    );
}

#[test]
fn proxy_uri_and_uri_path_must_name_the_same() {
    let named = |path: &[&str]| Context {
        requested: Some(Target {
            path: path.iter().map(|text| (*text).to_owned()).collect(),
            query: vec![],
        }),
        ..context(2, "!r", false)
    };
    for (path, reason) in [
        (&["E", "!s"], "different rooms"),
        (&["9", "!r"], "/E/{room}"),
    ] {
        let failure = RULE.begin(&[], &named(path), &message(""));
        let failure = failure.expect_err("another room or form");
        assert_eq!(failure.code, code::BAD_REQUEST);
        assert!(
            failure.diagnostic.contains(reason),
            "{}",
            failure.diagnostic
        );
    }
    let failure = RULE.begin(&[], &named(&["E", "!r"]), &message(""));
    assert_eq!(
        failure.expect_err("not listed").code,
        code::INTERNAL_SERVER_ERROR
    );
}

#[test]
fn an_error_response_is_changed_as_the_rule_says() {
    let settings = [("prefix", "all 4.00")];
    let failure = RULE.begin(&settings, &context(7, "!r", false), &message(""));
    assert_eq!(failure.expect_err("no such link").code, code::BAD_REQUEST);
    let failure = RULE.resume(
        &settings,
        &context(0, "!r", false),
        b"",
        response(200, "{}"),
    );
    assert_eq!(failure.expect_err("damaged").code, code::BAD_REQUEST);
}

#[test]
fn a_call_that_the_route_does_not_list_is_the_rules_error() {
    let failure = RULE
        .begin(&[], &context(2, "!r", false), &message(""))
        .expect_err("not listed");
    assert_eq!(failure.code, code::INTERNAL_SERVER_ERROR);
    assert!(
        failure.diagnostic.contains("GET /other/{room}/last"),
        "{}",
        failure.diagnostic
    );
}

#[test]
fn too_much_state_is_4_13_and_a_damaged_state_5_00() {
    let long = format!(r#"{{"text":"{}"}}"#, "x".repeat(16 * 1024));
    let failure = RULE
        .begin(&[], &context(0, "!r", false), &message(&long))
        .expect_err("too much");
    assert_eq!(failure.code, code::REQUEST_ENTITY_TOO_LARGE);
    for state in [
        &b""[..],
        b"\x81\x18\x3c",
        b"\x80",
        b"\x84\x18\x3c\x09\xf6\x60",
        b"\x84\x18\x3c\x00\x01\x60",
        b"\x84\x01\x00\x60\x60",
        b"\x84\x18\x3c\x00\x60\xf6",
        b"\x85\x18\x3c\x00\x60\x80\x80",
        b"\x86\x18\x3c\x00\x60\x80\x80\xf6",
    ] {
        let failure = RULE.resume(&[], &context(0, "!r", false), state, response(200, "{}"));
        assert_eq!(
            failure.expect_err("damaged").code,
            code::INTERNAL_SERVER_ERROR
        );
    }
}
