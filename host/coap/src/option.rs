//! Option numbers: the "CoAP Option Numbers" registry of RFC 7252 §12.2 and the RFCs that extended it.

/// Opaque, repeatable, RFC 7252 §5.10.8.1.
pub const IF_MATCH: u16 = 1;
/// Text, RFC 7252 §5.10.1.
pub const URI_HOST: u16 = 3;
/// Opaque, repeatable in requests, RFC 7252 §5.10.6.
pub const ETAG: u16 = 4;
/// Empty, RFC 7252 §5.10.8.2.
pub const IF_NONE_MATCH: u16 = 5;
/// Uint, RFC 7641 §2.
pub const OBSERVE: u16 = 6;
/// Uint, RFC 7252 §5.10.1.
pub const URI_PORT: u16 = 7;
/// Text, repeatable, responses only, RFC 7252 §5.10.7.
pub const LOCATION_PATH: u16 = 8;
/// The compressed COSE header of a protected message, RFC 8613 §2. Endpoints without protection do not understand it.
pub const OSCORE: u16 = 9;
/// Text, repeatable, one per segment, RFC 7252 §5.10.1.
pub const URI_PATH: u16 = 11;
/// Uint, see [`content_format`], RFC 7252 §5.10.3.
pub const CONTENT_FORMAT: u16 = 12;
/// Uint, seconds, RFC 7252 §5.10.5.
pub const MAX_AGE: u16 = 14;
/// Text, repeatable, one per argument, RFC 7252 §5.10.1.
pub const URI_QUERY: u16 = 15;
/// Uint, RFC 8768 §3.
pub const HOP_LIMIT: u16 = 16;
/// Uint, see [`content_format`], RFC 7252 §5.10.4.
pub const ACCEPT: u16 = 17;
/// Text, repeatable, responses only, RFC 7252 §5.10.7.
pub const LOCATION_QUERY: u16 = 20;
/// Uint holding number, more flag and size of a response block, RFC 7959 §2.1.
pub const BLOCK2: u16 = 23;
/// Uint holding number, more flag and size of a request block, RFC 7959 §2.1.
pub const BLOCK1: u16 = 27;
/// Empty: the payload has message_3 of EDHOC before the ciphertext, RFC 9668 §3.1. Endpoints without EDHOC do not
/// understand it.
pub const EDHOC: u16 = 21;
/// Uint, bytes of the response body, RFC 7959 §4.
pub const SIZE2: u16 = 28;
/// Text, RFC 7252 §5.10.2.
pub const PROXY_URI: u16 = 35;
/// Text, RFC 7252 §5.10.2.
pub const PROXY_SCHEME: u16 = 39;
/// Uint, bytes of the request body, RFC 7959 §4.
pub const SIZE1: u16 = 60;
/// Opaque, RFC 9175 §2.2.
pub const ECHO: u16 = 252;
/// Text: an access token, with or without `Bearer `. Elective and not registered: devices in the field use this number.
/// A secret, so it must not be logged.
pub const ACCESS_TOKEN: u16 = 256;
/// Uint, RFC 7967 §2.
pub const NO_RESPONSE: u16 = 258;
/// Opaque, repeatable, RFC 9175 §3.2.
pub const REQUEST_TAG: u16 = 292;

/// Whether a receiver that does not understand the option must refuse the message (RFC 7252 §5.4.6).
pub const fn is_critical(number: u16) -> bool {
    number & 1 == 1
}

/// Whether the option is outside the cache key (RFC 7252 §5.4.6).
pub const fn is_no_cache_key(number: u16) -> bool {
    number & 0x1e == 0x1c
}

/// Content-Formats of the registry of RFC 7252 §12.3: those that this crate or its users need.
pub mod content_format {
    /// `text/plain; charset=utf-8`.
    pub const TEXT: u16 = 0;
    /// `application/link-format`, RFC 6690.
    pub const LINK_FORMAT: u16 = 40;
    /// `application/json`.
    pub const JSON: u16 = 50;
    /// `application/cbor`, RFC 8949.
    pub const CBOR: u16 = 60;
    /// `application/edhoc+cbor-seq`, RFC 9528 §10.9.
    pub const EDHOC: u16 = 64;
    /// `application/cid-edhoc+cbor-seq`, RFC 9528 §10.9.
    pub const CID_EDHOC: u16 = 65;
    /// `application/concise-problem-details+cbor`, RFC 9290.
    pub const PROBLEM_DETAILS: u16 = 257;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn criticality_and_cache_key_follow_the_number() {
        for critical in [IF_MATCH, URI_HOST, URI_PATH, BLOCK1, BLOCK2, PROXY_URI] {
            assert!(is_critical(critical), "{critical}");
        }
        for elective in [ETAG, OBSERVE, SIZE1, ACCESS_TOKEN, NO_RESPONSE, REQUEST_TAG] {
            assert!(!is_critical(elective), "{elective}");
        }
        assert!(is_no_cache_key(SIZE1) && is_no_cache_key(SIZE2) && is_no_cache_key(ECHO));
        assert!(!is_no_cache_key(URI_PATH) && !is_no_cache_key(ACCESS_TOKEN));
    }
}
