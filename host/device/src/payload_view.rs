//! A payload as it is shown: decoded by its Content-Format, without secrets.

use ciborium::Value;

use super::hiding::{Hiding, hidden};
use super::notation::{json, notation, printable};
use coap::Message;
use coap::option::{CONTENT_FORMAT, content_format};

/// A payload for people and for scripts.
#[derive(Debug)]
pub struct PayloadView {
    /// On one line, safe for a terminal.
    pub text: String,
    /// The same for scripts; null where the payload could not be decoded.
    pub json: serde_json::Value,
    /// Hexadecimal where the payload is not text.
    pub hex: Option<String>,
    /// Why it could not be decoded.
    pub problem: Option<String>,
}

/// The view of a message's payload. `holds_token`: if it cannot be decoded, it is hidden as a whole, since the
/// token in it cannot be found.
pub fn view(message: &Message, hiding: &Hiding<'_>, holds_token: bool) -> PayloadView {
    let payload = message.payload.as_slice();
    let decoded = match message.uint_option(CONTENT_FORMAT).map(u16::try_from) {
        Some(Ok(content_format::CBOR | content_format::PROBLEM_DETAILS)) => {
            cbor(payload).map(Decoded::Cbor)
        }
        Some(Ok(content_format::JSON)) => json_text(payload).map(Decoded::Json),
        None | Some(Ok(content_format::TEXT | content_format::LINK_FORMAT)) => {
            text(payload).map(Decoded::Text)
        }
        Some(_) => Err("it has a Content-Format that is not known here".to_owned()),
    };
    match decoded {
        Ok(Decoded::Text(_)) if holds_token => concealed(payload, None),
        Ok(Decoded::Text(text)) => {
            let shown = hiding.text(text);
            PayloadView {
                text: printable(&shown),
                json: shown.into(),
                hex: None,
                problem: None,
            }
        }
        Ok(Decoded::Json(value)) => {
            let shown = hiding.value(&value);
            PayloadView {
                text: notation(&shown),
                json: json(&shown),
                hex: None,
                problem: None,
            }
        }
        Ok(Decoded::Cbor(value)) => {
            let shown = hiding.value(&value);
            let hex = hiding.hex(payload, Some(&value));
            PayloadView {
                text: notation(&shown),
                json: json(&shown),
                hex: Some(hex),
                problem: None,
            }
        }
        Err(problem) if holds_token => concealed(payload, Some(problem)),
        Err(problem) => {
            let hex = hiding.hex(payload, None);
            PayloadView {
                text: format!("({problem})"),
                json: serde_json::Value::Null,
                hex: Some(hex),
                problem: Some(problem),
            }
        }
    }
}

/// The access token of an answer to a login or registration.
pub fn access_token(answer: &Message) -> Option<String> {
    let value = match answer.uint_option(CONTENT_FORMAT).map(u16::try_from) {
        Some(Ok(content_format::JSON)) => json_text(&answer.payload),
        _ => cbor(&answer.payload),
    };
    let Ok(Value::Map(entries)) = value else {
        return None;
    };
    let token = entries
        .into_iter()
        .find(|(key, _)| key.as_text() == Some("access_token"));
    token
        .and_then(|(_, token)| token.into_text().ok())
        .filter(|token| !token.is_empty())
}

enum Decoded<'a> {
    Cbor(Value),
    Json(Value),
    Text(&'a str),
}

fn concealed(payload: &[u8], problem: Option<String>) -> PayloadView {
    PayloadView {
        text: hidden(payload.len()),
        json: serde_json::Value::Null,
        hex: None,
        problem,
    }
}

fn cbor(payload: &[u8]) -> Result<Value, String> {
    let mut rest = payload;
    let value =
        ciborium::from_reader(&mut rest).map_err(|_| "it should be CBOR, and is not".to_owned())?;
    match rest.len() {
        0 => Ok(value),
        surplus => Err(format!(
            "it should be CBOR, and {surplus} bytes follow the value"
        )),
    }
}

fn json_text(payload: &[u8]) -> Result<Value, String> {
    let refused = |_| "it should be JSON, and is not".to_owned();
    let value: serde_json::Value = serde_json::from_slice(payload).map_err(refused)?;
    Value::serialized(&value).map_err(|_| "its JSON has no CBOR form".to_owned())
}

fn text(payload: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(payload).map_err(|_| "it should be text, and is not UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use coap::code::CONTENT;

    fn answer(format: u32, payload: &[u8]) -> Message {
        Message::new(CONTENT)
            .with_uint_option(CONTENT_FORMAT, format)
            .with_payload(payload)
    }

    #[test]
    fn cbor_json_and_text_are_decoded_and_anything_else_is_hexadecimal() {
        let hiding = Hiding::by_name();
        let cases = [
            (
                answer(60, b"\xa1\x61a\x01"),
                r#"{"a": 1}"#,
                Some("a1616101"),
            ),
            (answer(50, br#"{"a": 1}"#), r#"{"a": 1}"#, None),
            (answer(0, b"1795000000"), "1795000000", None),
            (answer(0, b"a\x1b[2J"), r"a\u{1b}[2J", None),
            (
                answer(60, b"\xa1"),
                "(it should be CBOR, and is not)",
                Some("a1"),
            ),
            (
                answer(60, b"\x01\x02"),
                "(it should be CBOR, and 1 bytes follow the value)",
                Some("0102"),
            ),
            (
                answer(99, b"\x01"),
                "(it has a Content-Format that is not known here)",
                Some("01"),
            ),
        ];
        for (message, text, hex) in cases {
            let view = view(&message, &hiding, false);
            assert_eq!((view.text.as_str(), view.hex.as_deref()), (text, hex));
        }
    }

    #[test]
    fn an_answer_that_should_hold_a_token_is_hidden_when_it_cannot_be_decoded() {
        let hiding = Hiding::by_name_and_value(Vec::new(), false);
        for message in [
            answer(60, b"\xa2\x6caccess_token\x63abc"),
            answer(0, b"token: abc"),
            answer(99, b"abc"),
        ] {
            let view = view(&message, &hiding, true);
            assert!(
                !format!("{view:?}").contains("abc") && view.hex.is_none(),
                "{view:?}"
            );
        }
    }

    #[test]
    fn the_token_is_found_in_cbor_and_in_json() {
        assert_eq!(
            access_token(&answer(60, b"\xa1\x6caccess_token\x63abc")).as_deref(),
            Some("abc")
        );
        assert_eq!(
            access_token(&answer(50, br#"{"access_token": "abc"}"#)).as_deref(),
            Some("abc")
        );
        assert_eq!(access_token(&answer(60, b"\xa1\x6caccess_token\x01")), None);
        assert_eq!(access_token(&answer(60, b"\xa1\x6caccess_token\x60")), None);
    }

    proptest! {
        #[test]
        fn no_payload_panics(format in prop_oneof![Just(60), Just(50), Just(0), any::<u32>()], payload in prop::collection::vec(any::<u8>(), 0..200)) {
            let message = answer(format, &payload);
            let hiding = Hiding::by_name_and_value(vec!["a", "\u{fffd}"], false);
            let view = view(&message, &hiding, false);
            prop_assert!(!view.text.contains(char::is_control));
            access_token(&message);
        }
    }
}
