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

#[cfg(test)]
mod tests {
    use super::is_plain;

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
