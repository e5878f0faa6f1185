//! CBOR's items one by one, for rules that read more than [`decode`](super::decode): byte strings, tags, other keys.

use super::error::{CborError, wrong};
use super::head::{self, Header, NoHead};
use crate::text::{concat, decimal};
use crate::value::MAX_DEPTH;

/// The items of a payload, from its beginning. Each has a head; what follows a head of a text or a byte string is
/// read with [`text`](Items::text) or [`bytes`](Items::bytes) before the next one.
#[derive(Debug, Clone)]
pub struct Items<'a> {
    input: &'a [u8],
    position: usize,
}

impl<'a> Items<'a> {
    /// The items of `input`.
    pub fn new(input: &'a [u8]) -> Items<'a> {
        Items { input, position: 0 }
    }

    /// The next item's head, and where it starts.
    pub fn header(&mut self) -> Result<(usize, Header), CborError> {
        let at = self.position;
        match head::read(self.input.get(at..).unwrap_or_default()) {
            Ok((header, length)) => {
                self.position += length;
                Ok((at, header))
            }
            Err(NoHead::Truncated) => self.truncated(),
            Err(NoHead::Malformed(reason)) => wrong(at, reason),
        }
    }

    fn truncated<T>(&self) -> Result<T, CborError> {
        wrong(self.input.len(), "the payload ends within a value")
    }

    /// Checks that nothing is left.
    pub fn end(&self) -> Result<(), CborError> {
        match self.position < self.input.len() {
            true => wrong(self.position, "bytes after the value"),
            false => Ok(()),
        }
    }

    /// A text after its head; one of indefinite length comes in chunks (RFC 8949 §3.2.3).
    pub fn text(&mut self, length: Option<usize>) -> Result<String, CborError> {
        if let Some(length) = length {
            return Ok(self.utf8(length)?.to_owned());
        }
        let mut text = String::new();
        loop {
            match self.header()? {
                (_, Header::Break) => return Ok(text),
                (_, Header::Text(Some(length))) => text.push_str(self.utf8(length)?),
                (at, _) => return wrong(at, "a chunk that is no text of definite length"),
            }
        }
    }

    /// A byte string after its head, in chunks likewise.
    pub fn bytes(&mut self, length: Option<usize>) -> Result<Vec<u8>, CborError> {
        if let Some(length) = length {
            return Ok(self.take(length)?.to_vec());
        }
        let mut bytes = Vec::new();
        loop {
            match self.header()? {
                (_, Header::Break) => return Ok(bytes),
                (_, Header::Bytes(Some(length))) => bytes.extend_from_slice(self.take(length)?),
                (at, _) => return wrong(at, "a chunk that is no byte string of definite length"),
            }
        }
    }

    /// Passes over the rest of the value whose head `header` was read at `at`; `depth` more levels may open.
    pub fn skip(&mut self, at: usize, header: Header, depth: usize) -> Result<(), CborError> {
        let (length, values) = match header {
            Header::Text(length) => return self.text(length).map(drop),
            Header::Bytes(length) => return self.bytes(length).map(drop),
            Header::Break => return wrong(at, "a break where a value is due"),
            Header::Array(length) => (length, 1),
            Header::Map(length) => (length, 2),
            Header::Tag(_) => (Some(1), 1),
            _ => return Ok(()),
        };
        let depth = deeper(at, depth)?;
        let mut passed = 0;
        while length != Some(passed) {
            for part in 0..values {
                match self.header()? {
                    (_, Header::Break) if length.is_none() && part == 0 => return Ok(()),
                    (at, header) => self.skip(at, header, depth)?,
                }
            }
            passed += 1;
        }
        Ok(())
    }

    /// The byte at `at`: of a head its first, which says how wide a float is (RFC 8949 §3.3).
    pub fn byte(&self, at: usize) -> Option<u8> {
        self.input.get(at).copied()
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], CborError> {
        let start = self.position;
        let bytes = start
            .checked_add(length)
            .and_then(|end| self.input.get(start..end));
        match bytes {
            Some(bytes) => {
                self.position += length;
                Ok(bytes)
            }
            None => self.truncated(),
        }
    }

    fn utf8(&mut self, length: usize) -> Result<&'a str, CborError> {
        let start = self.position;
        let bytes = self.take(length)?;
        match str::from_utf8(bytes) {
            Ok(text) => Ok(text),
            Err(error) => wrong(start + error.valid_up_to(), "a text that is not UTF-8"),
        }
    }
}

/// The levels that may still open within an array, a map or a tag at `at`.
pub(super) fn deeper(at: usize, depth: usize) -> Result<usize, CborError> {
    match depth.checked_sub(1) {
        Some(depth) => Ok(depth),
        None => wrong(
            at,
            concat(&["nested deeper than ", &decimal(MAX_DEPTH), " levels"]),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skipped(input: &[u8]) -> Result<(), CborError> {
        let mut items = Items::new(input);
        let (at, header) = items.header()?;
        items.skip(at, header, 4)?;
        items.end()
    }

    #[test]
    fn a_value_of_any_kind_is_passed_over_as_a_whole() {
        for value in [
            &b"\x01"[..],
            b"\xfb\0\0\0\0\0\0\0\0",
            b"\x62ab",
            b"\x5f\x41a\x41b\xff",
            b"\x83\x01\x42ab\xf6",
            b"\xbf\x01\x9f\x02\xff\xff",
            b"\xc4\x82\x20\x18\xeb",
        ] {
            assert_eq!(skipped(value), Ok(()), "{value:x?}");
            let cut = &value[..value.len() - 1];
            assert!(skipped(cut).is_err(), "{cut:x?}");
        }
    }

    #[test]
    fn what_is_no_value_is_not_passed_over() {
        for value in [
            &b"\xff"[..],
            b"\xbf\x01\xff",
            b"\x5f\x61a\xff",
            b"\x81\x81\x81\x81\x81\x01",
            b"\x01\x01",
        ] {
            assert!(skipped(value).is_err(), "{value:x?}");
        }
    }
}
