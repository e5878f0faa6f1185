//! Any bytes as a Proxy-Uri: refused, or an origin that is http or https without user info, and segments that every
//! server takes literally.
#![no_main]

use comatrix_fuzz::path_segment::is_plain;
use comatrix_fuzz::request::proxy_uri;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(parsed) = proxy_uri::parse(bytes) else {
        return;
    };
    assert!(matches!(parsed.origin.scheme(), "http" | "https"));
    assert!(parsed.origin.username().is_empty() && parsed.origin.password().is_none());
    assert!(
        parsed
            .origin
            .host_str()
            .is_some_and(|host| !host.is_empty())
    );
    for segment in &parsed.target.path {
        assert!(is_plain(segment), "{segment:?}");
    }
    // What is refused is not what is slow: a datagram has room for this many.
    assert!(parsed.target.path.len() + parsed.target.query.len() <= bytes.len());
});
