//! Any requests and responses: never a panic, always an effect that the contract allows.

use comatrix_rule::RULE;
use comatrix_sdk::bindings::{
    CallError, Change, CoapOption, Context, Delivery, Effect, Failure, HttpRequest, HttpResponse,
    Message, Step, Target,
};
use comatrix_sdk::watch::Position;
use proptest::prelude::*;

/// The contract's bounds (`wit/types.wit`).
const MAX_NAME: usize = 255;
const MAX_STATE: usize = 16 * 1024;
const MAX_BODY: usize = 256 * 1024;

/// The rule's links; contexts have some more.
const RULE_LINKS: usize = 11;

/// Words that get further into the rule than noise does.
const WORDS: &[&str] = &[
    "_matrix",
    "client",
    "r0",
    "v3",
    "register",
    "login",
    "logout",
    "all",
    "rooms",
    "join",
    "send",
    "messages",
    "m.room.message",
    "!r:h",
    "#a:h",
    "1",
    "3",
    "4",
    "9",
    "E",
    "K",
    "7",
    "kitchen",
    "",
];

fn segment() -> impl Strategy<Value = String> {
    prop_oneof![4 => prop::sample::select(WORDS).prop_map(str::to_owned), 1 => ".{0,20}"]
}

fn json() -> impl Strategy<Value = Vec<u8>> {
    let keys = prop::sample::select(vec![
        "chunk",
        "end",
        "type",
        "sender",
        "content",
        "msgtype",
        "body",
        "username",
        "password",
        "auth",
        "identifier",
        "user",
        "session",
        "access_token",
        "event_id",
        "room_id",
        "join",
        "retry_after_ms",
        "errcode",
        "next_batch",
        "rooms",
        "leave",
        "!r:h",
        "timeline",
        "events",
        "limited",
        "prev_batch",
    ]);
    let scalar = prop_oneof![
        prop::sample::select(vec![
            "m.text",
            "m.room.message",
            "m.login.dummy",
            "m.login.password",
            "m.id.user",
            "!r:h"
        ])
        .prop_map(serde_json::Value::from),
        any::<u64>().prop_map(serde_json::Value::from),
        any::<f64>().prop_map(serde_json::Value::from),
        ".{0,20}".prop_map(serde_json::Value::from),
        Just(serde_json::Value::Null),
    ];
    let value = scalar.prop_recursive(4, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            prop::collection::btree_map(keys.clone().prop_map(str::to_owned), inner, 0..6)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    });
    value.prop_map(|value| value.to_string().into_bytes())
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![2 => json(), 1 => prop::collection::vec(any::<u8>(), 0..100), 1 => Just(Vec::new())]
}

fn requests() -> impl Strategy<Value = Message> {
    let number = prop_oneof![Just(6_u16), Just(12), Just(17), any::<u16>()];
    let value = prop_oneof![
        Just(vec![50]),
        Just(vec![60]),
        prop::collection::vec(any::<u8>(), 0..6)
    ];
    let option = (number, value).prop_map(|(number, value)| CoapOption { number, value });
    (1_u8..4, prop::collection::vec(option, 0..4), bytes()).prop_map(|(code, options, payload)| {
        Message {
            code,
            options,
            payload,
        }
    })
}

fn contexts() -> impl Strategy<Value = Context> {
    let target = prop::collection::vec(segment(), 0..7).prop_map(|path| Target {
        path,
        query: vec![],
    });
    (
        0_u16..13,
        prop::collection::vec(segment(), 0..3),
        prop::option::of(target),
        prop::option::of(any::<u64>()),
    )
        .prop_map(|(link, captures, requested, now)| Context {
            link,
            captures,
            requested,
            principal: None,
            flow_id: "0".repeat(32),
            now,
            facts: vec![],
        })
}

fn outcomes() -> impl Strategy<Value = Result<HttpResponse, CallError>> {
    let status = prop_oneof![4 => Just(200), 2 => 400_u16..600, 1 => any::<u16>()];
    let headers = prop::collection::vec(
        (
            Just("retry-after".to_owned()),
            prop::collection::vec(any::<u8>(), 0..5),
        ),
        0..2,
    );
    let response = (status, headers, bytes()).prop_map(|(status, headers, body)| HttpResponse {
        status,
        headers,
        body,
    });
    let error =
        ("[a-z-]{0,12}", any::<bool>()).prop_map(|(reason, sent)| CallError { reason, sent });
    prop_oneof![6 => response.prop_map(Ok), 1 => error.prop_map(Err)]
}

fn allowed_code(code: u8) -> bool {
    matches!(code >> 5, 4 | 5)
}

fn allowed_call(request: &HttpRequest) -> bool {
    let methods = ["GET", "POST", "PUT"].contains(&request.method.as_str());
    let credentials = ["none", "device", "any"].contains(&request.credential.as_str());
    methods
        && credentials
        && request
            .body
            .as_ref()
            .is_none_or(|body| body.len() <= MAX_BODY)
}

