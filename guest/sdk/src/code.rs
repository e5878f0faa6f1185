//! CoAP's codes that rules meet (RFC 7252 §12.1).

/// A code as on the wire: `class << 5 | detail` (RFC 7252 §3).
pub const fn code(class: u8, detail: u8) -> u8 {
    class << 5 | detail & 0x1f
}

/// 0.01 GET.
pub const GET: u8 = code(0, 1);
/// 0.02 POST.
pub const POST: u8 = code(0, 2);
/// 0.03 PUT.
pub const PUT: u8 = code(0, 3);
/// 0.04 DELETE.
pub const DELETE: u8 = code(0, 4);
/// 0.05 FETCH (RFC 8132).
pub const FETCH: u8 = code(0, 5);
/// 0.06 PATCH (RFC 8132).
pub const PATCH: u8 = code(0, 6);
/// 0.07 iPATCH (RFC 8132).
pub const IPATCH: u8 = code(0, 7);

/// 2.01 Created.
pub const CREATED: u8 = code(2, 1);
/// 2.02 Deleted.
pub const DELETED: u8 = code(2, 2);
/// 2.04 Changed.
pub const CHANGED: u8 = code(2, 4);
/// 2.05 Content.
pub const CONTENT: u8 = code(2, 5);

/// 4.00 Bad Request.
pub const BAD_REQUEST: u8 = code(4, 0);
/// 4.01 Unauthorized.
pub const UNAUTHORIZED: u8 = code(4, 1);
/// 4.02 Bad Option.
pub const BAD_OPTION: u8 = code(4, 2);
/// 4.03 Forbidden.
pub const FORBIDDEN: u8 = code(4, 3);
/// 4.04 Not Found.
pub const NOT_FOUND: u8 = code(4, 4);
/// 4.05 Method Not Allowed.
pub const METHOD_NOT_ALLOWED: u8 = code(4, 5);
/// 4.06 Not Acceptable.
pub const NOT_ACCEPTABLE: u8 = code(4, 6);
/// 4.12 Precondition Failed.
pub const PRECONDITION_FAILED: u8 = code(4, 12);
/// 4.13 Request Entity Too Large.
pub const REQUEST_ENTITY_TOO_LARGE: u8 = code(4, 13);
/// 4.15 Unsupported Content-Format.
pub const UNSUPPORTED_CONTENT_FORMAT: u8 = code(4, 15);
/// 4.29 Too Many Requests (RFC 8516).
pub const TOO_MANY_REQUESTS: u8 = code(4, 29);

/// 5.00 Internal Server Error.
pub const INTERNAL_SERVER_ERROR: u8 = code(5, 0);
/// 5.01 Not Implemented.
pub const NOT_IMPLEMENTED: u8 = code(5, 1);
/// 5.02 Bad Gateway.
pub const BAD_GATEWAY: u8 = code(5, 2);
/// 5.03 Service Unavailable.
pub const SERVICE_UNAVAILABLE: u8 = code(5, 3);
/// 5.04 Gateway Timeout.
pub const GATEWAY_TIMEOUT: u8 = code(5, 4);
/// 5.05 Proxying Not Supported.
pub const PROXYING_NOT_SUPPORTED: u8 = code(5, 5);

/// A code as people write it: `2.05`.
pub fn dotted(code: u8) -> String {
    format!("{}.{:02}", code >> 5, code & 0x1f)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_the_numbers_of_the_registry() {
        assert_eq!((PUT, CHANGED, CONTENT), (3, 68, 69));
        assert_eq!((TOO_MANY_REQUESTS, PROXYING_NOT_SUPPORTED), (157, 165));
        assert_eq!(dotted(TOO_MANY_REQUESTS), "4.29");
        assert_eq!(dotted(CONTENT), "2.05");
    }
}
