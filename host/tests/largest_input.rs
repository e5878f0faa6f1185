//! The largest and deepest input of a rule, within the memory, the stack and half of the time of a call. A trap fails
//! these tests: `Component` panics on it.

use std::iter::once;

use coap::code;
use contract::{Effect, Failure};

use crate::component::Component;
use crate::device_request::{CBOR, JSON, http_response, send, waiting};

/// `[limits] request_body` by default.
const LARGEST_BODY: usize = 128 << 10;
/// `[limits] homeserver_answer` by default.
const LARGEST_RESPONSE: usize = 1 << 20;

/// `start`, then `item` as often as it fits, then `end`: at most `size` bytes.
fn filled(size: usize, start: &[u8], item: &[u8], end: &[u8]) -> Vec<u8> {
    let count = (size - start.len() - end.len()) / item.len();
    let mut filled = start.to_vec();
    filled.extend(item.iter().copied().cycle().take(count * item.len()));
    filled.extend(end);
    filled
}

/// `{"msgtype":"m.text","body":` in CBOR, a map of 3.
const CBOR_START: &[u8] = b"\xa3\x67msgtype\x66m.text\x64body\x61x\x61a";

fn json_array(item: &str) -> Vec<u8> {
    let start = format!(r#"{{"msgtype":"m.text","body":"x","a":[{item}"#);
    filled(
        LARGEST_BODY,
        start.as_bytes(),
        format!(",{item}").as_bytes(),
        b"]}",
    )
}

fn cbor_array(item: &[u8]) -> Vec<u8> {
    let start = [CBOR_START, b"\x9f"].concat();
    filled(LARGEST_BODY, &start, item, b"\xff")
}

/// Values of one byte each in CBOR: the most that a body can hold.
fn dense_bodies() -> Vec<(u32, Vec<u8>)> {
    let cbor: [&[u8]; 8] = [
        b"\x00",
        b"\x60",
        b"\x80",
        b"\xa0",
        b"\x81\x00",
        b"\xa1\x60\x00",
        b"\x81\x81\x81\x00",
        b"\xf9\x00\x01",
    ];
    let json = [
        "0", "\"\"", "[]", "{}", "[0]", "{\"\":0}", "[[[0]]]", "5e-324",
    ];
    let mut bodies: Vec<_> = cbor.iter().map(|item| (CBOR, cbor_array(item))).collect();
    bodies.extend(json.iter().map(|item| (JSON, json_array(item))));
    bodies
}

/// A map with as many keys as fit.
fn many_keys() -> Vec<u8> {
    let keys: Vec<String> = (0..(LARGEST_BODY - 64) / 10)
        .map(|number| format!("\"{number:05}\":0"))
        .collect();
    format!(r#"{{"msgtype":"m.text","body":"x",{}}}"#, keys.join(",")).into_bytes()
}

/// The result of `/send`: a delivery with this body, or an error with its code.
fn sent(component: &Component, format: u32, payload: &[u8]) -> Result<serde_json::Value, u8> {
    let (context, request) = send(component, format, payload);
    match component.call_begin(&context, &request) {
        Ok(Effect::Deliver(delivery)) => {
            let body = delivery.step.request.body.unwrap_or_default();
            Ok(serde_json::from_slice(&body).unwrap_or_else(|error| panic!("{error}")))
        }
        Err(Failure { code, .. }) => Err(code),
        Ok(other) => panic!("{other:?}"),
    }
}

#[test]
fn a_text_that_fills_the_largest_body_goes_through_whole() {
    let component = Component::with_half_of_the_time();
    let length = LARGEST_BODY - 64;
    for character in ["x", "\u{e9}", "\u{1f600}"] {
        let text = character.repeat(length / character.len());
        let mut cbor = b"\xa2\x67msgtype\x66m.text\x64body\x7a".to_vec();
        cbor.extend(
            u32::try_from(text.len())
                .expect("it is short")
                .to_be_bytes(),
        );
        cbor.extend(text.as_bytes());
        let json = format!(r#"{{"msgtype":"m.text","body":"{text}"}}"#);
        for (format, payload) in [(CBOR, cbor), (JSON, json.into_bytes())] {
            let body = sent(&component, format, &payload).expect("it is a message");
            assert_eq!(body["body"], text.as_str(), "format {format}");
        }
    }
}

#[test]
fn the_densest_bodies_are_translated_or_get_an_error_within_an_instances_memory() {
    let component = Component::with_half_of_the_time();
    for (format, payload) in dense_bodies().into_iter().chain(once((JSON, many_keys()))) {
        assert!(payload.len() > LARGEST_BODY - 64 && payload.len() <= LARGEST_BODY);
        if let Err(code) = sent(&component, format, &payload) {
            assert!(
                [code::BAD_REQUEST, code::REQUEST_ENTITY_TOO_LARGE].contains(&code),
                "{code:#x} for {:x?}",
                &payload[..48]
            );
        }
    }
}

#[test]
fn a_text_that_grows_sixfold_as_json_is_translated_or_gets_an_error() {
    let component = Component::with_half_of_the_time();
    let mut payload = b"\xa2\x67msgtype\x66m.text\x64body\x7a\x00\x01\xf0\x00".to_vec();
    payload.resize(payload.len() + 0x1f000, 1);
    match sent(&component, CBOR, &payload) {
        Ok(body) => assert_eq!(body["body"].as_str().map(str::len), Some(0x1f000)),
        Err(code) => assert!([code::BAD_REQUEST, code::REQUEST_ENTITY_TOO_LARGE].contains(&code)),
    }
}

#[test]
fn a_depth_of_32_goes_through_and_more_is_4_00_in_both_formats() {
    let component = Component::new();
    // The map itself is a level.
    let payloads = |depth: usize| {
        let (cbor, json) = (vec![0x81; depth - 1], "[".repeat(depth - 1));
        let end = "]".repeat(depth - 1);
        let json = format!(r#"{{"msgtype":"m.text","body":"x","a":{json}0{end}}}"#);
        let maps = b"\xa1\x61a".repeat(depth - 1);
        [
            (CBOR, [CBOR_START, &cbor, b"\x00"].concat()),
            (CBOR, [CBOR_START, &maps, b"\x00"].concat()),
            (JSON, json.into_bytes()),
        ]
    };
    for (format, payload) in payloads(32) {
        assert!(sent(&component, format, &payload).is_ok(), "{format}");
    }
    for depth in [33, 34, 1000, 30_000] {
        for (format, payload) in payloads(depth) {
            let result = sent(&component, format, &payload);
            assert_eq!(result.err(), Some(code::BAD_REQUEST), "{format}, {depth}");
        }
    }
}

#[test]
fn the_largest_http_responses_do_not_trap_in_any_exchange() {
    let component = Component::with_half_of_the_time();
    let event = br#",{"type":"m.room.message","sender":"@a:h","content":{"msgtype":"m.image"}}"#;
    let bodies = [
        filled(LARGEST_RESPONSE, br#"{"chunk":[0"#, b",0", b"]}"),
        filled(
            LARGEST_RESPONSE,
            br#"{"chunk":[{}"#,
            event,
            br#"],"end":"e"}"#,
        ),
        filled(LARGEST_RESPONSE, br#"{"chunk":[],"end":""#, b"e", b"\"}"),
        filled(LARGEST_RESPONSE, br#"{"event_id":""#, b"e", b"\"}"),
        filled(LARGEST_RESPONSE, br#"{"room_id":""#, br"\u0041", b"\"}"),
        filled(LARGEST_RESPONSE, br#"{"access_token":""#, b"t", b"\"}"),
        filled(LARGEST_RESPONSE, br#"{"session":""#, br"\\", b"\"}"),
        filled(
            LARGEST_RESPONSE,
            br#"{"errcode":"M_X","error":""#,
            b"e",
            b"\"}",
        ),
        filled(LARGEST_RESPONSE, br#"{"x":1"#, br#","x":1"#, b"}"),
        filled(LARGEST_RESPONSE, b"{\"chunk\":", b"[", b""),
        filled(LARGEST_RESPONSE, b"", br#"{"a":"#, b""),
        filled(LARGEST_RESPONSE, b"", b"\x00", b""),
        filled(LARGEST_RESPONSE, b"", b" ", b"{}"),
    ];
    let waiting = waiting(&component);
    for (status, body) in [200, 401, 403, 429]
        .into_iter()
        .flat_map(|status| bodies.iter().map(move |body| (status, body)))
    {
        for (context, state) in &waiting {
            let result = component.call_resume(context, state, http_response(status, body.clone()));
            let state = match &result {
                Ok(Effect::Call(step)) => step.state.len(),
                Ok(Effect::Deliver(delivery)) => delivery.step.state.len(),
                Ok(Effect::Reply(_)) | Err(_) => 0,
            };
            assert!(state <= 16 << 10, "{state} bytes");
        }
    }
}

#[test]
fn the_last_text_message_is_found_at_the_end_of_the_largest_response() {
    let component = Component::with_half_of_the_time();
    // A page holds at most ten events of 64 KiB; their envelope is the homeserver's.
    let picture = format!(
        r#"{{"type":"m.room.message","sender":"@a:h","content":{{"msgtype":"m.image","body":"{}"}}}},"#,
        r"\u00e9".repeat(80_000 / 6)
    );
    let text = br#"{"type":"m.room.message","sender":"@b:h","content":{"msgtype":"m.text","body":"found"}}]}"#;
    let page = filled(LARGEST_RESPONSE, br#"{"chunk":["#, picture.as_bytes(), text);
    let waiting = waiting(&component);
    let (context, state) = &waiting[6];
    let reply = match component.call_resume(context, state, http_response(200, page)) {
        Ok(Effect::Reply(reply)) => reply,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        reply.message.payload,
        b"\xa2\x66sender\x64@b:h\x64body\x65found"
    );
}
