//! Message codes: the "CoAP Codes" registry of RFC 7252 §12.1 and the RFCs that extended it.
//!
//! A code is one byte, 3 bits of class and 5 bits of detail, written `c.dd` (§3). They are numbers, not
//! an enum: the registry grows, and a server may use a code that this crate does not name.

use std::borrow::Cow;

use std::fmt;

/// 0.00, the code of a message with nothing but a header: ping, pure acknowledgement, reset.
pub const EMPTY: u8 = 0;
/// 0.01, RFC 7252 §5.8.1.
pub const GET: u8 = 1;
/// 0.02, RFC 7252 §5.8.2.
pub const POST: u8 = 2;
/// 0.03, RFC 7252 §5.8.3.
pub const PUT: u8 = 3;
/// 0.04, RFC 7252 §5.8.4.
pub const DELETE: u8 = 4;
/// 0.05, RFC 8132 §2: a safe method with a body.
pub const FETCH: u8 = 5;
/// 0.06, RFC 8132 §3.
pub const PATCH: u8 = 6;
/// 0.07, RFC 8132 §3.
pub const IPATCH: u8 = 7;

/// 2.01, RFC 7252 §5.9.1.1.
pub const CREATED: u8 = code(2, 1);
/// 2.02, RFC 7252 §5.9.1.2.
pub const DELETED: u8 = code(2, 2);
/// 2.03, RFC 7252 §5.9.1.3.
pub const VALID: u8 = code(2, 3);
/// 2.04, RFC 7252 §5.9.1.4.
pub const CHANGED: u8 = code(2, 4);
/// 2.05, RFC 7252 §5.9.1.5.
pub const CONTENT: u8 = code(2, 5);
/// 2.31, RFC 7959 §2.9.1: the server has this block, and the client sends the next.
pub const CONTINUE: u8 = code(2, 31);
/// 4.00, RFC 7252 §5.9.2.1.
pub const BAD_REQUEST: u8 = code(4, 0);
/// 4.01, RFC 7252 §5.9.2.2.
pub const UNAUTHORIZED: u8 = code(4, 1);
/// 4.02, RFC 7252 §5.9.2.3: a critical option was not understood.
pub const BAD_OPTION: u8 = code(4, 2);
/// 4.03, RFC 7252 §5.9.2.4.
pub const FORBIDDEN: u8 = code(4, 3);
/// 4.04, RFC 7252 §5.9.2.5.
pub const NOT_FOUND: u8 = code(4, 4);
/// 4.05, RFC 7252 §5.9.2.6.
pub const METHOD_NOT_ALLOWED: u8 = code(4, 5);
/// 4.06, RFC 7252 §5.9.2.7: Accept cannot be met.
pub const NOT_ACCEPTABLE: u8 = code(4, 6);
/// 4.08, RFC 7959 §2.9.2: blocks of the request body are missing.
pub const REQUEST_ENTITY_INCOMPLETE: u8 = code(4, 8);
/// 4.09, RFC 8132 §4.
pub const CONFLICT: u8 = code(4, 9);
/// 4.12, RFC 7252 §5.9.2.8.
pub const PRECONDITION_FAILED: u8 = code(4, 12);
/// 4.13, RFC 7252 §5.9.2.9: the request body is above the limit that Size1 names.
pub const REQUEST_ENTITY_TOO_LARGE: u8 = code(4, 13);
/// 4.15, RFC 7252 §5.9.2.10.
pub const UNSUPPORTED_CONTENT_FORMAT: u8 = code(4, 15);
/// 4.29, RFC 8516: the client may repeat the request after Max-Age seconds.
pub const TOO_MANY_REQUESTS: u8 = code(4, 29);
/// 5.00, RFC 7252 §5.9.3.1.
pub const INTERNAL_SERVER_ERROR: u8 = code(5, 0);
/// 5.01, RFC 7252 §5.9.3.2.
pub const NOT_IMPLEMENTED: u8 = code(5, 1);
/// 5.02, RFC 7252 §5.9.3.3.
pub const BAD_GATEWAY: u8 = code(5, 2);
/// 5.03, RFC 7252 §5.9.3.4: the client may repeat the request after Max-Age seconds.
pub const SERVICE_UNAVAILABLE: u8 = code(5, 3);
/// 5.04, RFC 7252 §5.9.3.5.
pub const GATEWAY_TIMEOUT: u8 = code(5, 4);
/// 5.05, RFC 7252 §5.9.3.6.
pub const PROXYING_NOT_SUPPORTED: u8 = code(5, 5);
/// 5.08, RFC 8768 §3.
pub const HOP_LIMIT_REACHED: u8 = code(5, 8);

