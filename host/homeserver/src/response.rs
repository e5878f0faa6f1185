//! Reads a homeserver's response within its bounds.

use reqwest::Response;

use super::failure::cause;
use contract::{CallError, HttpResponse, Outcome};

/// Headers of a response that a rule gets.
const PASSED_ON: [&str; 4] = ["content-type", "etag", "retry-after", "last-modified"];
/// Bytes of an error response that can be `M_UNRECOGNIZED`.
const MAX_ERROR_BODY: usize = 4096;

/// Reads a response of at most `max` bytes.
pub(super) async fn read(mut response: Response, max: usize) -> Outcome {
    let too_large = || CallError {
        reason: "too-large".into(),
        sent: true,
    };
    if response
        .content_length()
        .is_some_and(|length| length > max as u64)
    {
        return Err(too_large());
    }
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > max => return Err(too_large()),
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(error) => {
                tracing::warn!("a homeserver's response was cut off: {}", cause(&error));
                return Err(CallError {
                    reason: "cut-off".into(),
                    sent: true,
                });
            }
        }
    }
    let headers = response
        .headers()
        .iter()
        .filter(|(name, _)| PASSED_ON.contains(&name.as_str()))
        .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
        .collect();
    Ok(HttpResponse {
        status: response.status().as_u16(),
        headers,
        body,
    })
}

/// Whether the homeserver "did not understand the request" (Matrix: M_UNRECOGNIZED): 404 or 405, 400 before 1.3.
pub(super) fn is_unrecognized(response: &HttpResponse) -> bool {
    #[derive(serde::Deserialize)]
    struct MatrixError {
        errcode: String,
    }
    matches!(response.status, 400 | 404 | 405)
        && response.body.len() <= MAX_ERROR_BODY
        && serde_json::from_slice::<MatrixError>(&response.body)
            .is_ok_and(|error| error.errcode == "M_UNRECOGNIZED")
}
