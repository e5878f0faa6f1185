//! A rule responds to any input of a device or a homeserver. A trap fails these tests: `Component` panics on it.

use coap::code;
use contract::{CallError, Effect, Failure};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use crate::component::Component;
use crate::device_request::{CBOR, JSON, all, content_format, http_response, waiting};

const CASES: u32 = 400;

/// Almost valid bytes: `texts` with a few bytes changed, inserted, or cut off.
fn damaged(texts: &'static [&'static [u8]]) -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<Index>(), any::<u8>(), 0_u8..4);
    (prop::sample::select(texts), vec(change, 0..6)).prop_map(|(text, changes)| {
        let mut bytes = text.to_vec();
        for (place, byte, kind) in changes {
            if bytes.is_empty() {
                break;
            }
            let place = place.index(bytes.len());
            match kind {
                0 => bytes[place] = byte,
                1 => bytes.insert(place, byte),
                2 => drop(bytes.remove(place)),
                _ => bytes.truncate(place),
            }
        }
        bytes
    })
}

const PAYLOADS: &[&[u8]] = &[
    b"\xa2\x67msgtype\x66m.text\x64body\x61x",
    b"\xa3\x67msgtype\x66m.text\x64body\x7f\x61x\x61y\xff\x61a\x9f\
      \xfb\x3f\xf8\0\0\0\0\0\0\x1b\xff\xff\xff\xff\xff\xff\xff\xff\x20\xf6\xf5\xff",
    b"\xa3\x68username\x61u\x68password\x61p\x64auth\xa1\x64type\x6dm.login.dummy",
    br#"{"msgtype":"m.text","body":"\ud83d\ude00\u0000\\","a":[1.5e-7,-0,18446744073709551615,null,true,{"":[]}]}"#,
    br#"{"type":"m.login.password","identifier":{"type":"m.id.user","user":"u"},"password":"p"}"#,
];

const RESPONSES: &[&[u8]] = &[
    br#"{"event_id":"$x","room_id":"!r:h","access_token":"t"}"#,
    br#"{"chunk":[
            {"type":"m.room.message","sender":"@a:h","content":{"msgtype":"m.text","body":"\ud83d\ude00 \u00e9"}}
        ],"end":"e"}"#,
    br#"{"chunk":[
            {"type":"m.room.message","sender":"@a:h","content":{}},{"redacted_because":[[[[1e400]]]]}
        ],"start":"s"}"#,
    br#"{"errcode":"M_LIMIT_EXCEEDED","error":"too many","retry_after_ms":1500}"#,
    br#"{"session":"s","flows":[{"stages":["m.login.dummy"]}],"params":{},"completed":[]}"#,
];

fn payloads() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![vec(any::<u8>(), 0..200), damaged(PAYLOADS)]
}

/// A reply or failure must have a response code; a call must keep the limit of its state.
fn is_fit(result: &Result<Effect, Failure>) -> Result<(), TestCaseError> {
    match result {
        Ok(Effect::Reply(reply)) => {
            prop_assert!(matches!(reply.message.code >> 5, 2 | 4 | 5), "{reply:?}");
        }
        Ok(Effect::Call(step)) => prop_assert!(step.state.len() <= 16 << 10),
        Ok(Effect::Deliver(delivery)) => {
            prop_assert!(delivery.step.state.len() <= 16 << 10);
            prop_assert_eq!(contract::delivery::check(delivery), Ok(()));
        }
        Err(failure) => {
            prop_assert!(matches!(failure.code >> 5, 4 | 5), "{failure:?}");
            prop_assert_ne!(failure.code, code::INTERNAL_SERVER_ERROR);
            prop_assert!(!failure.diagnostic.is_empty());
        }
    }
    Ok(())
}

fn check<S: Strategy>(strategy: S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let mut runner = TestRunner::new(Config::with_cases(CASES));
    runner
        .run(&strategy, test)
        .unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn any_payload_gets_a_response_from_every_resource() {
    let component = Component::new();
    let requests = all(&component);
    check(
        (payloads(), prop::sample::select(&[CBOR, JSON][..])),
        |(payload, format)| {
            for (context, request) in &requests {
                let mut request = request.clone();
                request.options = vec![content_format(format)];
                request.payload.clone_from(&payload);
                is_fit(&component.call_begin(context, &request))?;
            }
            Ok(())
        },
    );
}

#[test]
fn any_response_of_a_homeserver_leads_to_a_response_or_another_call() {
    let component = Component::new();
    let waiting = waiting(&component);
    let bodies = prop_oneof![vec(any::<u8>(), 0..200), damaged(RESPONSES)];
    let statuses = prop_oneof![Just(200), Just(401), Just(429), any::<u16>()];
    check((statuses, bodies), |(status, body)| {
        for (context, state) in &waiting {
            is_fit(&component.call_resume(context, state, http_response(status, body.clone())))?;
        }
        Ok(())
    });
}

#[test]
fn any_failed_call_leads_to_a_response() {
    let component = Component::new();
    let waiting = waiting(&component);
    check((".{0,40}", any::<bool>()), |(reason, sent)| {
        for (context, state) in waiting.iter() {
            let error = CallError {
                reason: reason.clone(),
                sent,
            };
            let result = component.call_resume(context, state, Err(error));
            is_fit(&result)?;
            prop_assert!(!matches!(result, Ok(Effect::Call(_) | Effect::Deliver(_))));
        }
        Ok(())
    });
}
