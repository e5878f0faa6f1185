//! [`Value`]s as JSON text.

use super::IS_SPECIAL;
use crate::text::push_decimal;
use crate::value::Value;

/// Writes a value without white space, maps in the order they have. A number that JSON does not
/// have (only a value made by hand can hold one) becomes `null`.
pub fn to_text(value: &Value) -> String {
    let mut text = String::with_capacity(128);
    write(&mut text, value);
    text
}

fn write(text: &mut String, value: &Value) {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(true) => text.push_str("true"),
        Value::Bool(false) => text.push_str("false"),
        Value::Unsigned(number) => push_decimal(text, *number),
        Value::Negative(number) => {
            text.push('-');
            match number.checked_add(1) {
                Some(number) => push_decimal(text, number),
                None => text.push_str("18446744073709551616"),
            }
        }
        Value::Float(number) if number.is_finite() => {
            text.push_str(zmij::Buffer::new().format_finite(*number));
        }
        Value::Float(_) => text.push_str("null"),
        Value::Text(string) => write_string(text, string),
        Value::Array(values) => {
            text.push('[');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write(text, value);
            }
            text.push(']');
        }
        Value::Map(pairs) => {
            text.push('{');
            for (index, (key, value)) in pairs.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_string(text, key);
                text.push(':');
                write(text, value);
            }
            text.push('}');
        }
    }
}

/// With the shortest escapes, and no more of them than RFC 8259 §7 asks for. `get`, since slicing a text carries the printing of
/// a panic into a component, 4 KB.
fn write_string(text: &mut String, string: &str) {
    text.push('"');
    let mut rest = string;
    while let Some(at) = rest.bytes().position(|byte| IS_SPECIAL[usize::from(byte)]) {
        text.push_str(rest.get(..at).unwrap_or_default());
        let byte = rest.as_bytes()[at];
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0x08 => "\\b",
            0x0c => "\\f",
            _ => "\\u00",
        };
        text.push_str(escape);
        if escape.len() > 2 {
            text.push(char::from(b'0' + (byte >> 4)));
            text.push(char::from(b"0123456789abcdef"[usize::from(byte & 15)]));
        }
        rest = rest.get(at + 1..).unwrap_or_default();
    }
    text.push_str(rest);
    text.push('"');
}