/// The code `class.detail`. Only the low 3 bits of `class` and the low 5 of `detail` count.
pub const fn code(class: u8, detail: u8) -> u8 {
    (class << 5) | (detail & 0x1f)
}

/// The class of a code, 0 to 7.
pub const fn class(code: u8) -> u8 {
    code >> 5
}

/// Whether the code is a method (0.01 to 0.31).
pub const fn is_request(code: u8) -> bool {
    code != EMPTY && class(code) == 0
}

/// Whether the method is safe: it changes nothing, so it can be executed again (RFC 7252 §5.8.1, RFC 8132 §2).
pub const fn is_safe(code: u8) -> bool {
    matches!(code, GET | FETCH)
}

/// Whether the code is a response code (class 2, 4 or 5).
pub const fn is_response(code: u8) -> bool {
    matches!(class(code), 2 | 4 | 5)
}

/// A code as RFC 7252 §3 writes it, for logs and diagnostics: `Dotted(69)` prints `2.05`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Dotted(
    /// The code.
    pub u8,
);

impl fmt::Display for Dotted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{:02}", class(self.0), self.0 & 0x1f)
    }
}

impl fmt::Debug for Dotted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// The name of a response code in its registry (RFC 7252 §12.1.2).
pub fn name(code: u8) -> Option<&'static str> {
    Some(match code {
        CREATED => "Created",
        DELETED => "Deleted",
        VALID => "Valid",
        CHANGED => "Changed",
        CONTENT => "Content",
        CONTINUE => "Continue",
        BAD_REQUEST => "Bad Request",
        UNAUTHORIZED => "Unauthorized",
        BAD_OPTION => "Bad Option",
        FORBIDDEN => "Forbidden",
        NOT_FOUND => "Not Found",
        METHOD_NOT_ALLOWED => "Method Not Allowed",
        NOT_ACCEPTABLE => "Not Acceptable",
        REQUEST_ENTITY_INCOMPLETE => "Request Entity Incomplete",
        CONFLICT => "Conflict",
        PRECONDITION_FAILED => "Precondition Failed",
        REQUEST_ENTITY_TOO_LARGE => "Request Entity Too Large",
        UNSUPPORTED_CONTENT_FORMAT => "Unsupported Content-Format",
        TOO_MANY_REQUESTS => "Too Many Requests",
        INTERNAL_SERVER_ERROR => "Internal Server Error",
        NOT_IMPLEMENTED => "Not Implemented",
        BAD_GATEWAY => "Bad Gateway",
        SERVICE_UNAVAILABLE => "Service Unavailable",
        GATEWAY_TIMEOUT => "Gateway Timeout",
        PROXYING_NOT_SUPPORTED => "Proxying Not Supported",
        HOP_LIMIT_REACHED => "Hop Limit Reached",
        _ => return None,
    })
}

/// The name of a method, or the code in digits if it is not a method of this list.
#[must_use]
pub fn method_name(method: u8) -> Cow<'static, str> {
    match method {
        GET => "GET".into(),
        POST => "POST".into(),
        PUT => "PUT".into(),
        DELETE => "DELETE".into(),
        FETCH => "FETCH".into(),
        PATCH => "PATCH".into(),
        IPATCH => "iPATCH".into(),
        other => Dotted(other).to_string().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_written_as_class_and_two_digits() {
        let written: Vec<String> = [EMPTY, GET, CONTENT, CONTINUE, BAD_OPTION, GATEWAY_TIMEOUT]
            .map(|code| Dotted(code).to_string())
            .into();
        assert_eq!(written, ["0.00", "0.01", "2.05", "2.31", "4.02", "5.04"]);
    }

    #[test]
    fn every_code_is_a_request_a_response_empty_or_reserved() {
        for code in 0..=u8::MAX {
            let reserved = matches!(class(code), 1 | 3 | 6 | 7);
            let kinds = [code == EMPTY, is_request(code), is_response(code), reserved];
            assert_eq!(kinds.iter().filter(|kind| **kind).count(), 1, "{code}");
        }
    }
}
