//! Versions of programs, as programs print them.

use std::cmp::Ordering;
use std::fmt;

/// A version: its numbers, the most significant first.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Version(Vec<u32>);

impl Version {
    /// These numbers.
    pub fn new(numbers: &[u32]) -> Self {
        Self(numbers.to_vec())
    }

    /// The first version in `output` that directly follows `prefix`; none if no digit does.
    pub fn after(prefix: &str, output: &str) -> Option<Self> {
        output.match_indices(prefix).find_map(|(start, _)| {
            let text = &output[start + prefix.len()..];
            let end = text.find(|character: char| character != '.' && !character.is_ascii_digit());
            let numbers = text[..end.unwrap_or(text.len())].split('.');
            let numbers: Vec<u32> = numbers.map_while(|number| number.parse().ok()).collect();
            (!numbers.is_empty()).then_some(Self(numbers))
        })
    }

    /// The first number.
    pub fn major(&self) -> u32 {
        self.0.first().copied().unwrap_or(0)
    }

    /// Whether this version comes before `other`. A number that is not there counts as zero.
    pub fn is_older_than(&self, other: &Self) -> bool {
        let number = |version: &Self, index: usize| version.0.get(index).copied().unwrap_or(0);
        let ordering = (0..self.0.len().max(other.0.len()))
            .map(|index| number(self, index).cmp(&number(other, index)))
            .find(|ordering| ordering.is_ne());
        ordering == Some(Ordering::Less)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.0.iter().map(u32::to_string).collect();
        formatter.write_str(&numbers.join("."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::after("", text).unwrap()
    }

    #[test]
    fn versions_are_compared_number_by_number_and_not_as_text() {
        for (older, newer) in [
            ("1.85", "1.95"),
            ("9.2.0", "10.8.2"),
            ("3.9.18", "3.10"),
            ("252", "252.1"),
            ("1.95", "1.95.1"),
        ] {
            assert!(
                version(older).is_older_than(&version(newer)),
                "{older} {newer}"
            );
            assert!(
                !version(newer).is_older_than(&version(older)),
                "{older} {newer}"
            );
        }
    }

    #[test]
    fn a_number_that_is_not_there_counts_as_zero() {
        assert!(!version("1.95").is_older_than(&version("1.95.0")));
        assert!(!version("1.95.0").is_older_than(&version("1.95")));
    }

    #[test]
    fn a_version_ends_where_anything_but_digits_and_dots_begins() {
        for (text, expected) in [
            ("1.96.0+dfsg1", "1.96.0"),
            ("1.98.0-nightly (abc 2026-05-01)", "1.98.0"),
            ("4.3.5rc1", "4.3.5"),
            ("1.21.22.\n", "1.21.22"),
        ] {
            assert_eq!(version(text).to_string(), expected, "{text}");
        }
    }

    #[test]
    fn a_text_without_the_prefix_or_without_a_digit_after_it_has_no_version() {
        for (prefix, text) in [
            ("rustc ", "cargo 1.95.0"),
            ("v", "node version"),
            ("", "none"),
            ("v", "v99999999999"),
        ] {
            assert_eq!(Version::after(prefix, text), None, "{text}");
        }
    }
}
