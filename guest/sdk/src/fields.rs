//! A device's request: formats, and fields of the payload.

use crate::bindings::{Context, Message};
use crate::error_response::ErrorResponse;
use crate::message::{ACCEPT, CONTENT_FORMAT, uint_option};
use crate::payload::Format;
use crate::text::{concat, decimal};
use crate::{Value, code, json};

/// Bytes of a call's body (`http-request.body` in `wit/types.wit`).
const MAX_BODY: usize = 256 * 1024;

const NO_MAP: &str = "payload: not a map; send one in CBOR or JSON";

/// The format of the response: the one in Accept, else CBOR. The gateway has refused any other Accept.
pub fn accepted_format(request: &Message) -> Format {
    uint_option(&request.options, ACCEPT)
        .and_then(Format::from_number)
        .unwrap_or(Format::Cbor)
}

/// The format of a notification: the one in the fact `accept` (`wit/types.wit`), else CBOR.
pub fn notification_format(context: &Context) -> Format {
    let accept = context.facts.iter().find(|(name, _)| name == "accept");
    accept
        .and_then(|(_, number)| Format::from_number(number.parse().ok()?))
        .unwrap_or(Format::Cbor)
}

/// The payload, which must be a map in CBOR or JSON.
pub fn payload(request: &Message) -> Result<Value, ErrorResponse> {
    let remedy = "Content-Format: send 60 (CBOR) or 50 (JSON)";
    let format = match content_format(request, remedy)? {
        Some(Format::Text) => return Err(unsupported(remedy)),
        Some(format) => format,
        None if is_object(&request.payload) => Format::Json,
        None if is_cbor_map(&request.payload) => Format::Cbor,
        None => return Err(ErrorResponse::bad_request(NO_MAP)),
    };
    match decode(format, &request.payload)? {
        value @ Value::Map(_) => Ok(value),
        _ => Err(ErrorResponse::bad_request(NO_MAP)),
    }
}

/// The payload, which may also be a text: in `text/plain`, or a text string of CBOR.
///
/// Without Content-Format the payload is read as what it is (RFC 7252 §5.5.1), in this order: a map of CBOR, which no
/// UTF-8 text begins like; a text string of CBOR that ends with the payload; an object of JSON; else text. A text can
/// be a text string of CBOR as well, if its first letter happens to stand for its length (`cold` is the string `old`):
/// only Content-Format 0 excludes that.
pub fn map_or_text(request: &Message) -> Result<Value, ErrorResponse> {
    let payload = request.payload.as_slice();
    let remedy = "Content-Format: send 60 (CBOR), 50 (JSON) or 0 (text)";
    let format = content_format(request, remedy)?;
    if payload.is_empty() && format.is_none_or(|format| format == Format::Text) {
        return Err(ErrorResponse::bad_request("payload: empty; send a text"));
    }
    let value = match format {
        Some(format) => decode(format, payload)?,
        None if is_cbor_map(payload) => decode(Format::Cbor, payload)?,
        None => {
            let guess = match payload.first() {
                Some(0x60..=0x7a | 0x7c..=0x7f) => Some(Format::Cbor),
                _ if is_object(payload) => Some(Format::Json),
                _ => None,
            };
            match guess.map(|format| decode(format, payload)) {
                Some(Ok(value)) => value,
                _ => decode(Format::Text, payload)?,
            }
        }
    };
    match value {
        value @ (Value::Map(_) | Value::Text(_)) => Ok(value),
        _ => Err(ErrorResponse::bad_request("payload: not a map or a text")),
    }
}

/// The format in Content-Format; none without that option.
fn content_format(request: &Message, remedy: &str) -> Result<Option<Format>, ErrorResponse> {
    let mut options = request.options.iter();
    if !options.any(|option| option.number == CONTENT_FORMAT) {
        return Ok(None);
    }
    let number = uint_option(&request.options, CONTENT_FORMAT);
    let format = number.and_then(Format::from_number);
    format.map(Some).ok_or_else(|| unsupported(remedy))
}

fn unsupported(remedy: &str) -> ErrorResponse {
    ErrorResponse::new(code::UNSUPPORTED_CONTENT_FORMAT, remedy)
}

/// Whether the first byte is the head of a map of CBOR (RFC 8949 §3.1). No UTF-8 text begins with it.
fn is_cbor_map(payload: &[u8]) -> bool {
    matches!(payload.first(), Some(0xa0..=0xbf))
}

/// Whether a map that begins like this is an object of JSON.
fn is_object(payload: &[u8]) -> bool {
    payload.trim_ascii_start().starts_with(b"{")
}

