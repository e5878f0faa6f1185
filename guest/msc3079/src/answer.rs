//! The body of a homeserver's response, in the form that a device gets.

use comatrix_sdk::bindings::{HttpResponse, Message};
use comatrix_sdk::error_response::ErrorResponse;
use comatrix_sdk::homeserver_error::retry_seconds;
use comatrix_sdk::message;
use comatrix_sdk::payload::Format;
use comatrix_sdk::text::{concat, decimal};
use comatrix_sdk::transcode::{TranscodeError, json_to_cbor};

use crate::plan::Form;
use crate::tables::KEYS;
use crate::{media, status};

/// Why an answer cannot be given to a device.
pub enum Unusable {
    /// It is above [`answer_bytes`].
    TooLarge,
    /// It calls itself JSON and is none, or none that is accepted: the reason.
    NoJson(String),
}

impl Unusable {
    /// The error response that says which limit it is, or what is wrong.
    pub fn response(self, response: &HttpResponse, most: usize) -> ErrorResponse {
        let diagnostic = match self {
            Unusable::TooLarge => concat(&[
                "ask for less: the answer is above answer_bytes, ",
                &decimal(most),
                " bytes of CBOR or JSON",
            ]),
            Unusable::NoJson(reason) => concat(&[
                "the homeserver's ",
                &decimal(response.status),
                ": ",
                &reason,
            ]),
        };
        ErrorResponse::bad_gateway(diagnostic)
    }
}

/// The body of a response in the form that the device gets, with its Content-Format. A body that is no JSON by its type
/// stays as it is.
pub fn content(
    form: Form,
    response: &HttpResponse,
    most: usize,
) -> Result<(Option<u16>, Vec<u8>), Unusable> {
    let kind = content_type(response);
    let is_other =
        kind.is_some_and(|kind| media::content_format(kind) != Some(Format::Json.number()));
    let body = &response.body;
    let (format, content) = if body.is_empty() {
        return Ok((None, Vec::new()));
    } else if is_other {
        (kind.and_then(media::content_format), body.clone())
    } else if form.format == Format::Json {
        (Some(Format::Json.number()), body.clone())
    } else {
        let keys = form.has_integer_keys.then_some(&KEYS);
        let cbor = json_to_cbor(body, keys, most).map_err(|error| match error {
            TranscodeError::TooLarge => Unusable::TooLarge,
            TranscodeError::Json(error) => Unusable::NoJson(error.diagnostic()),
        })?;
        (Some(Format::Cbor.number()), cbor)
    };
    match content.len() <= most {
        true => Ok((format, content)),
        false => Err(Unusable::TooLarge),
    }
}

/// The Content-Type, if there is one.
pub fn content_type(response: &HttpResponse) -> Option<&[u8]> {
    let header = response
        .headers
        .iter()
        .find(|(name, _)| name == "content-type");
    header.map(|(_, value)| value.as_slice())
}

/// A homeserver's error. Its JSON is for the device; what a proxy before the homeserver sends in its place is not.
pub fn error(form: Form, response: &HttpResponse, most: usize) -> Result<Message, ErrorResponse> {
    let code = status::code(response.status);
    let max_age = status::has_max_age(response.status).then(|| retry_seconds(response));
    match content(form, response, most) {
        Ok((Some(format), payload)) if format == form.format.number() => {
            Ok(message::response(code, Some(format), max_age, payload))
        }
        _ => Err(ErrorResponse {
            max_age,
            ..ErrorResponse::new(code, without_json(response))
        }),
    }
}

fn without_json(response: &HttpResponse) -> String {
    let status = decimal(response.status);
    match response.status {
        300..=399 => concat(&[
            "the homeserver's ",
            &status,
            " is a redirect, which is not followed",
        ]),
        _ => concat(&["the homeserver's ", &status, " has no error in JSON"]),
    }
}
