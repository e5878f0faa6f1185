//! [`Value`]s as JSON text.

use super::string::special;
use crate::text::push_decimal;
use crate::value::Value;

/// Writes a value without white space, maps in the order they have. A number that JSON does not
/// have (only a value made by hand can hold one) becomes `null`.
pub fn encode(value: &Value) -> Vec<u8> {
    /// Most bodies fit.
    const USUAL: usize = 128;
    let mut text = Vec::with_capacity(USUAL);
    write(&mut text, value);
    text
}

/// [`encode`] as text.
pub fn to_text(value: &Value) -> String {
    // It is made of texts and ASCII.
    String::from_utf8(encode(value)).unwrap_or_default()
}

fn write(text: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => text.extend_from_slice(b"null"),
        Value::Bool(true) => text.extend_from_slice(b"true"),
        Value::Bool(false) => text.extend_from_slice(b"false"),
        Value::Unsigned(number) => push_decimal(text, *number),
        Value::Negative(number) => {
            text.push(b'-');
            match number.checked_add(1) {
                Some(number) => push_decimal(text, number),
                None => text.extend_from_slice(b"18446744073709551616"),
            }
        }
        Value::Float(number) if number.is_finite() => {
            text.extend_from_slice(zmij::Buffer::new().format_finite(*number).as_bytes());
        }
        Value::Float(_) => text.extend_from_slice(b"null"),
        Value::Text(string) => write_string(text, string),
        Value::Array(values) => {
            text.push(b'[');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    text.push(b',');
                }
                write(text, value);
            }
            text.push(b']');
        }
        Value::Map(pairs) => {
            text.push(b'{');
            for (index, (key, value)) in pairs.iter().enumerate() {
                if index > 0 {
                    text.push(b',');
                }
                write_string(text, key);
                text.push(b':');
                write(text, value);
            }
            text.push(b'}');
        }
    }
}

/// With the shortest escapes, and no more of them than RFC 8259 §7 asks for.
fn write_string(text: &mut Vec<u8>, string: &str) {
    text.push(b'"');
    let mut rest = string.as_bytes();
    loop {
        let at = special(rest);
        text.extend_from_slice(rest.get(..at).unwrap_or_default());
        let Some(byte) = rest.get(at) else {
            break;
        };
        let escape: &[u8] = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            0x08 => b"\\b",
            0x0c => b"\\f",
            _ => b"\\u00",
        };
        text.extend_from_slice(escape);
        if escape.len() > 2 {
            text.push(b'0' + (byte >> 4));
            text.push(b"0123456789abcdef"[usize::from(byte & 15)]);
        }
        rest = rest.get(at + 1..).unwrap_or_default();
    }
    text.push(b'"');
}
