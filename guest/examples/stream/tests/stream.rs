//! The rule's calls, one after another, as a gateway makes them.

use comatrix_sdk::bindings::{
    CoapOption, Context, Effect, FeedProgress, HttpRequest, HttpResponse, Message, Watch,
};
use comatrix_sdk::code;
use stream_rule::{LIMIT, RULE};

const NO_SETTINGS: &[(&str, &str)] = &[];

fn context() -> Context {
    Context {
        link: 0,
        captures: Vec::new(),
        requested: None,
        principal: None,
        flow_id: "00112233445566778899aabbccddeeff".to_owned(),
        now: None,
        facts: Vec::new(),
    }
}

fn get(options: &[(u16, &[u8])]) -> Message {
    let options = options.iter().map(|(number, value)| CoapOption {
        number: *number,
        value: value.to_vec(),
    });
    Message {
        code: code::GET,
        options: options.collect(),
        payload: Vec::new(),
    }
}

fn answer(status: u16, body: &str) -> HttpResponse {
    HttpResponse {
        status,
        headers: Vec::new(),
        body: body.as_bytes().to_vec(),
    }
}

fn query<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    let mut pairs = request.query.iter();
    let pair = pairs.find(|(other, _)| other == name)?;
    Some(&pair.1)
}

/// The watch of a device that takes three messages of a room, at position `s1`.
fn begun() -> Watch {
    let request = get(&[(6, b""), (15, b"since=s0"), (LIMIT, &[3])]);
    let effect = RULE.begin(&NO_SETTINGS, &context(), &request);
    let Ok(Effect::Call(step)) = effect else {
        panic!("{effect:?}");
    };
    assert_eq!(query(&step.request, "since"), Some("s0"));
    assert!(query(&step.request, "filter").is_some_and(|filter| filter.contains(r#""limit":3"#)));
    assert_eq!(step.request.hold_ms, 0);
    let answer = answer(200, r#"{"next_batch":"s1","rooms":{}}"#);
    let effect = RULE.resume(&NO_SETTINGS, &context(), &step.state, Ok(answer));
    let Ok(Effect::Reply(reply)) = effect else {
        panic!("{effect:?}");
    };
    reply.watch.expect("a feed begins")
}

fn polled(state: &[u8], context: &Context, answer: &HttpResponse) -> FeedProgress {
    let progress = RULE.feed_polled(&NO_SETTINGS, context, state, answer);
    progress.expect("it is read")
}

#[test]
fn the_feed_waits_from_where_the_first_response_ended() {
    let watch = begun();
    let request = RULE.feed_poll(&NO_SETTINGS, &context(), &watch.state);
    let request = request.expect("a poll");
    assert_eq!(query(&request, "since"), Some("s1"));
    assert_eq!(query(&request, "timeout"), Some("30000"));
    assert_eq!(request.hold_ms, 30_000);
    assert_eq!(RULE.feeds(), [0]);
}

#[test]
fn news_become_a_message_and_the_next_poll_begins_after_them() {
    let watch = begun();
    let news = r#"{"next_batch":"s2","rooms":{"join":{"!a:h":{}}}}"#;
    let progress = polled(&watch.state, &context(), &answer(200, news));
    assert_eq!(progress.message.expect("news").payload, news.as_bytes());
    let request = RULE.feed_poll(&NO_SETTINGS, &context(), &progress.state);
    assert_eq!(query(&request.expect("a poll"), "since"), Some("s2"));
}

#[test]
fn a_poll_without_news_sends_nothing_unless_the_gateway_asks_for_it() {
    let watch = begun();
    for nothing in [
        r#"{"next_batch":"s2"}"#,
        r#"{"next_batch":"s2","rooms":{"join":{},"leave":{}}}"#,
    ] {
        let answer = answer(200, nothing);
        assert!(polled(&watch.state, &context(), &answer).message.is_none());
        let mut asked = context();
        asked.facts.push(("refresh".to_owned(), String::new()));
        assert!(polled(&watch.state, &asked, &answer).message.is_some());
    }
}

#[test]
fn errors_of_the_homeserver_keep_their_codes_and_pauses() {
    let watch = begun();
    let failure = |status, body: &str| {
        let answer = answer(status, body);
        let progress = RULE.feed_polled(&NO_SETTINGS, &context(), &watch.state, &answer);
        let failure = progress.expect_err("it fails");
        (failure.code, failure.max_age)
    };
    let limited = r#"{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":7000}"#;
    assert_eq!(failure(429, limited), (code::TOO_MANY_REQUESTS, Some(7)));
    let ended = r#"{"errcode":"M_UNKNOWN_TOKEN"}"#;
    assert_eq!(failure(401, ended), (code::UNAUTHORIZED, None));
    assert_eq!(failure(502, "down").0 >> 5, 5);
}

#[test]
fn a_state_that_the_rule_did_not_make_is_refused() {
    for state in [&b""[..], b"\x81\x01", b"\x81\x82\x61s\x01\x00", b"\x80"] {
        assert!(RULE.feed_poll(&NO_SETTINGS, &context(), state).is_err());
    }
}

#[test]
fn a_limit_of_none_is_a_bad_option() {
    for value in [&b""[..], b"\x00"] {
        let refused = RULE.begin(&NO_SETTINGS, &context(), &get(&[(LIMIT, value)]));
        assert_eq!(refused.expect_err("it is refused").code, code::BAD_OPTION);
    }
    let known = RULE.known();
    assert!(
        known
            .iter()
            .any(|option| option.number == LIMIT && option.sticky)
    );
}
