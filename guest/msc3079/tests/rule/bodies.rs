//! Bodies nobody thought of.

use comatrix_sdk::bindings::{CoapOption, Effect, Failure, HttpResponse, Message};
use comatrix_sdk::code;
use comatrix_sdk::message::{CONTENT_FORMAT, uint};
use comatrix_sdk::vectors::CaseSettings;
use msc3079_rule::{request, response};
use proptest::prelude::*;

use crate::native::context;

fn put(payload: Vec<u8>, options: Vec<CoapOption>) -> Result<Effect, Failure> {
    let message = Message {
        code: code::PUT,
        options,
        payload,
    };
    request::begin(&context(&["9", "!r:h", "m.room.message", "1"]), &message)
}

/// The byte in `CBOR at byte 7: …`.
fn offset(diagnostic: &str) -> Option<usize> {
    let (_, rest) = diagnostic.split_once("at byte ")?;
    rest.split(':').next()?.parse().ok()
}

fn assert_answer(payload: &[u8], answer: Result<Effect, Failure>) {
    match answer {
        Ok(Effect::Call(step)) => {
            let body = step.request.body.expect("a PUT has a body");
            let value = serde_json::from_slice::<serde_json::Value>(&body);
            // serde_json reads no numbers above all floats.
            if let Err(error) = value {
                assert!(error.to_string().contains("out of range"), "{error}");
            }
        }
        Err(failure) => {
            assert_eq!(failure.code, code::BAD_REQUEST);
            let offset = offset(&failure.diagnostic);
            assert!(
                offset.is_some_and(|offset| offset <= payload.len()),
                "{failure:?}"
            );
        }
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn any_bytes_are_a_call_or_4_00_with_the_byte(payload in prop::collection::vec(any::<u8>(), 1..120)) {
        let cbor = put(payload.clone(), vec![uint(CONTENT_FORMAT, 60)]);
        assert_answer(&payload, cbor);
        assert_answer(&payload, put(payload.clone(), Vec::new()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn bytes_that_begin_like_a_map_are_a_call_or_4_00_with_the_byte(
        head in 0xa0_u8..0xc0,
        items in prop::collection::vec(
            prop_oneof![prop::sample::select(b"\x61\x01\x18\xff\xa1".to_vec()), any::<u8>()],
            0..60,
        ),
    ) {
        let payload: Vec<u8> = [head].into_iter().chain(items).collect();
        assert_answer(&payload, put(payload.clone(), vec![uint(CONTENT_FORMAT, 60)]));
    }

    #[test]
    fn any_request_and_any_response_end_without_a_panic(
        method in 1_u8..5,
        link in 0_u16..4,
        path in prop::collection::vec("[0-9A-Za-z]|_matrix|client|media|upload|login|!r:h|", 0..6),
        options in prop::collection::vec(
            (prop::sample::select(vec![6_u16, 12, 15, 17, 257]), prop::collection::vec(any::<u8>(), 0..5)),
            0..4,
        ),
        payload in prop::collection::vec(any::<u8>(), 0..40),
        status in prop_oneof![Just(200_u16), any::<u16>()],
        content_type in "(application/json|image/png|text/html)?",
        body in "[\\[\\]{}\":,a-z0-9]{0,40}",
    ) {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let mut context = context(&path);
        context.link = link;
        let options = options.into_iter().map(|(number, value)| CoapOption { number, value });
        let message = Message { code: method, options: options.collect(), payload };
        match request::begin(&context, &message) {
            Ok(Effect::Call(step)) => {
                prop_assert!(step.state.len() <= 16 * 1024);
                let response = HttpResponse {
                    status,
                    headers: vec![("content-type".to_owned(), content_type.into_bytes())],
                    body: body.into_bytes(),
                };
                let end = response::resume(&CaseSettings::new(), &context, &step.state, Ok(response));
                match end {
                    Ok(Effect::Reply(reply)) => prop_assert!(matches!(reply.message.code >> 5, 2 | 4 | 5)),
                    Err(failure) => prop_assert!(matches!(failure.code >> 5, 4 | 5)),
                    other => prop_assert!(false, "{:?}", other),
                }
            }
            Err(failure) => prop_assert_eq!(failure.code >> 5, 4),
            other => prop_assert!(false, "{:?}", other),
        }
    }
}
