//! HTTP responses of the status page, with the headers that restrict a browser.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use hyper::{Response, StatusCode};

/// A response with its whole body, since every body here is small.
pub(super) type PageResponse = Response<Full<Bytes>>;

/// For all responses except the page: a browser must neither run nor embed any of it.
const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'";

/// A response with this Content-Type.
pub(super) fn response(
    status: StatusCode,
    content_type: &'static str,
    body: String,
) -> PageResponse {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    // Other pages must not load it as an image or a script either.
    let resource_policy = HeaderName::from_static("cross-origin-resource-policy");
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, NOTHING),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (resource_policy, "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Lines of text.
pub(super) fn text(status: StatusCode, body: impl Into<String>) -> PageResponse {
    let mut body = body.into();
    body.push('\n');
    response(status, "text/plain; charset=utf-8", body)
}

/// The page, or a part of it. The browser loads nothing from other hosts and runs only elements that have `nonce`: text
/// of a device would not run even if it were not escaped.
pub(super) fn html(status: StatusCode, nonce: &str, body: String) -> PageResponse {
    let mut response = response(status, "text/html; charset=utf-8", body);
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; img-src data:; connect-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response
            .headers_mut()
            .insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}
