//! Headers that a rule may add to a call (`types.http-request`).

/// Whether a rule may add a header of this name.
pub(super) fn may_send(name: &str) -> bool {
    let plain = name
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let known = [
        "content-type",
        "accept",
        "if-match",
        "if-none-match",
        "if-modified-since",
    ];
    // Some proxies take another method, path or client from these: what the policy has allowed would not be what is done.
    let rewrites = |rest: &str| {
        [
            "forwarded",
            "http-method",
            "method-override",
            "original",
            "rewrite",
            "real-ip",
        ]
        .iter()
        .any(|start| rest.starts_with(start))
    };
    plain && (known.contains(&name) || name.strip_prefix("x-").is_some_and(|rest| !rewrites(rest)))
}
