//! Reads a homeserver's response from one line: `200 {"event_id": "$x"}`, `429 retry-after=5 {…}`, `error:unreachable`.

use super::error::ToolError;
use contract::escaping::escaped;
use contract::{CallError, HttpResponse};

/// Reads the text of one `--upstream-response`.
pub(super) fn outcome(text: &str) -> Result<Result<HttpResponse, CallError>, ToolError> {
    let invalid = || ToolError::Response(escaped(text, 100));
    if let Some(error) = text.strip_prefix("error:") {
        let (reason, sent) = match error.split_once(' ') {
            Some((reason, "sent")) => (reason, true),
            Some(_) => return Err(invalid()),
            None => (error, false),
        };
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
        if reason.is_empty() || !reason.bytes().all(fits) {
            return Err(invalid());
        }
        let reason = reason.to_owned();
        return Ok(Err(CallError { reason, sent }));
    }
    let (status, mut rest) = text.split_once(' ').unwrap_or((text, ""));
    let status = status
        .parse()
        .ok()
        .filter(|status| (100..1000).contains(status))
        .ok_or_else(invalid)?;
    let mut headers = Vec::new();
    while let Some((header, body)) = header(rest) {
        headers.push(header);
        rest = body;
    }
    let has_type = headers.iter().any(|(name, _)| name == "content-type");
    if !has_type && rest.starts_with(['{', '[']) {
        headers.push(("content-type".into(), b"application/json".to_vec()));
    }
    Ok(Ok(HttpResponse {
        status,
        headers,
        body: rest.into(),
    }))
}

/// A header at the start, and the text after it.
fn header(text: &str) -> Option<((String, Vec<u8>), &str)> {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let (name, value) = word.split_once('=')?;
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
    let is_name = !name.is_empty() && name.bytes().all(fits);
    is_name.then(|| ((name.to_owned(), value.into()), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_has_a_status_headers_and_a_body() {
        let response = outcome("429 retry-after=5 {\"errcode\": \"a=b c\"}")
            .unwrap()
            .unwrap();
        assert_eq!(response.status, 429);
        let header = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
        let headers = [
            header("retry-after", "5"),
            header("content-type", "application/json"),
        ];
        assert_eq!(response.headers, headers);
        assert_eq!(response.body, b"{\"errcode\": \"a=b c\"}");
        let plain = outcome("502").unwrap().unwrap();
        assert_eq!(
            (plain.status, plain.headers.len(), plain.body.len()),
            (502, 0, 0)
        );
    }

    #[test]
    fn an_error_has_a_reason_and_may_have_been_sent() {
        let error = |text| {
            let error = outcome(text).unwrap().unwrap_err();
            (error.reason, error.sent)
        };
        assert_eq!(error("error:unreachable"), ("unreachable".into(), false));
        assert_eq!(error("error:timed-out sent"), ("timed-out".into(), true));
    }

    #[test]
    fn text_that_is_not_a_response_is_refused_with_the_remedy() {
        for text in [
            "",
            "OK",
            "99",
            "1000 {}",
            "{}",
            "error:",
            "error:x y",
            "error:NO",
        ] {
            let error = outcome(text).unwrap_err().to_string();
            assert!(error.contains("error:unreachable"), "{text}: {error}");
        }
    }
}
