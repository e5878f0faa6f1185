//! The proposal's enumerations, version 1: codes of paths and integer keys. They are made from `tables/*.csv` when this
//! crate is built.

use comatrix_sdk::cbor::KeyTable;

/// A segment of a path that a code stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Segment {
    /// This text; empty after a slash at the path's end.
    Literal(&'static str),
    /// The device's next segment; the name says which one is missing.
    Parameter(&'static str),
}

include!(concat!(env!("OUT_DIR"), "/tables.rs"));

/// The path that a code stands for.
pub fn path(code: &str) -> Option<&'static [Segment]> {
    let &[code] = code.as_bytes() else {
        return None;
    };
    let found = PATHS.binary_search_by_key(&code, |(code, _)| *code);
    PATHS.get(found.ok()?).map(|(_, path)| *path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
        let rows = text.lines().skip(1);
        rows.map(|row| row.split_once(',').expect("a row has two columns"))
    }

    #[test]
    fn every_key_of_the_table_is_in_the_code_and_no_other_one() {
        let mut count = 0;
        for (number, name) in rows(include_str!("../tables/keys-v1.csv")) {
            let number = number.parse().expect("a key is a number");
            assert_eq!(KEYS.name(number), Some(name));
            assert_eq!(KEYS.number(name), Some(number));
            count += 1;
        }
        assert_eq!(count, 104);
        assert_eq!((KEYS.name(0), KEYS.name(105)), (None, None));
    }

    #[test]
    fn every_path_of_the_table_is_in_the_code_and_no_other_one() {
        let mut count = 0;
        for (code, expected) in rows(include_str!("../tables/paths-v1.csv")) {
            let segments = path(code).unwrap_or_else(|| panic!("no path for {code}"));
            let shown: String = segments
                .iter()
                .map(|segment| match segment {
                    Segment::Literal(text) => format!("/{text}"),
                    Segment::Parameter(name) => format!("/{{{name}}}"),
                })
                .collect();
            assert_eq!(shown, expected);
            count += 1;
        }
        assert_eq!((count, PATHS.len()), (57, 57));
        for code in ["", "v", "AA", "-", "\u{e9}"] {
            assert_eq!(path(code), None, "{code}");
        }
    }
}
