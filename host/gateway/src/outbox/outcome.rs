//! What the outcome of an attempt means for its delivery.

use std::time::Duration;

use contract::{HttpResponse, Outcome};
use outbox::Retry;

/// Without Retry-After: a homeserver's usual limit is a few messages per second.
const DEFAULT_LIMITED: Duration = Duration::from_secs(5);

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The homeserver has the message.
    Sent,
    /// It will never take it.
    Refused,
    /// Another attempt.
    Retry(Retry),
}

/// The verdict on an attempt.
pub(super) fn judge(outcome: &Outcome) -> Verdict {
    let response = match outcome {
        Ok(response) => response,
        Err(error) => {
            return Verdict::Retry(match error.reason.as_str() {
                "busy" if !error.sent => Retry::Busy,
                "unreachable" | "tls" => Retry::Unreachable,
                "timed-out" => Retry::TimedOut,
                // Of this device alone: others may use the homeserver, or its token. A reload may change that.
                "denied" | "no-credential" => Retry::Busy,
                _ => Retry::Server,
            });
        }
    };
    match response.status {
        200..=299 if is_object(response) => Verdict::Sent,
        401 if is_object(response) => Verdict::Retry(Retry::Token),
        429 => Verdict::Retry(Retry::Limited(retry_after(response))),
        // 408: RFC 9110 §15.5.9. 421: §15.5.20, of a proxy before the homeserver. 425: RFC 8470 §5.2.
        408 | 421 | 425 => Verdict::Retry(Retry::Server),
        400..=499 if is_object(response) => Verdict::Refused,
        // Also what is no response of a homeserver, for example of a proxy, or the login page of a network.
        _ => Verdict::Retry(Retry::Server),
    }
}

/// Whether a delivery that was attempted at once is stored after this outcome; else the device gets it.
pub(super) fn is_deferred(verdict: &Verdict) -> bool {
    matches!(
        verdict,
        Verdict::Retry(Retry::Unreachable | Retry::TimedOut | Retry::Server)
    )
}

/// Whether the body can be a homeserver's success: a JSON object.
fn is_object(response: &HttpResponse) -> bool {
    serde_json::from_slice::<Object>(&response.body).is_ok()
}

/// Any JSON object; its content is skipped.
#[derive(serde::Deserialize)]
struct Object {}

/// Retry-After in seconds (RFC 9110 §10.2.3), or `retry_after_ms` of the Matrix error.
fn retry_after(response: &HttpResponse) -> Duration {
    #[derive(serde::Deserialize)]
    struct LimitExceeded {
        retry_after_ms: u64,
    }
    let header = response
        .headers
        .iter()
        .find(|(name, _)| name == "retry-after");
    let seconds = header
        .and_then(|(_, value)| std::str::from_utf8(value).ok())
        .and_then(|text| text.trim().parse().ok());
    let of_body = || {
        serde_json::from_slice::<LimitExceeded>(&response.body)
            .ok()
            .map(|limit| Duration::from_millis(limit.retry_after_ms))
    };
    seconds
        .map(Duration::from_secs)
        .or_else(of_body)
        .unwrap_or(DEFAULT_LIMITED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::CallError;

    fn response(status: u16, body: &str) -> Outcome {
        Ok(HttpResponse {
            status,
            headers: vec![],
            body: body.into(),
        })
    }

    #[test]
    fn a_response_is_final_or_leads_to_another_attempt() {
        for (status, body, verdict) in [
            (200, r#"{"event_id":"$x"}"#, Verdict::Sent),
            (200, "<html>", Verdict::Retry(Retry::Server)),
            (302, "", Verdict::Retry(Retry::Server)),
            (400, "{}", Verdict::Refused),
            (401, "{}", Verdict::Retry(Retry::Token)),
            (403, "{}", Verdict::Refused),
            (404, "<html>", Verdict::Retry(Retry::Server)),
            (404, "{}", Verdict::Refused),
            (408, "", Verdict::Retry(Retry::Server)),
            (413, "{}", Verdict::Refused),
            (401, "", Verdict::Retry(Retry::Server)),
            (429, "", Verdict::Retry(Retry::Limited(DEFAULT_LIMITED))),
            (502, "", Verdict::Retry(Retry::Server)),
        ] {
            assert_eq!(judge(&response(status, body)), verdict, "{status}");
        }
    }

    #[test]
    fn a_limited_homeserver_says_how_long_to_wait() {
        let body = r#"{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":2500}"#;
        let limited = |outcome: &Outcome| match judge(outcome) {
            Verdict::Retry(Retry::Limited(pause)) => pause,
            other => panic!("{other:?}"),
        };
        assert_eq!(limited(&response(429, body)), Duration::from_millis(2500));
        let with_header = HttpResponse {
            status: 429,
            headers: vec![("retry-after".to_owned(), b"30".to_vec())],
            body: body.into(),
        };
        assert_eq!(limited(&Ok(with_header)), Duration::from_secs(30));
    }

    #[test]
    fn only_what_the_homeserver_may_take_later_is_stored() {
        let error = |reason: &str, sent| {
            let reason = reason.to_owned();
            judge(&Err(CallError { reason, sent }))
        };
        for (verdict, stored) in [
            (error("unreachable", false), true),
            (error("tls", false), true),
            (error("timed-out", true), true),
            (error("cut-off", true), true),
            (error("busy", false), false),
            (error("denied", false), false),
            (error("no-credential", false), false),
            (judge(&response(503, "")), true),
            (judge(&response(429, "")), false),
            (judge(&response(401, "{}")), false),
            (judge(&response(403, "{}")), false),
        ] {
            assert_eq!(is_deferred(&verdict), stored, "{verdict:?}");
        }
    }
}
