//! A homeserver's JSON as CBOR, in one pass: for responses of any size, whose values would not fit an instance's memory
//! beside their text.

use crate::cbor::{KeyTable, head};
use crate::extract::MAX_FOREIGN_DEPTH;
use crate::json::{JsonError, Reader};
use crate::value::Value;

/// Why there is no CBOR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TranscodeError {
    /// The text is no JSON, or is nested deeper than [`MAX_FOREIGN_DEPTH`].
    Json(JsonError),
    /// The CBOR would have more bytes than it may.
    TooLarge,
}

impl From<JsonError> for TranscodeError {
    fn from(error: JsonError) -> TranscodeError {
        TranscodeError::Json(error)
    }
}

/// An array or object that has begun.
struct Level {
    /// Where its head is. It has one byte until the number of elements is known.
    head: usize,
    /// Elements or members so far.
    count: u64,
    is_object: bool,
}

/// The CBOR of exactly one JSON value, in at most `most` bytes, with the shortest heads, definite lengths and members
/// in their order. Names of `keys` become their integers.
///
/// Integers from −2^64 to 2^64 − 1 stay exact. Others, for which CBOR would need a tag, become the nearest float, and a
/// number beyond the largest float infinity, as in other readers of JSON. Members with one name are not looked for:
/// each is written.
pub fn json_to_cbor(
    text: &[u8],
    keys: Option<&KeyTable>,
    most: usize,
) -> Result<Vec<u8>, TranscodeError> {
    let mut reader = Reader::new(text, MAX_FOREIGN_DEPTH, usize::MAX);
    // CBOR is shorter, but for arrays of short floats.
    let mut bytes = Vec::with_capacity(text.len().min(most));
    let mut levels: Vec<Level> = Vec::new();
    loop {
        let is_open = value(&mut reader, &mut bytes, &mut levels)?;
        if bytes.len() > most {
            return Err(TranscodeError::TooLarge);
        }
        let mut is_first = is_open;
        // Leaves the arrays and objects that end here.
        loop {
            let Some(level) = levels.last_mut() else {
                reader.end()?;
                return Ok(bytes);
            };
            let end = if level.is_object { b'}' } else { b']' };
            if reader.next(end, is_first)? {
                level.count += 1;
                if level.is_object {
                    key(&mut reader, &mut bytes, keys)?;
                }
                break;
            }
            close(&mut bytes, level);
            levels.pop();
            is_first = false;
            if bytes.len() > most {
                return Err(TranscodeError::TooLarge);
            }
        }
    }
}

/// Writes the value that begins here; of an array or object only its beginning, and returns true.
fn value(
    reader: &mut Reader<'_>,
    bytes: &mut Vec<u8>,
    levels: &mut Vec<Level>,
) -> Result<bool, JsonError> {
    let byte = reader.peek()?;
    match byte {
        b'"' => text(bytes, reader.text()?),
        b'[' | b'{' => {
            reader.open()?;
            levels.push(Level {
                head: bytes.len(),
                count: 0,
                is_object: byte == b'{',
            });
            bytes.push(0);
            return Ok(true);
        }
        b'-' | b'0'..=b'9' => match reader.nearest_number()? {
            Value::Unsigned(number) => head::push(bytes, head::POSITIVE, number),
            Value::Negative(number) => head::push(bytes, head::NEGATIVE, number),
            Value::Float(number) => head::push_float(bytes, number),
            // A number is nothing else.
            _ => head::push_simple(bytes, head::NULL),
        },
        _ => match reader.word()? {
            Value::Bool(true) => head::push_simple(bytes, head::TRUE),
            Value::Bool(false) => head::push_simple(bytes, head::FALSE),
            _ => head::push_simple(bytes, head::NULL),
        },
    }
    Ok(false)
}

/// Writes the name of a member, and passes over its colon.
fn key(
    reader: &mut Reader<'_>,
    bytes: &mut Vec<u8>,
    keys: Option<&KeyTable>,
) -> Result<(), JsonError> {
    let name = reader.key()?;
    match keys.and_then(|keys| keys.number(name)) {
        Some(number) => head::push(bytes, head::POSITIVE, number),
        None => text(bytes, name),
    }
    reader.colon()
}

