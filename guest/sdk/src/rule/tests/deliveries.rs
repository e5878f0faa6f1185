//! Deliveries: what the gateway stores of them, and what another revision of the rule makes of that.

use super::*;
use crate::bindings::Delivery as Asked;

static BEFORE: Rule = Rule::new(&[
    Route::put("send/{room}", send).calls(&[&MESSAGE, &STATE]),
    Route::put("state/{room}", set)
        .produces(&[])
        .calls(&[&MESSAGE, &STATE]),
]);

/// The next release: its routes have other places, and one is gone.
static AFTER: Rule = Rule::new(&[
    Route::get("new", stray),
    Route::put("other/{room}", set).calls(&[&MESSAGE, &STATE]),
    Route::put("send/{room}", send).calls(&[&MESSAGE, &STATE]),
]);

static MESSAGE: Delivery<String> = Delivery::put("rooms/{room}/send/m.room.message", sent);
static STATE: Delivery<()> = Delivery::put("/device/state", was_set).credential(Credential::Device);

fn send(request: &Request) -> Outcome {
    MESSAGE
        .to(&[&request.room()?])
        .query("via", "h")
        .json(&Value::texts([("body", "hi")]))?
        .deliver_with_state(request.query("txn").unwrap_or("7"), "said".to_owned())
}

fn set(request: &Request) -> Outcome {
    let prepared = STATE.to(&[]);
    let prepared = match request.query("lane") {
        Some(lane) => prepared.lane(lane),
        None => prepared,
    };
    prepared.deliver(request.flow_id())
}

fn was_set(_: &HomeserverResponse, (): ()) -> Outcome {
    Ok(Reply::empty(code::CHANGED).into())
}

fn with_query(query: &str) -> Message {
    Message {
        options: vec![crate::bindings::CoapOption {
            number: 15,
            value: query.into(),
        }],
        ..message("")
    }
}

fn asked(effect: Result<Effect, Failure>) -> Asked {
    match effect {
        Ok(Effect::Deliver(delivery)) => delivery,
        other => panic!("no delivery, but {other:?}"),
    }
}

#[test]
fn a_need_has_the_segment_that_the_gateway_appends() {
    let description = BEFORE.describe(&[]).expect("no setting is wrong");
    let shown: Vec<_> = description.needs.iter().map(shown).collect();
    assert_eq!(
        shown,
        [
            "standard any PUT /_matrix/client/v3/rooms/{room}/send/m.room.message/{txn}",
            "standard any GET /_matrix/client/v3/directory/room/{alias}",
            "standard device PUT /device/state/{txn}",
        ]
    );
}

#[test]
fn the_lane_is_the_room_unless_the_rule_names_another() {
    let delivery = asked(BEFORE.begin(&[], &context(0, "!r", false), &message("")));
    assert_eq!((&*delivery.lane, &*delivery.transaction), ("!r", "7"));
    assert_eq!(
        delivery.step.request.path[3..],
        ["rooms", "!r", "send", "m.room.message"]
    );
    let lane = |query| {
        let request = with_query(query);
        asked(BEFORE.begin(&[], &context(1, "!r", false), &request)).lane
    };
    assert_eq!(lane("lane=valve"), "valve");
    assert_eq!(lane(""), "/device/state");
}

#[test]
fn an_alias_is_looked_up_and_lane_and_transaction_wait_for_it() {
    let context = context(0, "#a:h", false);
    let lookup = step(BEFORE.begin(&[], &context, &with_query("txn=8")));
    let found = response(200, r#"{"room_id":"!r"}"#);
    let delivery = asked(BEFORE.resume(&[], &context, &lookup.state, found));
    assert_eq!((&*delivery.lane, &*delivery.transaction), ("!r", "8"));
    let request = delivery.step.request;
    assert_eq!(request.query, [("via".to_owned(), "h".to_owned())]);
    assert_eq!(request.body.as_deref(), Some(&br#"{"body":"hi"}"#[..]));
}

#[test]
fn a_transaction_without_bytes_or_with_too_many_is_refused() {
    for text in ["", &"9".repeat(256)] {
        let request = with_query(&format!("txn={text}"));
        let failure = BEFORE.begin(&[], &context(0, "!r", false), &request);
        assert_eq!(failure.expect_err("no id").code, code::BAD_REQUEST);
    }
}

#[test]
fn another_revision_finds_the_route_of_a_stored_delivery_by_its_path() {
    let old = context(0, "!r", false);
    let state = asked(BEFORE.begin(&[], &old, &message(""))).step.state;
    let event = || response(200, r#"{"event_id":"$e"}"#);
    let expected = r#"{"event_id":"$e","said":"said","in":"!r"}"#;
    assert_eq!(payload(BEFORE.resume(&[], &old, &state, event())), expected);
    assert_eq!(payload(AFTER.resume(&[], &old, &state, event())), expected);
}

#[test]
fn another_revision_without_the_route_refuses_the_state() {
    let old = context(1, "!r", false);
    let state = asked(BEFORE.begin(&[], &old, &message(""))).step.state;
    assert!(
        BEFORE
            .resume(&[], &old, &state, response(200, "{}"))
            .is_ok()
    );
    let failure = AFTER.resume(&[], &old, &state, response(200, "{}"));
    let failure = failure.expect_err("it has no such route");
    assert_eq!(failure.code, code::INTERNAL_SERVER_ERROR);
}

#[test]
fn the_device_gets_the_id_of_a_stored_delivery_in_the_format_that_it_accepts() {
    let accepted = |link, accept: &str| {
        let mut context = context(link, "!r", false);
        context.facts = vec![("accept".to_owned(), accept.to_owned())];
        BEFORE.accepted(&context, "0a").expect("it has the link")
    };
    let json = accepted(0, "50");
    assert_eq!(json.code, code::CHANGED);
    assert_eq!(json.options, [uint(CONTENT_FORMAT, JSON.into())]);
    assert_eq!(json.payload, br#"{"queued":"0a"}"#);
    assert_eq!(accepted(0, "60").payload, b"\xa1\x66queued\x620a");
    let without_payload = accepted(1, "50");
    assert_eq!(
        (without_payload.code, without_payload.payload.len()),
        (code::CHANGED, 0)
    );
    assert!(BEFORE.accepted(&context(2, "!r", false), "0a").is_err());
}
