//! Path segments that every server on the way reads alike.

/// Whether every HTTP server takes a decoded path segment literally: it is not empty, is no dot segment and has no
/// control characters. URL libraries and servers silently resolve or drop others. Dot segments between slashes within
/// it count too: some reverse proxies decode `%2F` before they resolve dot segments.
#[must_use]
pub fn is_plain(segment: &str) -> bool {
    let has_dots = segment
        .split(['/', '\\'])
        .any(|part| matches!(part, "." | ".."));
    !segment.is_empty() && !has_dots && !segment.chars().any(char::is_control)
}

/// A segment without its percent-encoding. None if a `%` is not followed by two hexadecimal digits (RFC 3986 §2.1), or
/// if the decoded bytes are not UTF-8.
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
    fn only_segments_that_servers_take_literally_are_plain() {
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