fn text(bytes: &mut Vec<u8>, text: &str) {
    head::push(bytes, head::TEXT, text.len() as u64);
    bytes.extend_from_slice(text.as_bytes());
}

/// Writes the head of an array or object whose length is known now. Below 24 elements it needs no more than its byte.
fn close(bytes: &mut Vec<u8>, level: &Level) {
    let major = if level.is_object {
        head::MAP
    } else {
        head::ARRAY
    };
    let mut head = Vec::new();
    head::push(&mut head, major, level.count);
    bytes.splice(level.head..=level.head, head);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::value::tests::any_value;
    use crate::{cbor, json};

    const KEYS: KeyTable = KeyTable::new(&["event_id", "type"], &[0, 1]);

    fn transcoded(text: &str) -> Result<Vec<u8>, TranscodeError> {
        json_to_cbor(text.as_bytes(), Some(&KEYS), usize::MAX)
    }

    #[test]
    fn names_of_the_table_are_integers_at_every_depth_and_only_as_keys() {
        let text = r#"{"type":"type","a":[{"event_id":1}]}"#;
        let expected = b"\xa2\x02\x64type\x61a\x81\xa1\x01\x01";
        assert_eq!(transcoded(text).as_deref(), Ok(&expected[..]));
    }

    #[test]
    fn numbers_beyond_64_bits_are_the_nearest_float() {
        for (text, expected) in [
            (
                "18446744073709551615",
                &b"\x1b\xff\xff\xff\xff\xff\xff\xff\xff"[..],
            ),
            (
                "-18446744073709551616",
                b"\x3b\xff\xff\xff\xff\xff\xff\xff\xff",
            ),
            ("18446744073709551616", b"\xfa\x5f\x80\0\0"),
            ("-18446744073709551617", b"\xfa\xdf\x80\0\0"),
            ("1e400", b"\xf9\x7c\0"),
            ("-1e400", b"\xf9\xfc\0"),
            ("-0", b"\xf9\x80\0"),
        ] {
            assert_eq!(transcoded(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_result_above_its_bound_is_refused_and_one_at_it_is_not() {
        let text = format!("[{}0]", "0,".repeat(99));
        assert_eq!(
            json_to_cbor(text.as_bytes(), None, 102).map(|cbor| cbor.len()),
            Ok(102)
        );
        let above = json_to_cbor(text.as_bytes(), None, 101);
        assert_eq!(above, Err(TranscodeError::TooLarge));
    }

    #[test]
    fn nesting_deeper_than_a_homeserver_handles_is_refused_with_its_byte() {
        let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(transcoded(&nested(MAX_FOREIGN_DEPTH)).is_ok());
        match transcoded(&nested(MAX_FOREIGN_DEPTH + 1)) {
            Err(TranscodeError::Json(error)) => assert_eq!(error.offset, MAX_FOREIGN_DEPTH),
            other => panic!("{other:?}"),
        }
    }

    proptest! {
        #[test]
        fn it_is_what_decoding_and_encoding_make(value in any_value(u64::MAX)) {
            let text = json::encode(&value);
            let transcoded = json_to_cbor(&text, None, usize::MAX);
            prop_assert_eq!(transcoded, Ok(cbor::encode(&value)));
        }

        #[test]
        fn no_text_panics(text in "[\\[\\]{}\",:0-9a-z\\\\ .e-]{0,60}") {
            let is_json = json::check(text.as_bytes(), MAX_FOREIGN_DEPTH, usize::MAX);
            match transcoded(&text) {
                Ok(_) => prop_assert_eq!(is_json, Ok(())),
                Err(TranscodeError::Json(error)) => prop_assert!(error.offset <= text.len()),
                Err(TranscodeError::TooLarge) => prop_assert!(false, "there is no bound"),
            }
        }
    }
}
