//! The one place where a homeserver's error, an unusable response, or a missing one becomes an error response to the
//! device.

use crate::bindings::{CallError, Context, HttpResponse};
use crate::error_response::{Content, ErrorResponse};
use crate::payload::Format;
use crate::retry_after::{retry_after, retry_after_json};
use crate::text::{concat, decimal};
use crate::{Value, code, json};

/// Bytes of an error body that is passed on. Matrix errors have about a hundred; a device may have 16 KiB of memory.
pub const MAX_ERROR: usize = 16 * 1024;

/// Seconds for a device to wait if the homeserver does not say how many: half of CoAP's default Max-Age (RFC 7252
/// §5.10.5).
pub const RETRY_SECONDS: u32 = 30;

/// What a device may do if the homeserver may have acted on a call, and the response is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repetition {
    /// It only reads: the device may repeat its request.
    Harmless,
    /// It has a transaction id: with the same one, the homeserver acts once.
    ByTransaction,
    /// Anything else.
    Unsafe,
}

/// The HTTP response, if it is a 2xx. `repetition` is asked if there is none. `format` is the one that the device
/// accepts.
pub fn success(
    context: &Context,
    format: Format,
    repetition: impl FnOnce() -> Repetition,
    outcome: Result<HttpResponse, CallError>,
) -> Result<HttpResponse, ErrorResponse> {
    let is_requested = context.requested.is_some();
    match outcome {
        Ok(response) => check_status(format, repetition, &response).map(|()| response),
        Err(error) => Err(no_response(&error, is_requested, repetition())),
    }
}

/// Fails if the status is not a 2xx. `repetition` is asked if it is a 5xx: a proxy of the homeserver may have sent it
/// after the homeserver has acted.
pub fn check_status(
    format: Format,
    repetition: impl FnOnce() -> Repetition,
    response: &HttpResponse,
) -> Result<(), ErrorResponse> {
    let status = || {
        let number = decimal(response.status);
        match acted(repetition()) {
            None => concat(&["try again: the homeserver sent ", &number]),
            Some(acted) => concat(&[acted, " (HTTP ", &number, ")"]),
        }
    };
    match response.status {
        200..=299 => Ok(()),
        300..=399 => Err(ErrorResponse::bad_gateway(concat(&[
            "the homeserver's ",
            &decimal(response.status),
            " is a redirect, which is not followed",
        ]))),
        400..=499 => Err(client_error(format, response)),
        503 => {
            let seconds = retry_after(response).unwrap_or(RETRY_SECONDS);
            Err(ErrorResponse::new(code::SERVICE_UNAVAILABLE, status()).retry_after(seconds))
        }
        _ => Err(ErrorResponse::bad_gateway(status())),
    }
}

/// A 4xx is about the device's request, so the device gets it.
fn client_error(format: Format, response: &HttpResponse) -> ErrorResponse {
    let Some(error) = error_object(response) else {
        return ErrorResponse::bad_gateway(concat(&[
            "the homeserver's ",
            &decimal(response.status),
            " has no JSON object of at most ",
            &decimal(MAX_ERROR as u64),
            " bytes",
        ]));
    };
    let code = match response.status {
        401 => code::UNAUTHORIZED,
        403 => code::FORBIDDEN,
        404 => code::NOT_FOUND,
        405 => code::METHOD_NOT_ALLOWED,
        413 => code::REQUEST_ENTITY_TOO_LARGE,
        429 => code::TOO_MANY_REQUESTS,
        _ => code::BAD_REQUEST,
    };
    let max_age = (response.status == 429).then(|| {
        let seconds = retry_after(response).or_else(|| retry_after_json(&error));
        seconds.unwrap_or(RETRY_SECONDS)
    });
    let format = format.of_maps();
    ErrorResponse {
        code,
        max_age,
        content: Content::Error(format, format.encode(&error)),
    }
}

/// Seconds for which a homeserver that has sent 429 or 503 wants to be left alone: of its Retry-After, else of
/// `retry_after_ms` in its error, else [`RETRY_SECONDS`].
pub fn retry_seconds(response: &HttpResponse) -> u32 {
    let of_error = || retry_after_json(&error_object(response)?);
    let seconds = retry_after(response).or_else(of_error);
    seconds.unwrap_or(RETRY_SECONDS)
}

/// The body, if it is a JSON object that is small enough for a device.
pub fn error_object(response: &HttpResponse) -> Option<Value> {
    if response.body.len() > MAX_ERROR {
        return None;
    }
    json::decode(&response.body)
        .ok()
        .filter(|value| matches!(value, Value::Map(_)))
}

/// What a device hears if the homeserver may have acted; none if a repetition does no harm.
fn acted(repetition: Repetition) -> Option<&'static str> {
    match repetition {
        Repetition::Harmless => None,
        Repetition::ByTransaction => Some("may have been sent: repeat it with the same <txn>"),
        Repetition::Unsafe => Some("may have been done: check before you repeat it"),
    }
}

