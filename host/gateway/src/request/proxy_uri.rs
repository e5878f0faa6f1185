//! Parses Proxy-Uri (RFC 7252 §5.10.2): a homeserver's origin, and the target there.

use url::Url;

use super::error::GatewayError;
use contract::Target;
use contract::path_segment::is_plain;

/// Query pairs of a target. Matrix requests of a device have a handful.
const MAX_QUERY_PAIRS: usize = 32;

/// A parsed Proxy-Uri. Its origin is not yet compared with the configuration.
#[derive(Debug)]
pub struct ProxyUri {
    /// Scheme, host and port; http or https, without user info.
    pub origin: Url,
    /// Path and query, decoded.
    pub target: Target,
}

/// Parses the option's value.
///
/// # Errors
/// 4.00 if it is not a URI, or its path cannot be taken literally; 5.05 for another scheme or user info.
pub fn parse(value: &[u8]) -> Result<ProxyUri, GatewayError> {
    let text = std::str::from_utf8(value).map_err(|_| GatewayError::ProxyUri("it is not UTF-8"))?;
    if text
        .bytes()
        .any(|byte| byte.is_ascii_control() || byte == b'\\' || byte == b' ')
    {
        // The parser would drop or change these without an error.
        return Err(GatewayError::ProxyUri(
            "it has spaces, backslashes or control characters",
        ));
    }
    let url = Url::parse(text).map_err(|_| GatewayError::ProxyUri("it is not an absolute URI"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(GatewayError::ProxyingNotSupported(
            "a Proxy-Uri must be http or https",
        ));
    }
    let Some(after_scheme) = text
        .get(url.scheme().len()..)
        .and_then(|rest| rest.strip_prefix("://"))
    else {
        // The parser would add the slashes, and so read another path than the text has.
        return Err(GatewayError::ProxyUri("no :// after its scheme"));
    };
    let authority = after_scheme
        .split(['/', '?', '#'])
        .next()
        .unwrap_or_default();
    if authority.is_empty() {
        // The parser would skip the slashes, and take the path for the host.
        return Err(GatewayError::ProxyUri("no host after its ://"));
    }
    if authority.contains('@') {
        return Err(GatewayError::ProxyingNotSupported(
            "a Proxy-Uri must not hold user info",
        ));
    }
    if url.fragment().is_some() {
        // A room alias begins with `#`; unescaped it would end the path.
        return Err(GatewayError::ProxyUri("it has a fragment; write # as %23"));
    }
    let target = Target {
        path: segments(after_scheme)?,
        query: query(&url)?,
    };
    let mut origin = url;
    origin.set_path("");
    origin.set_query(None);
    Ok(ProxyUri { origin, target })
}

/// The path's segments, from the text itself: the parser would resolve `.` and `..`, also if escaped.
fn segments(after_scheme: &str) -> Result<Vec<String>, GatewayError> {
    let path = after_scheme
        .find(['/', '?'])
        .map_or("", |start| &after_scheme[start..]);
    let path = path.split('?').next().unwrap_or_default();
    let Some(path) = path.strip_prefix('/').filter(|path| !path.is_empty()) else {
        return Ok(Vec::new());
    };
    path.split('/')
        .map(|segment| {
            let segment = decoded(segment, "a path segment is not UTF-8")?;
            if is_plain(&segment) {
                Ok(segment)
            } else {
                Err(GatewayError::Segment)
            }
        })
        .collect()
}

fn query(url: &Url) -> Result<Vec<(String, String)>, GatewayError> {
    let Some(query) = url.query().filter(|query| !query.is_empty()) else {
        return Ok(Vec::new());
    };
    let pairs: Vec<_> = query
        .split('&')
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decoded(name, "its query is not UTF-8")?;
            Ok((name, decoded(value, "its query is not UTF-8")?))
        })
        .collect::<Result<_, GatewayError>>()?;
    if pairs.len() > MAX_QUERY_PAIRS {
        return Err(GatewayError::ProxyUri("its query has more than 32 pairs"));
    }
    Ok(pairs)
}

/// Decodes an escaped text. A `%` must have two hexadecimal digits (RFC 3986 §2.1); the decoder would leave others as
/// they are.
fn decoded(text: &str, fault: &'static str) -> Result<String, GatewayError> {
    let is_escape = |rest: &str| {
        let digits = rest.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !text.split('%').skip(1).all(is_escape) {
        return Err(GatewayError::ProxyUri(
            "a % escape in it is invalid; write % as %25",
        ));
    }
    percent_encoding::percent_decode_str(text)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| GatewayError::ProxyUri(fault))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path(uri: &str) -> Result<Vec<String>, u8> {
        parse(uri.as_bytes())
            .map(|parsed| parsed.target.path)
            .map_err(|error| error.code())
    }

    #[test]
    fn a_target_is_decoded_segment_by_segment() {
        let parsed =
            parse(b"http://localhost:8008/9/!r%3Aexample.org/m.room.message/a%2Fb?dir=b&x=%20y&z")
                .unwrap();
        assert_eq!(parsed.origin.as_str(), "http://localhost:8008/");
        assert_eq!(
            parsed.target.path,
            ["9", "!r:example.org", "m.room.message", "a/b"]
        );
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            parsed.target.query,
            [pair("dir", "b"), pair("x", " y"), pair("z", "")]
        );
    }

    #[test]
    fn a_uri_without_a_path_has_no_segments() {
        assert_eq!(path("http://h"), Ok(vec![]));
        assert_eq!(path("http://h/"), Ok(vec![]));
        assert_eq!(path("http://h?x=/a"), Ok(vec![]));
    }

    #[test]
    fn segments_that_a_server_could_resolve_are_an_error_and_are_not_resolved() {
        for uri in [
            "http://h/a/../b",
            "http://h/./a",
            "http://h/%2e%2e/a",
            "http://h/a//b",
            "http://h/a/",
            "http://h/a%00b",
            "http://h/%2e",
        ] {
            assert_eq!(path(uri), Err(0x80), "{uri}");
        }
    }

    #[test]
    fn a_text_that_is_not_a_uri_is_4_00_and_a_uri_that_is_not_proxied_is_5_05() {
        for uri in [
            "",
            "H/4",
            "http://",
            "/4",
            "http://h/ a",
            "http:\\\\h\\4",
            "http://h:99999/4",
            "http://h/%zz",
            "http:h?x=://a/E/!r",
            "http:/h/4",
            "http:///h/4",
            "http:////h/4",
            "http:///u@h/4",
            "http://h/a%4",
            "http://h/?a=%",
            "http://h/H/#a:b",
        ] {
            assert_eq!(path(uri), Err(0x80), "{uri}");
        }
        for uri in [
            "coap://h/4",
            "ftp://h/4",
            "file:///etc/passwd",
            "http://u@h/4",
            "http://@h/4",
            "http://u:p@h/4",
            "https://:p@h/",
        ] {
            assert_eq!(path(uri), Err(0xa5), "{uri}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_no_unsafe_segment_gets_through(
            uri in "(https?://[a-z0-9:@.]{0,12})?[/?#%a-f0-9.é]{0,40}"
        ) {
            if let Ok(parsed) = parse(uri.as_bytes()) {
                prop_assert!(parsed.target.path.iter().all(|segment| is_plain(segment)));
            }
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = parse(&bytes);
        }
    }
}
