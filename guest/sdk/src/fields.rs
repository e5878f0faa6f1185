//! A device's request: formats, and fields of the payload.

use crate::bindings::{Context, Message};
use crate::error_response::ErrorResponse;
use crate::message::{ACCEPT, CONTENT_FORMAT, uint_option};
use crate::payload::Format;
use crate::text::{concat, decimal};
use crate::{Value, code, json};

/// Bytes of a call's body (`http-request.body` in `wit/types.wit`).
const MAX_BODY: usize = 256 * 1024;

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
    let format = uint_option(&request.options, CONTENT_FORMAT).and_then(Format::from_number);
    let Some(format) = format else {
        let remedy = "Content-Format: send 60 (CBOR) or 50 (JSON)";
        return Err(ErrorResponse::new(code::UNSUPPORTED_CONTENT_FORMAT, remedy));
    };
    match format.decode(&request.payload) {
        Ok(value @ Value::Map(_)) => Ok(value),
        Ok(_) => Err(ErrorResponse::bad_request("payload: at byte 0: not a map")),
        Err(error) => Err(ErrorResponse::bad_request(concat(&[
            "payload: ",
            &error.diagnostic(),
        ]))),
    }
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
    fn a_payload_without_a_known_content_format_is_4_15() {
        for content_format in [None, Some(0), Some(42)] {
            let error = payload(&request(content_format, b"{}")).expect_err("not CBOR or JSON");
            assert_eq!(error.code, code::UNSUPPORTED_CONTENT_FORMAT);
        }
        assert_eq!(payload(&request(Some(50), b"{}")), Ok(Value::Map(vec![])));
        assert_eq!(payload(&request(Some(60), &[0xa0])), Ok(Value::Map(vec![])));
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
