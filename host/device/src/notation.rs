//! CBOR values as people read them (after the diagnostic notation of RFC 8949 §8) and as JSON.

use ciborium::Value;

/// A value in diagnostic notation, on one line, safe for a terminal.
pub fn notation(value: &Value) -> String {
    match value {
        Value::Integer(integer) => i128::from(*integer).to_string(),
        Value::Bytes(bytes) => format!("h'{}'", hex(bytes)),
        Value::Float(float) => float_notation(*float),
        Value::Text(text) => quoted(text),
        Value::Bool(truth) => truth.to_string(),
        Value::Null => "null".to_owned(),
        Value::Tag(number, inner) => format!("{number}({})", notation(inner)),
        Value::Array(items) => format!("[{}]", joined(items.iter().map(notation))),
        Value::Map(entries) => {
            let entry =
                |(key, value): &(Value, Value)| format!("{}: {}", notation(key), notation(value));
            format!("{{{}}}", joined(entries.iter().map(entry)))
        }
        // The enum may grow.
        _ => "(unknown kind of value)".to_owned(),
    }
}

/// A value as JSON. Values without a JSON form (bytes, tags, infinities, keys that are not text) are in diagnostic
/// notation.
pub fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Integer(integer) => match (u64::try_from(*integer), i64::try_from(*integer)) {
            (Ok(natural), _) => natural.into(),
            (_, Ok(negative)) => negative.into(),
            _ => notation(value).into(),
        },
        Value::Float(float) => match serde_json::Number::from_f64(*float) {
            Some(number) => number.into(),
            None => notation(value).into(),
        },
        Value::Text(text) => text.as_str().into(),
        Value::Bool(truth) => (*truth).into(),
        Value::Null => serde_json::Value::Null,
        Value::Array(items) => items.iter().map(json).collect(),
        Value::Map(entries) => {
            let key = |key: &Value| key.as_text().map_or_else(|| notation(key), str::to_owned);
            let entry = |(name, value): &(Value, Value)| (key(name), json(value));
            serde_json::Value::Object(entries.iter().map(entry).collect())
        }
        other => notation(other).into(),
    }
}

/// Text without control characters, which could steer the terminal: they are shown as `\u{1b}`.
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character.is_control() || is_direction_mark(character) {
            true => shown.extend(character.escape_unicode()),
            false => shown.push(character),
        }
    }
    shown
}

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Marks that change the reading order of a line.
fn is_direction_mark(character: char) -> bool {
    matches!(character, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn quoted(text: &str) -> String {
    // JSON's escapes for quotes, backslashes and newlines; the rest of the control characters by `printable`.
    printable(&serde_json::Value::from(text).to_string())
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

fn float_notation(float: f64) -> String {
    match float {
        _ if float.is_nan() => "NaN".to_owned(),
        _ if float.is_infinite() => (if float > 0.0 { "Infinity" } else { "-Infinity" }).to_owned(),
        _ => format!("{float:?}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(hex: &str) -> Value {
        let byte = |start| u8::from_str_radix(&hex[start..start + 2], 16).expect("hex");
        let bytes: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect();
        ciborium::from_reader(bytes.as_slice()).expect("CBOR")
    }

    #[test]
    fn the_examples_of_rfc_8949_are_written_as_it_does() {
        for (bytes, written) in [
            ("1bffffffffffffffff", "18446744073709551615"),
            ("3903e7", "-1000"),
            ("fb3ff199999999999a", "1.1"),
            ("f97c00", "Infinity"),
            ("f97e00", "NaN"),
            ("f5", "true"),
            ("f6", "null"),
            ("4401020304", "h'01020304'"),
            ("62225c", r#""\"\\""#),
            ("c11a514b67b0", "1(1363896240)"),
            ("8301820203820405", "[1, [2, 3], [4, 5]]"),
            ("a26161016162820203", r#"{"a": 1, "b": [2, 3]}"#),
            ("bf6346756ef563416d7421ff", r#"{"Fun": true, "Amt": -2}"#),
        ] {
            assert_eq!(notation(&read(bytes)), written);
        }
    }

    #[test]
    fn json_has_a_form_for_everything() {
        let value = read("a401f97c00616144010203046162a1616301f63b7fffffffffffffff");
        assert_eq!(
            json(&value).to_string(),
            r#"{"1":"Infinity","a":"h'01020304'","b":{"c":1},"null":-9223372036854775808}"#
        );
    }

    proptest! {
        #[test]
        fn nothing_printed_can_steer_a_terminal(text in "\\PC*[\u{0}-\u{9f}\u{202e}]{0,8}\\PC*") {
            let shown = notation(&Value::Text(text));
            let steers = shown.chars().any(|character| character.is_control() || is_direction_mark(character));
            prop_assert!(!steers);
        }
    }
}
