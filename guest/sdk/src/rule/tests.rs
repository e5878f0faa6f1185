//! A small rule, through the contract's three functions.

mod deliveries;
mod refusals;

use super::*;
use crate::bindings::{
    CallError, Context, Effect, Failure, HttpResponse, Message, Need, Step, Target, Upstream,
};
use crate::message::{ACCEPT, CONTENT_FORMAT, uint};

static RULE: Rule = Rule::new(&[
    Route::post("{room}", say).calls(&[&SEND, &LAST]),
    Route::get("{room}", last)
        .proxy_uri(&["/*"])
        .calls(&[&LAST]),
    Route::get("{room}/stray", stray).proxy_uri(&["/E/{room}"]),
])
.settings(&[Setting::text("prefix")])
.on_error(|settings, error| match settings.get("prefix") {
    Some("all 4.00") => ErrorResponse {
        code: code::BAD_REQUEST,
        ..error
    },
    _ => error,
});

static SEND: Call<String> = Call::put("rooms/{room}/send/m.room.message/{txn}", sent);
static LAST: Call<()> = Call::get("/other/{room}/last", found)
    .credential(Credential::Device)
    .any_status();

fn say(request: &Request) -> Outcome {
    let payload = request.payload()?;
    let words = text(&payload, "text")?.to_owned();
    SEND.to(&[&request.room()?, request.flow_id()])
        .query("via", "h")
        .json(&Value::texts([("body", &words)]))?
        .send_with_state(words)
}

fn sent(response: &HomeserverResponse, words: String) -> Outcome {
    let event_id = response.text("event_id", MAX_IDENTIFIER)?;
    let said = [
        ("event_id", event_id.as_str()),
        ("said", &words),
        ("in", response.room_id()),
    ];
    Ok(Reply::changed(Value::texts(said)).max_age(5).into())
}

fn last(request: &Request) -> Outcome {
    LAST.to(&[request.capture("room")]).send()
}

fn found(response: &HomeserverResponse, (): ()) -> Outcome {
    Ok(Reply::text(response.status().to_string()).into())
}

fn stray(request: &Request) -> Outcome {
    LAST.to(&[request.capture("room")]).send()
}

fn context(link: u16, room: &str, requested: bool) -> Context {
    Context {
        link,
        captures: vec![room.to_owned()],
        requested: requested.then(|| Target {
            path: vec![],
            query: vec![],
        }),
        principal: None,
        flow_id: "0f".repeat(16),
        now: None,
        facts: vec![],
    }
}

fn message(payload: &str) -> Message {
    Message {
        code: code::POST,
        options: vec![uint(CONTENT_FORMAT, JSON.into()), uint(ACCEPT, JSON.into())],
        payload: payload.into(),
    }
}

fn response(status: u16, body: &str) -> Result<HttpResponse, CallError> {
    Ok(HttpResponse {
        status,
        headers: vec![],
        body: body.into(),
    })
}

fn step(effect: Result<Effect, Failure>) -> Step {
    match effect {
        Ok(Effect::Call(step)) => step,
        other => panic!("no call, but {other:?}"),
    }
}

fn payload(effect: Result<Effect, Failure>) -> String {
    match effect {
        Ok(Effect::Reply(reply)) => String::from_utf8(reply.message.payload).expect("it is text"),
        other => panic!("no reply, but {other:?}"),
    }
}

#[test]
fn links_and_needs_follow_from_the_routes_and_their_calls() {
    let description = RULE.describe(&[]).expect("no setting is wrong");
    assert_eq!(description.links.len(), 3);
    assert_eq!(
        (&description.links[0].methods, &description.links[0].accepts),
        (&vec![2], &vec![60, 50])
    );
    assert_eq!(
        (&description.links[1].methods, &description.links[1].accepts),
        (&vec![1], &vec![])
    );
    let shown: Vec<_> = description.needs.iter().map(shown).collect();
    assert_eq!(
        shown,
        [
            "standard any PUT /_matrix/client/v3/rooms/{room}/send/m.room.message/{txn}",
            "standard any GET /_matrix/client/v3/directory/room/{alias}",
            "standard device GET /other/{room}/last",
            "standard device GET /_matrix/client/v3/directory/room/{alias}",
            "requested device GET /other/{room}/last",
            "requested device GET /_matrix/client/v3/directory/room/{alias}",
        ]
    );
}