/// The error response for a call without an HTTP response; `requested`: to the homeserver of a Proxy-Uri.
pub fn no_response(error: &CallError, requested: bool, repetition: Repetition) -> ErrorResponse {
    let acted = acted(repetition).filter(|_| error.sent);
    let (code, diagnostic) = match error.reason.as_str() {
        "no-credential" => (
            code::UNAUTHORIZED,
            "no access token: send one in option 256",
        ),
        "denied" if requested => (
            code::PROXYING_NOT_SUPPORTED,
            "the gateway may not call the homeserver in Proxy-Uri",
        ),
        "denied" => (
            code::INTERNAL_SERVER_ERROR,
            "the gateway does not grant this call; its log says why",
        ),
        "busy" => (
            code::SERVICE_UNAVAILABLE,
            acted.unwrap_or("try again: too many calls wait for the homeserver"),
        ),
        "unreachable" => (
            code::SERVICE_UNAVAILABLE,
            "try again: the homeserver cannot be reached",
        ),
        "timed-out" => (
            code::GATEWAY_TIMEOUT,
            acted.unwrap_or("try again: the homeserver did not respond in time"),
        ),
        "tls" => (
            code::BAD_GATEWAY,
            "no secure session: the homeserver's certificate is not accepted",
        ),
        "too-large" => (
            code::BAD_GATEWAY,
            acted.unwrap_or("the homeserver's response is too large"),
        ),
        _ => (
            code::BAD_GATEWAY,
            acted.unwrap_or("try again: the homeserver's response broke off"),
        ),
    };
    ErrorResponse {
        max_age: (code == code::SERVICE_UNAVAILABLE).then_some(RETRY_SECONDS),
        ..ErrorResponse::new(code, diagnostic)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, retry_after: Option<&str>, body: &str) -> HttpResponse {
        let headers =
            retry_after.map(|value| ("retry-after".to_owned(), value.as_bytes().to_vec()));
        HttpResponse {
            status,
            headers: headers.into_iter().collect(),
            body: body.as_bytes().to_vec(),
        }
    }

    #[test]
    fn retry_after_prefers_the_header_and_rounds_milliseconds_up() {
        for (header, body, seconds) in [
            (Some("7"), r#"{"retry_after_ms":1}"#, 7),
            (None, r#"{"retry_after_ms":1001}"#, 2),
            (None, r#"{"retry_after_ms":18446744073709551615}"#, u32::MAX),
            (
                Some("Fri, 31 Dec 1999 23:59:59 GMT"),
                r#"{"retry_after_ms":2000}"#,
                2,
            ),
            (None, r#"{"retry_after_ms":-5}"#, RETRY_SECONDS),
            (None, "{}", RETRY_SECONDS),
        ] {
            let error_response = client_error(Format::Cbor, &response(429, header, body));
            assert_eq!(
                (error_response.code, error_response.max_age),
                (code::TOO_MANY_REQUESTS, Some(seconds)),
                "{header:?} {body}"
            );
        }
    }

    #[test]
    fn a_4xx_that_does_not_fit_a_device_is_5_02() {
        let long = format!("{{\"error\":\"{}\"}}", "x".repeat(MAX_ERROR));
        let deep = format!("{{\"error\":{}{}}}", "[".repeat(32), "]".repeat(32));
        for body in [
            "",
            "[]",
            "<html>",
            "\"no\"",
            "{\"a\":1,\"a\":2}",
            &long,
            &deep,
        ] {
            assert_eq!(
                client_error(Format::Cbor, &response(403, None, body)).code,
                code::BAD_GATEWAY
            );
        }
    }

    #[test]
    fn an_unknown_reason_is_treated_like_cut_off() {
        let error = |reason: &str| CallError {
            reason: reason.to_owned(),
            sent: true,
        };
        for repetition in [Repetition::Harmless, Repetition::ByTransaction] {
            assert_eq!(
                no_response(&error("eclipse"), false, repetition),
                no_response(&error("cut-off"), false, repetition)
            );
        }
    }

    #[test]
    fn what_may_have_been_done_is_said_with_how_to_repeat_it() {
        let diagnostic = |reason: &str, sent, repetition| {
            let reason = reason.to_owned();
            let error = no_response(&CallError { reason, sent }, false, repetition);
            error.into_failure().diagnostic
        };
        for reason in ["timed-out", "cut-off", "too-large", "busy"] {
            let sent = diagnostic(reason, true, Repetition::ByTransaction);
            assert_eq!(sent, "may have been sent: repeat it with the same <txn>");
            let acted = diagnostic(reason, true, Repetition::Unsafe);
            assert!(acted.contains("may have been done"), "{acted}");
            let unsent = diagnostic(reason, false, Repetition::ByTransaction);
            assert!(!unsent.contains("may have"), "{unsent}");
            let read = diagnostic(reason, true, Repetition::Harmless);
            assert!(!read.contains("may have"), "{read}");
        }
    }

    #[test]
    fn a_5xx_may_come_after_the_homeserver_has_acted() {
        for status in [500, 502, 503, 504] {
            let failure = |repetition| {
                let checked =
                    check_status(Format::Cbor, || repetition, &response(status, None, ""));
                checked.map_err(|error| error.into_failure().diagnostic)
            };
            let read = failure(Repetition::Harmless);
            assert_eq!(
                read,
                Err(format!("try again: the homeserver sent {status}"))
            );
            let sent = failure(Repetition::ByTransaction);
            let expected =
                format!("may have been sent: repeat it with the same <txn> (HTTP {status})");
            assert_eq!(sent, Err(expected));
            let done = failure(Repetition::Unsafe);
            assert!(done.is_err_and(|text| text.starts_with("may have been done: check")));
        }
    }
}