// Not inlined: a component would have the decoders once for each place.
#[inline(never)]
fn decode(format: Format, payload: &[u8]) -> Result<Value, ErrorResponse> {
    let decoded = format.decode(payload);
    decoded.map_err(|error| ErrorResponse::bad_request(concat(&["payload: ", &error.diagnostic()])))
}

/// The payload as the JSON body of a call.
pub fn json_body(payload: &Value) -> Result<Vec<u8>, ErrorResponse> {
    let body = json::encode(payload);
    if body.len() > MAX_BODY {
        let remedy = concat(&[
            "payload: as JSON it takes more than ",
            &decimal(MAX_BODY),
            " bytes; send less",
        ]);
        return Err(ErrorResponse::new(code::REQUEST_ENTITY_TOO_LARGE, remedy));
    }
    Ok(body)
}

/// The text at `path` within the payload: names of nested fields with dots between them.
pub fn text<'a>(payload: &'a Value, path: &str) -> Result<&'a str, ErrorResponse> {
    let value = path
        .split('.')
        .try_fold(payload, |value, key| value.get(key));
    let wrong = |what| ErrorResponse::bad_request(concat(&["payload: field ", path, ": ", what]));
    value
        .ok_or_else(|| wrong("missing"))?
        .as_text()
        .ok_or_else(|| wrong("must be text"))
}

/// Checks that the text at `path` is `expected`.
pub fn expect_text(payload: &Value, path: &str, expected: &str) -> Result<(), ErrorResponse> {
    if text(payload, path)? == expected {
        return Ok(());
    }
    Err(ErrorResponse::bad_request(concat(&[
        "payload: field ",
        path,
        ": must be ",
        expected,
    ])))
}

#[cfg(test)]
mod tests {
    use crate::message::uint;

    use super::*;

    fn request(content_format: Option<u32>, payload: &[u8]) -> Message {
        let options = content_format
            .map(|number| uint(CONTENT_FORMAT, number))
            .into_iter()
            .collect();
        Message {
            code: code::PUT,
            options,
            payload: payload.to_vec(),
        }
    }

    #[test]
    fn a_payload_of_another_content_format_is_4_15() {
        for content_format in [0, 42] {
            let error = payload(&request(Some(content_format), b"{}")).expect_err("no map");
            assert_eq!(error.code, code::UNSUPPORTED_CONTENT_FORMAT);
        }
        let error = map_or_text(&request(Some(42), b"{}")).expect_err("no text");
        assert_eq!(error.code, code::UNSUPPORTED_CONTENT_FORMAT);
        assert_eq!(payload(&request(Some(50), b"{}")), Ok(Value::Map(vec![])));
        assert_eq!(payload(&request(Some(60), &[0xa0])), Ok(Value::Map(vec![])));
    }

    #[test]
    fn without_a_content_format_a_payload_is_what_it_is() {
        for empty in [&b"{}"[..], b" {}", b"\xa0", b"\xbf\xff"] {
            assert_eq!(payload(&request(None, empty)), Ok(Value::Map(vec![])));
            assert_eq!(map_or_text(&request(None, empty)), Ok(Value::Map(vec![])));
        }
        for (bytes, text) in [
            (&b"21.5"[..], "21.5"),
            (b"d21.5", "21.5"),
            (b"d21.50", "d21.50"),
            (b"\x7f\x61a\x61b\xff", "ab"),
            (b"{", "{"),
            (b"{}{}", "{}{}"),
            (b"[]", "[]"),
            (b"\xf0\x9f\x8c\xb1", "\u{1f331}"),
        ] {
            assert_eq!(map_or_text(&request(None, bytes)), Ok(text.into()));
            assert!(payload(&request(None, bytes)).is_err());
        }
        for bytes in [&b"\xa1"[..], b"\xff", b"\x81\x01", b""] {
            assert!(map_or_text(&request(None, bytes)).is_err());
        }
    }

    #[test]
    fn a_payload_that_is_no_map_is_refused() {
        assert!(payload(&request(Some(50), b"[]")).is_err());
        assert!(payload(&request(Some(60), &[])).is_err());
    }

    #[test]
    fn a_wrong_field_is_named_by_its_path() {
        let identifier = Value::Map(vec![("user".to_owned(), Value::Unsigned(1))]);
        let payload = Value::Map(vec![("identifier".to_owned(), identifier)]);
        for (field, what) in [("user", "must be text"), ("type", "missing")] {
            let expected =
                ErrorResponse::bad_request(format!("payload: field identifier.{field}: {what}"));
            assert_eq!(
                text(&payload, &format!("identifier.{field}")),
                Err(expected)
            );
        }
    }
}