fn shown(need: &Need) -> String {
    use crate::bindings::Segment;
    let segment = |segment: &Segment| match segment {
        Segment::Literal(text) => format!("/{text}"),
        Segment::Capture(name) => format!("/{{{name}}}"),
        Segment::Rest => "/*".to_owned(),
    };
    let path: String = need.path.iter().map(segment).collect();
    format!(
        "{} {} {} {path}",
        need.upstream,
        need.credential,
        need.methods.join(",")
    )
}

#[test]
fn a_call_continues_with_its_state_and_replies_in_the_accepted_format() {
    let context = context(0, "kitchen", false);
    let settings = [("room.kitchen", "!k:h")];
    let step = step(RULE.begin(&settings, &context, &message(r#"{"text":"hi"}"#)));
    assert_eq!(
        step.request.path[3..],
        ["rooms", "!k:h", "send", "m.room.message", &context.flow_id]
    );
    assert_eq!(step.request.query, [("via".to_owned(), "h".to_owned())]);
    assert_eq!(step.request.body.as_deref(), Some(&br#"{"body":"hi"}"#[..]));
    let reply = RULE.resume(
        &settings,
        &context,
        &step.state,
        response(200, r#"{"event_id":"$e"}"#),
    );
    assert_eq!(
        payload(reply),
        r#"{"event_id":"$e","said":"hi","in":"!k:h"}"#
    );
}

#[test]
fn an_alias_is_looked_up_before_the_call_and_the_call_is_then_made_whole() {
    let context = context(0, "#a:h", false);
    let lookup = step(RULE.begin(&[], &context, &message(r#"{"text":"hi"}"#)));
    assert_eq!(lookup.request.path[3..], ["directory", "room", "#a:h"]);
    assert_eq!(lookup.request.body, None);
    let found = response(200, r#"{"room_id":"!r"}"#);
    let sending = step(RULE.resume(&[], &context, &lookup.state, found));
    assert_eq!(sending.request.path[4], "!r");
    assert_eq!(sending.request.query, [("via".to_owned(), "h".to_owned())]);
    assert_eq!(
        sending.request.body.as_deref(),
        Some(&br#"{"body":"hi"}"#[..])
    );
    let reply = RULE.resume(
        &[],
        &context,
        &sending.state,
        response(200, r#"{"event_id":"$e"}"#),
    );
    assert_eq!(payload(reply), r#"{"event_id":"$e","said":"hi","in":"!r"}"#);
}

#[test]
fn a_lookup_that_ends_with_another_alias_is_not_repeated() {
    let context = context(0, "#a:h", false);
    let lookup = step(RULE.begin(&[], &context, &message(r#"{"text":"hi"}"#)));
    let again = RULE.resume(
        &[],
        &context,
        &lookup.state,
        response(200, r##"{"room_id":"#a:h"}"##),
    );
    assert_eq!(again.expect_err("no id").code, code::BAD_GATEWAY);
}

#[test]
fn a_homeservers_error_ends_the_exchange_unless_the_call_takes_any_status() {
    let error = || response(403, r#"{"errcode":"M_FORBIDDEN"}"#);
    let sending = step(RULE.begin(&[], &context(0, "!r", false), &message(r#"{"text":"hi"}"#)));
    let reply = RULE.resume(&[], &context(0, "!r", false), &sending.state, error());
    assert_eq!(payload(reply), r#"{"errcode":"M_FORBIDDEN"}"#);
    let asking = step(RULE.begin(&[], &context(1, "!r", false), &message("")));
    assert_eq!(
        payload(RULE.resume(&[], &context(1, "!r", false), &asking.state, error())),
        "403"
    );
}

#[test]
fn a_proxy_uri_is_followed_only_by_routes_that_take_it() {
    let refused = RULE.begin(&[], &context(0, "!r", true), &message(r#"{"text":"hi"}"#));
    assert_eq!(refused.expect_err("it has its own").code, code::BAD_REQUEST);
    let asking = step(RULE.begin(&[], &context(1, "!r", true), &message("")));
    assert_eq!(asking.request.upstream, Upstream::Requested);
    assert_eq!(asking.request.path, ["other", "!r", "last"]);
}
