//! Reads a homeserver's response within its bounds.

use reqwest::Response;

use super::failure::cause;
use super::response_bytes::{Receiving, SMALL};
use contract::{CallError, HttpResponse, Outcome};
use share::Refused;

/// Headers of a response that a rule gets.
const PASSED_ON: [&str; 4] = ["content-type", "etag", "retry-after", "last-modified"];
/// Bytes of an error response that can be `M_UNRECOGNIZED`.
const MAX_ERROR_BODY: usize = 4096;

/// The room for a response's body.
pub(super) struct Room<'a> {
    /// Bytes of the body.
    pub(super) max: usize,
    /// The account of the bytes; none if they are not counted.
    pub(super) receiving: Option<Receiving<'a>>,
}

/// Reads a response within its bounds.
pub(super) async fn read(mut response: Response, mut room: Room<'_>) -> Outcome {
    let failed = |reason: &str| CallError {
        reason: reason.into(),
        sent: true,
    };
    let max = room.max;
    if response
        .content_length()
        .is_some_and(|length| length > max as u64)
    {
        return Err(failed("too-large"));
    }
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > max => return Err(failed("too-large")),
            Ok(Some(chunk)) => {
                room.prepare(&mut body, chunk.len())
                    .map_err(|_| failed("busy"))?;
                body.extend_from_slice(&chunk);
            }
            Ok(None) => break,
            Err(error) => {
                tracing::warn!("a homeserver's response was cut off: {}", cause(&error));
                return Err(failed("cut-off"));
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

impl Room<'_> {
    /// Makes room for so many more bytes of a body. It counts what the body allocates, which doubles when it is full.
    fn prepare(&mut self, body: &mut Vec<u8>, more: usize) -> Result<(), Refused> {
        let needed = body.len() + more;
        if needed > body.capacity() {
            let mut capacity = needed.max(2 * body.capacity()).min(self.max);
            if needed <= SMALL {
                // A small one is not counted, whatever the sizes of its parts.
                capacity = capacity.min(SMALL);
            }
            if let Some(receiving) = &mut self.receiving
                && receiving.grow_to(capacity).is_err()
            {
                capacity = needed;
                receiving.grow_to(capacity)?;
            }
            body.reserve_exact(capacity - body.len());
        }
        Ok(())
    }
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
