//! The display of a payload: decoded by its Content-Format, without secrets.

use ciborium::Value;

use super::notation::{json, notation, printable};
use super::redaction::{Redaction, hidden};
use coap::Message;
use coap::option::{CONTENT_FORMAT, content_format};

/// A payload for people and for scripts.
#[derive(Debug)]
pub struct PayloadView {
    /// On one line, safe for a terminal.
    pub text: String,
    /// The same for scripts; null if the payload could not be decoded.
    pub json: serde_json::Value,
    /// Hexadecimal, unless the payload is text.
    pub hex: Option<String>,
    /// The reason why it could not be decoded.
    pub problem: Option<String>,
}

/// The view of a message's payload. `has_token`: if it cannot be decoded, all of it is hidden, since the token in it
/// cannot be found.
pub fn view(message: &Message, redaction: &Redaction<'_>, has_token: bool) -> PayloadView {
    let payload = message.payload.as_slice();
    let decoded = match message.uint_option(CONTENT_FORMAT).map(u16::try_from) {
        Some(Ok(content_format::CBOR | content_format::PROBLEM_DETAILS)) => {
            cbor(payload).map(Decoded::Cbor)
        }
        Some(Ok(content_format::JSON)) => json_text(payload).map(Decoded::Json),
        None | Some(Ok(content_format::TEXT | content_format::LINK_FORMAT)) => {
            text(payload).map(Decoded::Text)
        }
        Some(_) => Err("its Content-Format is not supported here".to_owned()),
    };
    match decoded {
        Ok(Decoded::Text(_)) if has_token => concealed(payload, None),
        Ok(Decoded::Text(text)) => {
            let shown = redaction.text(text);
            PayloadView {
                text: printable(&shown),
                json: shown.into(),
                hex: None,
                problem: None,
            }
        }
        Ok(Decoded::Json(value)) => {
            let shown = redaction.value(&value);
            PayloadView {
                text: notation(&shown),
                json: json(&shown),
                hex: None,
                problem: None,
            }
        }
        Ok(Decoded::Cbor(value)) => {
            let shown = redaction.value(&value);
            let hex = redaction.hex(payload, Some(&value));
            PayloadView {
                text: notation(&shown),
                json: json(&shown),
                hex: Some(hex),
                problem: None,
            }
        }
        Err(problem) if has_token => concealed(payload, Some(problem)),
        Err(problem) => {
            let hex = redaction.hex(payload, None);
            PayloadView {
                text: format!("({problem})"),
                json: serde_json::Value::Null,
                hex: Some(hex),
                problem: Some(problem),
            }
        }
    }
}

/// The access token in the response to a login or registration.
pub fn access_token(response: &Message) -> Option<String> {
    let value = match response.uint_option(CONTENT_FORMAT).map(u16::try_from) {
        Some(Ok(content_format::JSON)) => json_text(&response.payload),
        _ => cbor(&response.payload),
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
    let value = ciborium::from_reader(&mut rest).map_err(|_| "it is not valid CBOR".to_owned())?;
    match rest.len() {
        0 => Ok(value),
        surplus => Err(format!("{surplus} bytes follow its CBOR value")),
    }
}

fn json_text(payload: &[u8]) -> Result<Value, String> {
    let refused = |_| "it is not valid JSON".to_owned();
    let value: serde_json::Value = serde_json::from_slice(payload).map_err(refused)?;
    Value::serialized(&value).map_err(|_| "its JSON has no CBOR form".to_owned())
}

fn text(payload: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(payload).map_err(|_| "it is text, but not valid UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use coap::code::CONTENT;

    fn response(format: u32, payload: &[u8]) -> Message {
        Message::new(CONTENT)
            .with_uint_option(CONTENT_FORMAT, format)
            .with_payload(payload)
    }

    #[test]
    fn cbor_json_and_text_are_decoded_and_anything_else_is_hexadecimal() {
        let redaction = Redaction::by_name();
        let cases = [
            (
                response(60, b"\xa1\x61a\x01"),
                r#"{"a": 1}"#,
                Some("a1616101"),
            ),
            (response(50, br#"{"a": 1}"#), r#"{"a": 1}"#, None),
            (response(0, b"1795000000"), "1795000000", None),
            (response(0, b"a\x1b[2J"), r"a\u{1b}[2J", None),
            (response(60, b"\xa1"), "(it is not valid CBOR)", Some("a1")),
            (
                response(60, b"\x01\x02"),
                "(1 bytes follow its CBOR value)",
                Some("0102"),
            ),
            (
                response(99, b"\x01"),
                "(its Content-Format is not supported here)",
                Some("01"),
            ),
        ];
        for (message, text, hex) in cases {
            let view = view(&message, &redaction, false);
            assert_eq!((view.text.as_str(), view.hex.as_deref()), (text, hex));
        }
    }

    #[test]
    fn a_response_that_should_have_a_token_is_hidden_if_it_cannot_be_decoded() {
        let redaction = Redaction::by_name_and_value(Vec::new(), false);
        for message in [
            response(60, b"\xa2\x6caccess_token\x63abc"),
            response(0, b"token: abc"),
            response(99, b"abc"),
        ] {
            let view = view(&message, &redaction, true);
            assert!(
                !format!("{view:?}").contains("abc") && view.hex.is_none(),
                "{view:?}"
            );
        }
    }

    #[test]
    fn the_token_is_found_in_cbor_and_in_json() {
        assert_eq!(
            access_token(&response(60, b"\xa1\x6caccess_token\x63abc")).as_deref(),
            Some("abc")
        );
        assert_eq!(
            access_token(&response(50, br#"{"access_token": "abc"}"#)).as_deref(),
            Some("abc")
        );
        assert_eq!(
            access_token(&response(60, b"\xa1\x6caccess_token\x01")),
            None
        );
        assert_eq!(
            access_token(&response(60, b"\xa1\x6caccess_token\x60")),
            None
        );
    }

    proptest! {
        #[test]
        fn no_payload_panics(
            format in prop_oneof![Just(60), Just(50), Just(0), any::<u32>()],
            payload in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let message = response(format, &payload);
            let redaction = Redaction::by_name_and_value(vec!["a", "\u{fffd}"], false);
            let view = view(&message, &redaction, false);
            prop_assert!(!view.text.contains(char::is_control));
            access_token(&message);
        }
    }
}
