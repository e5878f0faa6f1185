//! The formats of a request and of its response.

use comatrix_sdk::bindings::{CoapOption, Message};
use comatrix_sdk::error_response::ErrorResponse;
use comatrix_sdk::message::{ACCEPT, CONTENT_FORMAT, uint_option};
use comatrix_sdk::payload::Format;
use comatrix_sdk::text::{concat, decimal};
use comatrix_sdk::value::MAX_DEPTH;
use comatrix_sdk::{cbor, code, json};

use crate::media;
use crate::tables::KEYS;

/// A request's payload, as the homeserver gets it.
#[derive(Debug, PartialEq, Eq)]
pub struct Body {
    /// None: the request has none.
    pub bytes: Option<Vec<u8>>,
    /// The HTTP Content-Type of `bytes`.
    pub content_type: &'static str,
    /// CBOR or JSON, as the device sent it; none of media and without a payload.
    pub format: Option<Format>,
    /// Whether the device sent an integer as a key.
    pub has_integer_keys: bool,
}

const JSON: &str = "application/json";

/// The payload of a call of the API: CBOR becomes JSON, and JSON stays as it is. Without a payload, POST and PUT send
/// an empty object, which is what most calls of the API ask for at least.
pub fn api_body(request: &Message) -> Result<Body, ErrorResponse> {
    let body = |bytes, format, has_integer_keys| Body {
        bytes,
        content_type: JSON,
        format,
        has_integer_keys,
    };
    let payload = request.payload.as_slice();
    if payload.is_empty() {
        let is_due = matches!(request.code, code::POST | code::PUT);
        return Ok(body(is_due.then(|| b"{}".to_vec()), None, false));
    }
    if request.code == code::GET {
        let error = "payload: GET has none; send parameters in Uri-Query";
        return Err(ErrorResponse::bad_request(error));
    }
    match format_of(request)? {
        Format::Json => {
            // What is passed over is not checked to be UTF-8.
            if let Err(error) = str::from_utf8(payload) {
                let at = decimal(error.valid_up_to());
                return Err(refused(&concat(&["JSON at byte ", &at, ": not UTF-8"])));
            }
            match json::check(payload, MAX_DEPTH, usize::MAX) {
                Ok(()) => Ok(body(Some(payload.to_vec()), Some(Format::Json), false)),
                Err(error) => Err(refused(&error.diagnostic())),
            }
        }
        _ => match cbor::decode_with_keys(payload, &KEYS) {
            Ok((value, has_integer_keys)) => Ok(body(
                Some(json::encode(&value)),
                Some(Format::Cbor),
                has_integer_keys,
            )),
            Err(error) => Err(refused(&error.diagnostic())),
        },
    }
}

/// The payload of an upload, as it is.
pub fn media_body(request: &Message) -> Result<Body, ErrorResponse> {
    let format = option(&request.options, CONTENT_FORMAT);
    // RFC 7252 §5.5.1: without Content-Format the type is not known.
    let content_type = match format {
        None => Some("application/octet-stream"),
        Some(number) => number.and_then(media::content_type),
    };
    match content_type {
        Some(content_type) => Ok(Body {
            bytes: Some(request.payload.clone()),
            content_type,
            format: None,
            has_integer_keys: false,
        }),
        None => Err(ErrorResponse::new(
            code::UNSUPPORTED_CONTENT_FORMAT,
            "Content-Format: send 42 for a type that CoAP has no number of",
        )),
    }
}

/// The format of the answer to a call of the API: the one in Accept, else JSON if the request had JSON, else CBOR.
pub fn accepted(request: &Message, sent: Option<Format>) -> Result<Format, ErrorResponse> {
    match option(&request.options, ACCEPT) {
        None => Ok(sent.unwrap_or(Format::Cbor)),
        Some(number) => match number.and_then(Format::from_number) {
            Some(format @ (Format::Cbor | Format::Json)) => Ok(format),
            _ => Err(ErrorResponse::new(
                code::NOT_ACCEPTABLE,
                "Accept: send 60 (CBOR) or 50 (JSON)",
            )),
        },
    }
}

/// The number in an option: none if it is absent, and none within if it is too long for one.
pub fn option(options: &[CoapOption], number: u16) -> Option<Option<u32>> {
    let is_there = options.iter().any(|option| option.number == number);
    is_there.then(|| uint_option(options, number))
}

/// That of Content-Format. Without it a payload is what it begins like: `{`, `[` and blanks begin no map of CBOR.
fn format_of(request: &Message) -> Result<Format, ErrorResponse> {
    match option(&request.options, CONTENT_FORMAT) {
        None => Ok(match request.payload.first() {
            Some(b'{' | b'[' | b' ' | b'\t' | b'\r' | b'\n') => Format::Json,
            _ => Format::Cbor,
        }),
        Some(number) => match number.and_then(Format::from_number) {
            Some(format @ (Format::Cbor | Format::Json)) => Ok(format),
            _ => Err(ErrorResponse::new(
                code::UNSUPPORTED_CONTENT_FORMAT,
                "Content-Format: send 60 (CBOR) or 50 (JSON)",
            )),
        },
    }
}

#[inline(never)]
fn refused(diagnostic: &str) -> ErrorResponse {
    ErrorResponse::bad_request(concat(&["payload: ", diagnostic]))
}
