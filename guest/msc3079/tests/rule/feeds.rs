//! The course of an observation of `/sync`.

use comatrix_sdk::bindings::{Context, Effect, FeedProgress, HttpResponse, Message};
use comatrix_sdk::code;
use comatrix_sdk::message::{CONTENT_FORMAT, OBSERVE, URI_QUERY, uint, uint_option};
use comatrix_sdk::vectors::CaseSettings;
use msc3079_rule::{feed, request, response};

use crate::native::context;

fn answer(status: u16, body: &str) -> HttpResponse {
    HttpResponse {
        status,
        headers: Vec::new(),
        body: body.as_bytes().to_vec(),
    }
}

/// The context, and the position after the first response.
fn observed() -> (Context, Vec<u8>) {
    let query = |text: &str| comatrix_sdk::bindings::CoapOption {
        number: URI_QUERY,
        value: text.as_bytes().to_vec(),
    };
    let message = Message {
        code: code::GET,
        options: vec![
            uint(OBSERVE, 0),
            query("filter=7"),
            query("since=s0"),
            query("full_state=true"),
            uint(257, 1),
        ],
        payload: Vec::new(),
    };
    let context = Context {
        link: 1,
        ..context(&[])
    };
    let Ok(Effect::Call(step)) = request::begin(&context, &message) else {
        panic!("no call");
    };
    let first = answer(
        200,
        r#"{"next_batch":"s1","device_one_time_keys_count":{"c":50}}"#,
    );
    let settings = CaseSettings::new();
    match response::resume(&settings, &context, &step.state, Ok(first)) {
        Ok(Effect::Reply(reply)) => (context, reply.watch.expect("a watch").state),
        other => panic!("{other:?}"),
    }
}

fn polled(context: &Context, state: &[u8], body: &str) -> FeedProgress {
    let settings = CaseSettings::new();
    let progress = feed::polled(&settings, context, state, &answer(200, body));
    progress.unwrap_or_else(|failure| panic!("{failure:?}"))
}

fn since(context: &Context, state: &[u8]) -> String {
    let request = feed::poll(context, state).expect("a poll");
    let (_, value) = request
        .query
        .iter()
        .find(|(name, _)| name == "since")
        .expect("a position");
    value.clone()
}

#[test]
fn a_poll_is_a_long_one_from_the_end_of_the_response_before_it() {
    let (context, state) = observed();
    let request = feed::poll(&context, &state).expect("a poll");
    assert_eq!(request.path.join("/"), "_matrix/client/r0/sync");
    assert_eq!((&*request.credential, request.hold_ms), ("device", 30_000));
    let query: Vec<_> = request
        .query
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    assert_eq!(query, ["filter=7", "since=s1", "timeout=30000"]);
}

#[test]
fn a_change_is_pushed_whole_and_with_the_keys_of_the_request() {
    let (context, state) = observed();
    let news = r#"{"next_batch":"s2","device_one_time_keys_count":{"c":50},
                   "rooms":{"join":{"!r:h":{}}},"to_device":{"events":[{}, 1]}}"#;
    let progress = polled(&context, &state, news);
    let message = progress.message.expect("a push");
    assert_eq!(message.code, code::CONTENT);
    assert_eq!(uint_option(&message.options, CONTENT_FORMAT), Some(60));
    assert_eq!(message.payload.get(..4), Some(&b"\xa4\x13\x62s"[..]));
    assert_eq!(since(&context, &progress.state), "s2");
}

#[test]
fn a_poll_without_news_moves_the_position_and_pushes_nothing() {
    let (context, state) = observed();
    let progress = polled(
        &context,
        &state,
        r#"{"next_batch":"s2","device_one_time_keys_count":{"c":50}}"#,
    );
    assert_eq!(progress.message, None);
    assert_eq!(since(&context, &progress.state), "s2");
    let progress = polled(
        &context,
        &progress.state,
        r#"{"next_batch":"s3","device_one_time_keys_count":{"c":49}}"#,
    );
    assert!(progress.message.is_some(), "a key was used");
}

#[test]
fn a_refresh_pushes_what_there_is() {
    let (mut context, state) = observed();
    context.facts.push(("refresh".to_owned(), String::new()));
    let progress = polled(
        &context,
        &state,
        r#"{"next_batch":"s2","device_one_time_keys_count":{"c":50}}"#,
    );
    assert!(progress.message.is_some());
}

#[test]
fn a_change_above_the_bound_ends_the_observation_with_the_filter_that_helps() {
    let (context, state) = observed();
    let settings = CaseSettings::from([("answer_bytes".to_owned(), "10".to_owned())]);
    let news = answer(
        200,
        r#"{"next_batch":"s2","rooms":{"join":{"!r:h":{"state":1}}}}"#,
    );
    let failure = feed::polled(&settings, &context, &state, &news).expect_err("too large");
    assert_eq!(failure.code, code::REQUEST_ENTITY_TOO_LARGE);
    assert!(
        failure.diagnostic.starts_with("send filter="),
        "{}",
        failure.diagnostic
    );
}

#[test]
fn a_homeservers_error_has_its_code_and_its_time() {
    let (context, state) = observed();
    let settings = CaseSettings::new();
    for (status, body, code, max_age) in [
        (
            401,
            r#"{"errcode":"M_UNKNOWN_TOKEN"}"#,
            code::UNAUTHORIZED,
            None,
        ),
        (
            429,
            r#"{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":4000}"#,
            code::TOO_MANY_REQUESTS,
            Some(4),
        ),
        (503, "<html>", code::SERVICE_UNAVAILABLE, Some(30)),
        (502, "", code::BAD_GATEWAY, None),
    ] {
        let failure =
            feed::polled(&settings, &context, &state, &answer(status, body)).expect_err("an error");
        assert_eq!(
            (failure.code, failure.max_age),
            (code, max_age),
            "{status}: {failure:?}"
        );
    }
}

#[test]
fn a_state_of_another_rule_is_refused() {
    let (context, _) = observed();
    assert!(feed::poll(&context, b"\x80").is_err());
    assert!(feed::polled(&CaseSettings::new(), &context, b"", &answer(200, "{}")).is_err());
}
