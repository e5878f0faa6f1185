//! Path segments that mean the same to everybody on the way.

/// Whether a decoded path segment means itself to every HTTP server: not empty, no dot segment, no control
/// characters. Others are refused, since URL libraries and servers resolve or drop them quietly. So are dot segments
/// between slashes within it: some reverse proxies decode `%2F` before they resolve.
#[must_use]
pub fn is_plain(segment: &str) -> bool {
    let has_dots = segment
        .split(['/', '\\'])
        .any(|part| matches!(part, "." | ".."));
    !segment.is_empty() && !has_dots && !segment.chars().any(char::is_control)
}

/// A segment without its percent-encoding. None where a `%` begins no escape of two hexadecimal digits (RFC 3986 §2.1), or
/// what is escaped is not UTF-8.
#[must_use]
pub fn decoded(segment: &str) -> Option<String> {
    let is_escape = |rest: &str| {
        let digits = rest.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    segment.split('%').skip(1).all(is_escape).then_some(())?;
    let text = percent_encoding::percent_decode_str(segment).decode_utf8();
    text.ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::{decoded, is_plain};

    #[test]
    fn escapes_are_two_hexadecimal_digits_of_utf_8() {
        assert_eq!(decoded("a%2Fb%25%C3%bc+").as_deref(), Some("a/b%\u{fc}+"));
        for text in ["%", "%4", "a%zz", "%é", "%ff"] {
            assert_eq!(decoded(text), None, "{text}");
        }
    }

    #[test]
    fn only_segments_that_mean_themselves_are_plain() {
        for segment in ["a", "!r:example.org", "...", "a/b", "#x", "ü"] {
            assert!(is_plain(segment), "{segment}");
        }
        for segment in [
            "",
            ".",
            "..",
            "a\0",
            "a\n",
            "\u{85}",
            "#x:/../../logout",
            "a\\..\\b",
        ] {
            assert!(!is_plain(segment), "{segment:?}");
        }
    }
}
