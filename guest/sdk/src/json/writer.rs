//! [`Value`]s as JSON text.

use crate::value::Value;

/// Bytes of the longest 64-bit integer.
const MAX_DIGITS: usize = 20;

/// Writes a value without white space, maps in the order they have. A number that JSON does not
/// have (only a value made by hand can hold one) becomes `null`.
pub fn to_text(value: &Value) -> String {
    let mut text = String::new();
    write(&mut text, value);
    text
}

fn write(text: &mut String, value: &Value) {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(true) => text.push_str("true"),
        Value::Bool(false) => text.push_str("false"),
        Value::Unsigned(number) => write_integer(text, *number),
        Value::Negative(number) => {
            text.push('-');
            match number.checked_add(1) {
                Some(number) => write_integer(text, number),
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

/// Without `fmt`, and without an allocation of its own: the text goes on growing in place (`allocator`).
fn write_integer(text: &mut String, mut number: u64) {
    let mut digits = [b'0'; MAX_DIGITS];
    let mut start = MAX_DIGITS - 1;
    loop {
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
        start -= 1;
    }
    digits[start..]
        .iter()
        .for_each(|digit| text.push(char::from(*digit)));
}

/// With the shortest escapes, and no more of them than RFC 8259 §7 asks for. `get`, since slicing a text carries the printing of
/// a panic into a component, 4 KB.
fn write_string(text: &mut String, string: &str) {
    text.push('"');
    let mut written = 0;
    for (at, byte) in string.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0x08 => "\\b",
            0x0c => "\\f",
            0..0x20 => "\\u00",
            _ => continue,
        };
        text.push_str(string.get(written..at).unwrap_or_default());
        text.push_str(escape);
        if escape.len() > 2 {
            text.push(char::from(b'0' + (byte >> 4)));
            text.push(char::from(b"0123456789abcdef"[usize::from(byte & 15)]));
        }
        written = at + 1;
    }
    text.push_str(string.get(written..).unwrap_or_default());
    text.push('"');
}
