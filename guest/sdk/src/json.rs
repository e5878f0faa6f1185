//! JSON text (RFC 8259) as [`Value`]s. Strict in the same way as [`cbor`](crate::cbor).
//!
//! Written for components: a general JSON crate with exact floats takes 30 KB of a rule, this module 8 KB.

mod cursor;
mod error;
mod float;
mod number;
mod reader;
mod string;
mod writer;

pub use error::JsonError;
pub(crate) use error::wrong;
pub(crate) use reader::{MAX_SKIPPED, Reader};
pub use writer::{encode, to_text};

use crate::text::{concat, decimal};
use crate::value::{MAX_DEPTH, MAX_VALUES, Value, repeated_key};

/// Reads exactly one value.
///
/// Refuses repeated keys, anything but white space after the value, more than [`MAX_DEPTH`] levels or [`MAX_VALUES`]
/// values, and integers outside of −2^64 to 2^64 − 1, those that CBOR has: others would lose digits.
pub fn decode(input: &[u8]) -> Result<Value, JsonError> {
    let mut decoder = Decoder {
        reader: Reader::new(input, MAX_DEPTH, usize::MAX),
        values_left: MAX_VALUES,
    };
    let value = decoder.value()?;
    decoder.reader.end()?;
    Ok(value)
}

/// Checks that a text is exactly one JSON value, with at most `depth` arrays and objects within each other, strings
/// of at most `string` bytes (quotes and escapes as written) and no integer of more than 64 bits. It takes no memory.
pub fn check(input: &[u8], depth: usize, string: usize) -> Result<(), JsonError> {
    let mut reader = Reader::new(input, depth, string);
    reader.skip()?;
    reader.end()
}

struct Decoder<'a> {
    reader: Reader<'a>,
    values_left: usize,
}

impl Decoder<'_> {
    fn value(&mut self) -> Result<Value, JsonError> {
        self.count()?;
        Ok(match self.reader.peek()? {
            b'"' => Value::Text(self.reader.text()?.to_owned()),
            b'[' => self.array()?,
            b'{' => self.map()?,
            b'-' | b'0'..=b'9' => self.reader.number()?,
            _ => self.reader.word()?,
        })
    }

    fn count(&mut self) -> Result<(), JsonError> {
        match self.values_left.checked_sub(1) {
            Some(left) => {
                self.values_left = left;
                Ok(())
            }
            None => wrong(
                self.reader.position(),
                concat(&["more than ", &decimal(MAX_VALUES), " values"]),
            ),
        }
    }

    // Not inlined: an array's frame would otherwise hold a map's locals too, at each of 32 levels.
    #[inline(never)]
    fn array(&mut self) -> Result<Value, JsonError> {
        let mut values = Vec::new();
        self.reader.open()?;
        while self.reader.next(b']', values.is_empty())? {
            values.push(self.value()?);
        }
        Ok(Value::Array(values))
    }

    #[inline(never)]
    fn map(&mut self) -> Result<Value, JsonError> {
        let mut pairs = Vec::new();
        self.reader.open()?;
        while self.reader.next(b'}', pairs.is_empty())? {
            self.count()?;
            let key = self.reader.key()?.to_owned();
            self.reader.colon()?;
            pairs.push((key, self.value()?));
        }
        match repeated_key(&pairs) {
            Some(key) => wrong(
                self.reader.position() - 1,
                concat(&[
                    "the object that ends here holds the key \"",
                    key,
                    "\" twice",
                ]),
            ),
            None => Ok(Value::Map(pairs)),
        }
    }
}
