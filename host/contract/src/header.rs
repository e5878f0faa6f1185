//! HTTP headers that a rule may add to a call (`types.http-request`).

/// Headers of HTTP that rules may set.
const ALLOWED: [&str; 5] = [
    "content-type",
    "accept",
    "if-match",
    "if-none-match",
    "if-modified-since",
];
/// After `x-`: some proxies take another method, path or client from these, so that not the call that the policy has
/// allowed would be made.
const REWRITING: [&str; 6] = [
    "forwarded",
    "http-method",
    "method-override",
    "original",
    "rewrite",
    "real-ip",
];
/// Bytes of a name: HTTP libraries refuse names of 64 KiB.
const MAX_NAME: usize = 256;

/// Whether a rule may set a header of this name.
#[must_use]
pub fn may_send(name: &str) -> bool {
    let is_token = name
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let is_harmless = |rest: &str| !REWRITING.iter().any(|start| rest.starts_with(start));
    is_token
        && name.len() <= MAX_NAME
        && (ALLOWED.contains(&name) || name.strip_prefix("x-").is_some_and(is_harmless))
}

/// Whether this can be a header's value: printable ASCII, spaces and tabs (RFC 9110 §5.5).
#[must_use]
pub fn is_value(value: &str) -> bool {
    value
        .bytes()
        .all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte))
}