fn allowed_delivery(delivery: &Delivery) -> bool {
    let is_name = |text: &str| (1..=MAX_NAME).contains(&text.len());
    let request = &delivery.step.request;
    is_name(&delivery.lane)
        && is_name(&delivery.transaction)
        && request.method == "PUT"
        && request.hold_ms == 0
}

/// The step of a call or a delivery; none of a reply.
fn step(effect: &Effect) -> Option<&Step> {
    match effect {
        Effect::Call(step) => Some(step),
        Effect::Deliver(delivery) => Some(&delivery.step),
        Effect::Reply(_) => None,
    }
}

/// The state for the next call, if there is one.
fn next(effect: Result<Effect, Failure>) -> Result<Option<Vec<u8>>, TestCaseError> {
    match effect {
        Ok(Effect::Reply(reply)) => {
            let code = reply.message.code;
            prop_assert!(code >> 5 == 2 || allowed_code(code), "code {code}");
            Ok(None)
        }
        Ok(effect) => {
            if let Effect::Deliver(delivery) = &effect {
                prop_assert!(allowed_delivery(delivery), "{delivery:?}");
            }
            let step = step(&effect).expect("it is no reply");
            prop_assert!(
                allowed_call(&step.request) && step.state.len() <= MAX_STATE,
                "{step:?}"
            );
            Ok(Some(step.state.clone()))
        }
        Err(failure) => {
            prop_assert!(
                allowed_code(failure.code) && !failure.diagnostic.is_empty(),
                "{failure:?}"
            );
            Ok(None)
        }
    }
}

proptest! {
    #[test]
    fn every_exchange_ends_with_a_valid_code_within_six_calls(
        context in contexts(),
        request in requests(),
        outcomes in prop::collection::vec(outcomes(), 6),
    ) {
        let settings = [("room.kitchen", "#kitchen:h")];
        let mut state = next(RULE.begin(&settings, &context, &request))?;
        for outcome in outcomes {
            match state {
                Some(left) => state = next(RULE.resume(&settings, &context, &left, outcome))?,
                None => return Ok(()),
            }
        }
        prop_assert_eq!(state, None, "a seventh call");
    }

    #[test]
    fn no_state_panics(context in contexts(), state in bytes(), outcome in outcomes()) {
        next(RULE.resume(&[], &context, &state, outcome))?;
    }

    #[test]
    fn a_stored_delivery_is_a_success_for_the_device(context in contexts(), id in "[0-9a-f]{1,32}") {
        match RULE.accepted(&context, &id) {
            Ok(message) => prop_assert_eq!(message.code, comatrix_sdk::code::CHANGED),
            Err(failure) => prop_assert!(usize::from(context.link) >= RULE_LINKS && allowed_code(failure.code)),
        }
    }

    #[test]
    fn legacy_errors_know_one_code(context in contexts(), request in requests(), outcome in outcomes()) {
        let settings = [("errors", "legacy")];
        let effect = match RULE.begin(&settings, &context, &request) {
            Ok(effect) => match step(&effect) {
                Some(step) => RULE.resume(&settings, &context, &step.state, outcome),
                None => Ok(effect),
            },
            Err(failure) => Err(failure),
        };
        let code = match effect {
            Ok(Effect::Reply(reply)) => reply.message.code,
            Ok(Effect::Call(_) | Effect::Deliver(_)) => return Ok(()),
            Err(failure) => failure.code,
        };
        prop_assert!(code >> 5 == 2 || code == comatrix_sdk::code::BAD_REQUEST, "code {code}");
    }

    #[test]
    fn every_response_to_a_poll_is_progress_within_the_bounds_or_a_failure(
        outcome in outcomes(),
        topics in prop::collection::btree_set(segment(), 0..4),
        context in contexts(),
    ) {
        let Ok(response) = outcome else { return Ok(()) };
        let state = Position { requested: false, since: "s".to_owned() }.state();
        let topics: Vec<String> = topics.into_iter().collect();
        match RULE.polled(&[], &state, &topics, &response) {
            Ok(progress) => {
                prop_assert!(RULE.poll(&progress.state, &topics).is_ok());
                prop_assert!(progress.lost.iter().all(|topic| topics.contains(topic)));
                for change in &progress.changes {
                    prop_assert!(topics.contains(&change.topic));
                    prop_assert!(!progress.lost.contains(&change.topic));
                    if let Ok(message) = RULE.notify(&context, change) {
                        prop_assert_eq!(message.code >> 5, 2);
                    }
                }
            }
            Err(failure) => prop_assert!(allowed_code(failure.code)),
        }
    }

    #[test]
    fn what_the_gateway_did_not_get_from_the_rule_is_a_failure(
        context in contexts(),
        bytes in bytes(),
        topic in segment(),
    ) {
        let state_is_foreign = RULE.poll(&bytes, std::slice::from_ref(&topic)).is_err();
        prop_assert!(state_is_foreign);
        let change = Change { topic, payload: bytes };
        if let Err(failure) = RULE.notify(&context, &change) {
            prop_assert!(allowed_code(failure.code));
        }
    }
}
