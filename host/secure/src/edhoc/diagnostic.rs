//! CBOR diagnostic notation (RFC 8949 §8) of credentials: maps, integers, texts and byte strings.

use std::fmt::Write as _;

use crate::cbor;
use crate::cbor_reader::Reader;
use crate::hexadecimal;

/// Levels of maps: a credential has four.
const MOST_LEVELS: u32 = 6;
/// Bytes of a text: a credential of 160 bytes has about 500.
const MOST_TEXT: usize = 2_048;

/// Encodes a map in diagnostic notation: deterministically (RFC 8949 §4.2.1), with its keys in the order of their
/// bytes.
pub(super) fn read(text: &str) -> Option<Vec<u8>> {
    let mut notation = Notation {
        rest: text.get(..MOST_TEXT.min(text.len()))?,
    };
    let bytes = notation.item(MOST_LEVELS)?;
    notation.skip()?;
    notation.rest.is_empty().then_some(bytes)
}

struct Notation<'a> {
    rest: &'a str,
}

impl<'a> Notation<'a> {
    /// Passes over white space and comments between slashes.
    fn skip(&mut self) -> Option<()> {
        loop {
            self.rest = self.rest.trim_start();
            match self.rest.strip_prefix('/') {
                Some(comment) => self.rest = comment.split_once('/')?.1,
                None => return Some(()),
            }
        }
    }

    fn take(&mut self, prefix: &str) -> bool {
        if self.skip().is_none() {
            return false;
        }
        let rest = self.rest.strip_prefix(prefix);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// What stands before the next `end`, which is passed over.
    fn until(&mut self, end: char) -> Option<&'a str> {
        let (before, rest) = self.rest.split_once(end)?;
        self.rest = rest;
        Some(before)
    }

    /// An encoded item.
    fn item(&mut self, levels: u32) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        if self.take("{") {
            let pairs = self.pairs(levels.checked_sub(1)?)?;
            cbor::map(&mut out, pairs.len());
            out.extend(
                pairs
                    .into_iter()
                    .flat_map(|(key, value)| [key, value].concat()),
            );
        } else if self.take("h'") {
            let digits: String = self.until('\'')?.split_ascii_whitespace().collect();
            cbor::bytes(&mut out, &hexadecimal::bytes(&digits)?);
        } else if self.take("'") {
            let text = self.until('\'')?;
            cbor::bytes(&mut out, text.as_bytes());
        } else if self.take("\"") {
            // Nobody needs an escape in a subject.
            let text = self.until('"')?;
            (!text.contains('\\')).then(|| cbor::text(&mut out, text))?;
        } else {
            let is_of_number = |byte: char| byte == '-' || byte.is_ascii_digit();
            let end = self.rest.find(|byte| !is_of_number(byte));
            let (number, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
            self.rest = rest;
            let number: i32 = number.parse().ok()?;
            (-0x1_0000..0x1_0000)
                .contains(&number)
                .then(|| cbor::int(&mut out, number))?;
        }
        Some(out)
    }

    /// The pairs of a map whose brace was taken, in the order of their keys, which differ.
    fn pairs(&mut self, levels: u32) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
        let mut pairs = Vec::new();
        while !self.take("}") {
            if !pairs.is_empty() && !self.take(",") {
                return None;
            }
            let key = self.item(levels)?;
            if !self.take(":") {
                return None;
            }
            pairs.push((key, self.item(levels)?));
        }
        pairs.sort();
        let is_twice = pairs.windows(2).any(|pair| pair[0].0 == pair[1].0);
        (!is_twice).then_some(pairs)
    }
}

/// Writes an item of a credential, which was read before.
pub(super) fn write(bytes: &[u8]) -> String {
    let mut text = String::new();
    if write_item(&mut Reader::new(bytes), &mut text, MOST_LEVELS).is_none() {
        text.push('…');
    }
    text
}

fn write_item(reader: &mut Reader<'_>, text: &mut String, levels: u32) -> Option<()> {
    if let Some(pairs) = reader.map() {
        let levels = levels.checked_sub(1)?;
        text.push('{');
        for number in 0..pairs {
            text.push_str(if number == 0 { "" } else { ", " });
            write_item(reader, text, levels)?;
            text.push_str(": ");
            write_item(reader, text, levels)?;
        }
        text.push('}');
    } else if let Some(number) = reader.int() {
        let _ = write!(text, "{number}");
    } else if let Some(bytes) = reader.bytes() {
        let _ = write!(text, "h'{}'", hexadecimal::digits(bytes));
    } else {
        // Escaped as in JSON, so that a subject cannot end its quotes.
        let _ = write!(text, "{:?}", reader.text()?);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_encoded_deterministically_whatever_the_order_of_its_keys() {
        let text = "{ 8: /cnf/ {1: {-1: 1, 1: 2, 2: h'01 02', -2: 'x'}}, 2: \"kitchen\" }";
        let bytes = read(text).expect("it is diagnostic notation");
        let written = "{2: \"kitchen\", 8: {1: {1: 2, 2: h'0102', -1: 1, -2: h'78'}}}";
        assert_eq!(write(&bytes), written);
        assert_eq!(read(written), Some(bytes));
    }

    #[test]
    fn anything_else_is_refused() {
        let deep = "{1: ".repeat(7) + "1" + &"}".repeat(7);
        for text in [
            "",
            "{",
            "{1}",
            "{1: 2",
            "{1: 2} 3",
            "{1: 2, 1: 3}",
            "{1: h'0'}",
            "{1: h'0g'}",
            "{1 2}",
            "{,}",
            "{1: \"a\\n\"}",
            "{1: 70000}",
            "{1: 1.5}",
            "{1: --1}",
            "{/1: 2}",
            "é",
            &deep,
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
