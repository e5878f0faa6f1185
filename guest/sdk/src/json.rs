//! JSON text (RFC 8259) as [`Value`]s. Strict in the same way as [`cbor`](crate::cbor).

use std::cell::Cell;
use std::fmt;

use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Deserializer;
use serde_json::error::Category;

use crate::value::{MAX_DEPTH, MAX_VALUES, Value, repeated_key};

/// What is wrong with a JSON text, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonError {
    /// Bytes before the place that is wrong; the length of the text if it ends too early.
    pub offset: usize,
    /// What is wrong.
    pub reason: String,
}

impl fmt::Display for JsonError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "JSON at byte {}: {}", self.offset, self.reason)
    }
}

impl std::error::Error for JsonError {}

impl JsonError {
    /// serde_json tells line and column, the latter counted in bytes from 1.
    pub(crate) fn locate(input: &[u8], error: &serde_json::Error) -> JsonError {
        let earlier_lines = input
            .split_inclusive(|byte| *byte == b'\n')
            .take(error.line().saturating_sub(1));
        let offset = match error.classify() {
            Category::Eof => input.len(),
            _ => earlier_lines.map(<[u8]>::len).sum::<usize>() + error.column().saturating_sub(1),
        };
        let text = error.to_string();
        let place = format!(" at line {} column {}", error.line(), error.column());
        let reason = text
            .strip_suffix(place.as_str())
            .unwrap_or(&text)
            .to_owned();
        JsonError { offset, reason }
    }
}

/// Reads exactly one value.
///
/// Refuses repeated keys, anything but white space after the value, more than [`MAX_DEPTH`] levels or [`MAX_VALUES`]
/// values, and integers outside of −2^63 to 2^64 − 1, which would lose digits.
pub fn decode(input: &[u8]) -> Result<Value, JsonError> {
    check(input, MAX_DEPTH, usize::MAX)?;
    let mut deserializer = Deserializer::from_slice(input);
    let nested = Nested {
        values_left: &Cell::new(MAX_VALUES as i32),
        repeated: &Cell::new(None),
    };
    let value = nested.deserialize(&mut deserializer);
    let value = value.and_then(|value| deserializer.end().map(|()| value));
    let value = value.map_err(|error| JsonError::locate(input, &error));
    let noted = match nested.repeated.take() {
        Some(key) => format!("the object that ends here holds the key \"{key}\" twice"),
        None if nested.values_left.get() < 0 => format!("more than {MAX_VALUES} values"),
        None => return value,
    };
    Err(JsonError {
        offset: value.err().map_or(input.len(), |error| error.offset),
        reason: noted,
    })
}

/// Checks what a parser's memory depends on, in one pass and without any: arrays and objects within each other, the
/// bytes of each string (escapes as written), and that no integer needs more than 64 bits. Nothing else about the
/// text's syntax. A rule that reads a large answer with serde_json calls it first.
pub fn check(input: &[u8], depth: usize, string: usize) -> Result<(), JsonError> {
    let wrong = |offset, reason| Err(JsonError { offset, reason });
    let mut open = 0_usize;
    let mut at = 0;
    while let Some(byte) = input.get(at) {
        match byte {
            b'"' => {
                let start = at;
                at = end_of_string(input, start);
                if at - start > string {
                    return wrong(start, format!("a string of more than {string} bytes"));
                }
            }
            b'-' | b'0'..=b'9' => {
                let start = at;
                at = end_of_number(input, start);
                if too_long(&input[start..at]) {
                    return wrong(start, "an integer of more than 64 bits".to_owned());
                }
            }
            b'[' | b'{' if open == depth => {
                return wrong(at, format!("nested deeper than {depth} levels"));
            }
            b'[' | b'{' => {
                open += 1;
                at += 1;
            }
            b']' | b'}' => {
                open = open.saturating_sub(1);
                at += 1;
            }
            _ => at += 1,
        }
    }
    Ok(())
}

/// Where the string that starts at `start` has ended, quotes included; the end of the text if it does not end.
fn end_of_string(text: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    text.len()
}

fn end_of_number(text: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E') = text.get(at) {
        at += 1;
    }
    at
}

/// Whether `number` is an integer that has no 64-bit form. Anything but digits is a fraction, an exponent, or
/// serde_json's to refuse.
fn too_long(number: &[u8]) -> bool {
    let (digits, most): (&[u8], &[u8]) = match number.strip_prefix(b"-") {
        Some(digits) => (digits, b"9223372036854775808"),
        None => (number, b"18446744073709551615"),
    };
    (digits.len(), digits) > (most.len(), most) && digits.iter().all(u8::is_ascii_digit)
}

/// Reads a value. What serde_json does not refuse by itself is noted, and then not read on where the text goes on, which
/// serde_json refuses at that place. An error made here would bring serde_json's parser of error messages into every
/// component, several kilobytes.
#[derive(Clone, Copy)]
struct Nested<'a> {
    /// Negative: there were too many.
    values_left: &'a Cell<i32>,
    repeated: &'a Cell<Option<String>>,
}

impl Nested<'_> {
    fn count(self) {
        self.values_left
            .set(self.values_left.get().saturating_sub(1));
    }
}

impl<'de> DeserializeSeed<'de> for Nested<'_> {
    type Value = Value;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.count();
        if self.values_left.get() < 0 {
            return Ok(Value::Null);
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Nested<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Value, E> {
        Ok(Value::Bool(truth))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Unsigned(number))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Float(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = sequence.next_element_seed(self)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            self.count();
            pairs.push((key, map.next_value_seed(self)?));
        }
        if let Some(key) = repeated_key(&pairs) {
            self.repeated.set(Some(key.to_owned()));
            // There is none: the object is at its end.
            return map.next_value_seed(self);
        }
        Ok(Value::Map(pairs))
    }
}

/// Writes a value without white space, maps in the order they have. A number that JSON does not
/// have (only a value made by hand can hold one) becomes `null`.
pub fn to_text(value: &Value) -> String {
    // It fails for keys that are no texts and for writers that fail; there are neither.
    serde_json::to_string(value).unwrap_or_default()
}

/// [`to_text`] as bytes.
pub fn encode(value: &Value) -> Vec<u8> {
    to_text(value).into_bytes()
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(truth) => serializer.serialize_bool(*truth),
            Value::Unsigned(number) => serializer.serialize_u64(*number),
            Value::Negative(number) => match i64::try_from(*number) {
                Ok(number) => serializer.serialize_i64(!number),
                Err(_) => serializer.serialize_i128(!i128::from(*number)),
            },
            Value::Float(number) => serializer.serialize_f64(*number),
            Value::Text(text) => serializer.serialize_str(text),
            Value::Array(values) => serializer.collect_seq(values),
            Value::Map(pairs) => {
                let mut map = serializer.serialize_map(Some(pairs.len()))?;
                pairs
                    .iter()
                    .try_for_each(|(key, value)| map.serialize_entry(key, value))?;
                map.end()
            }
        }
    }
}
