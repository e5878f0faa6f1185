//! Payloads that are read and payloads that are refused: the cases stand in `cbor/` and `json/`, as files.

use comatrix_sdk::{Value, cbor, json};
use proptest::prelude::*;
use serde_json::Value as Case;

fn cases(file: &str) -> Vec<Case> {
    let path = format!("{}/tests/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let cases: Vec<Case> =
        serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
    assert!(!cases.is_empty(), "{path} holds no case");
    cases
}

fn text<'a>(case: &'a Case, field: &str) -> &'a str {
    case[field]
        .as_str()
        .unwrap_or_else(|| panic!("{field} of {case}"))
}

fn bytes(case: &Case, field: &str) -> Vec<u8> {
    let digits = text(case, field);
    let byte = |at| {
        u8::from_str_radix(&digits[at..at + 2], 16).unwrap_or_else(|_| panic!("{field} of {case}"))
    };
    (0..digits.len()).step_by(2).map(byte).collect()
}

fn assert_refused(case: &Case, offset: usize, reason: &str) {
    assert_eq!(
        Some(offset as u64),
        case["offset"].as_u64(),
        "{case}: {reason}"
    );
    assert!(reason.contains(text(case, "reason")), "{case}: {reason}");
}

#[test]
fn cbor_with_a_json_form_is_read_and_written_in_its_shortest_form() {
    for case in cases("cbor/accepted.json") {
        let value =
            cbor::decode(&bytes(&case, "hex")).unwrap_or_else(|error| panic!("{case}: {error}"));
        assert_eq!(
            String::from_utf8_lossy(&json::encode(&value)),
            text(&case, "json"),
            "{case}"
        );
        assert_eq!(cbor::encode(&value), bytes(&case, "shortest"), "{case}");
    }
}

#[test]
fn other_cbor_is_refused_at_the_byte_where_it_goes_wrong() {
    for case in cases("cbor/refused.json") {
        match cbor::decode(&bytes(&case, "hex")) {
            Err(error) => assert_refused(&case, error.offset, &error.reason),
            Ok(value) => panic!("{case} was read as {value:?}"),
        }
    }
}

#[test]
fn json_is_read_and_written_in_its_shortest_form() {
    for case in cases("json/accepted.json") {
        let value = json::decode(text(&case, "text").as_bytes())
            .unwrap_or_else(|error| panic!("{case}: {error}"));
        assert_eq!(
            String::from_utf8_lossy(&json::encode(&value)),
            text(&case, "shortest"),
            "{case}"
        );
    }
}

#[test]
fn other_json_is_refused_at_the_byte_where_it_goes_wrong() {
    for case in cases("json/refused.json") {
        match json::decode(text(&case, "text").as_bytes()) {
            Err(error) => assert_refused(&case, error.offset, &error.reason),
            Ok(value) => panic!("{case} was read as {value:?}"),
        }
    }
}

#[test]
fn more_values_than_the_bound_are_refused_in_both_formats() {
    let most = comatrix_sdk::value::MAX_VALUES - 1;
    for (count, accepted) in [(most, true), (most + 1, false)] {
        let array = Value::Array(vec![Value::Null; count]);
        assert_eq!(cbor::decode(&cbor::encode(&array)).is_ok(), accepted);
        assert_eq!(json::decode(&json::encode(&array)).is_ok(), accepted);
    }
}

#[test]
fn a_declared_length_takes_no_memory() {
    // 32 arrays within each other, each declaring 2^31 elements: reserved in advance, that would be terabytes.
    let nested = [0x9a, 0x80, 0, 0, 0].repeat(32);
    assert!(cbor::decode(&nested).is_err());
}

#[test]
fn a_long_string_and_deep_nesting_are_found_without_parsing() {
    assert!(json::check(br#"{"a":"12\"4"}"#, 1, 7).is_ok());
    assert_eq!(
        json::check(br#"{"a":"12\"4"}"#, 1, 6).map_err(|error| error.offset),
        Err(5)
    );
    assert_eq!(
        json::check(br#"{"a":[]}"#, 1, 100).map_err(|error| error.offset),
        Err(5)
    );
}

/// JSON texts, whole and damaged.
fn texts() -> impl Strategy<Value = Vec<u8>> {
    let scalar = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("false".to_owned()),
        "-?(0|[1-9][0-9]{0,18})(\\.[0-9]{1,6})?([eE][+-]?[0-9]{1,2})?",
        r#""([a-z\u{80}-\u{ffff}]|\\["\\/bfnrt]|\\u(00|d8|dc)[0-9a-fA-F]{2}){0,6}""#,
        any::<f64>().prop_map(|number| serde_json::Value::from(number).to_string()),
    ];
    let text = scalar.prop_recursive(4, 32, 4, |inner| {
        let members = prop::collection::vec(inner, 0..4);
        (members, "[ \n]?", any::<bool>()).prop_map(|(values, blank, is_array)| {
            let keyed =
                |(index, value): (usize, &String)| format!("{blank}\"{index}\":{blank}{value}");
            match is_array {
                true => format!("[{blank}{}{blank}]", values.join(&format!(",{blank}"))),
                false => {
                    let members: Vec<_> = values.iter().enumerate().map(keyed).collect();
                    format!("{{{}{blank}}}", members.join(","))
                }
            }
        })
    });
    let damage = prop::option::of((
        any::<prop::sample::Index>(),
        prop::sample::select(b"\"\\{}[],:-+.eE0 u\xff".to_vec()),
    ));
    (text, damage).prop_map(|(text, damage)| {
        let mut bytes = text.into_bytes();
        if let Some((at, byte)) = damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn json_is_read_as_serde_json_reads_it(text in texts()) {
        let read = json::decode(&text);
        match serde_json::from_slice::<Case>(&text) {
            Ok(expected) => match read {
                Ok(value) => {
                    let written: Case = serde_json::from_str(&json::to_text(&value))?;
                    prop_assert_eq!(written, expected);
                }
                // serde_json reads longer integers as floats, and lets repeated keys pass.
                Err(error) => prop_assert!(
                    ["64 bits", "twice"].iter().any(|reason| error.reason.contains(reason)),
                    "{}", error
                ),
            },
            Err(_) => prop_assert!(read.is_err(), "{:?}", read),
        }
    }

    #[test]
    fn what_decodes_is_skipped_too(text in texts()) {
        if json::decode(&text).is_ok() {
            prop_assert_eq!(json::check(&text, 32, usize::MAX), Ok(()));
        }
    }
}

/// Integers 1 to 3 for these names.
const KEYS: cbor::KeyTable = cbor::KeyTable::new(&["event_id", "type", "content"], &[2, 0, 1]);

#[test]
fn integer_keys_are_names_or_digits_and_a_text_wins_over_its_integer() {
    for (name, bytes, expected) in [
        (
            "{1: 11, 3: {2: 1}}",
            &b"\xa2\x01\x0b\x03\xa1\x02\x01"[..],
            r#"{"event_id":11,"content":{"type":1}}"#,
        ),
        (
            "{\"event_id\": 11, 1: 12}",
            b"\xa2\x68event_id\x0b\x01\x0c",
            r#"{"event_id":11}"#,
        ),
        (
            "{1: 12, \"event_id\": 11}",
            b"\xa2\x01\x0c\x68event_id\x0b",
            r#"{"event_id":11}"#,
        ),
        (
            "{\"2\": 1, 2: 3}",
            b"\xa2\x612\x01\x02\x03",
            r#"{"2":1,"type":3}"#,
        ),
        (
            "{500: 1, \"500\": 2}",
            b"\xa2\x19\x01\xf4\x01\x63500\x02",
            r#"{"500":2}"#,
        ),
        (
            "{-1: 1, 0: 2}",
            b"\xa2\x20\x01\x00\x02",
            r#"{"-1":1,"0":2}"#,
        ),
        ("{_ 2: 1}", b"\xbf\x02\x01\xff", r#"{"type":1}"#),
        (
            "{\"a\": 2}, a value that is an integer",
            b"\xa1\x61a\x02",
            r#"{"a":2}"#,
        ),
    ] {
        let (value, _) =
            cbor::decode_with_keys(bytes, &KEYS).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(json::to_text(&value), expected, "{name}");
    }
}

#[test]
fn it_is_said_whether_there_was_an_integer_key() {
    for (bytes, expected) in [
        (&b"\xa1\x01\x0b"[..], true),
        (b"\x81\xa1\x61a\xa1\x02\x01", true),
        (b"\xa1\x68event_id\x01", false),
        (b"\x01", false),
    ] {
        let decoded = cbor::decode_with_keys(bytes, &KEYS).map(|(_, has_integers)| has_integers);
        assert_eq!(decoded, Ok(expected), "{bytes:x?}");
    }
}

#[test]
fn a_key_twice_in_one_form_and_other_keys_are_refused_with_their_byte() {
    for (bytes, offset, reason) in [
        (&b"\x81\xa2\x01\x0b\x01\x0c"[..], 1, "twice"),
        (b"\xa2\x61a\x0b\x61a\x0c", 0, "twice"),
        (b"\xa2\x01\x01\x41a\x02", 3, "no text and no integer"),
        (b"\xa1\xf5\x01", 1, "no text and no integer"),
        (b"\xa1\x01\x41a", 2, "byte strings"),
    ] {
        let error = cbor::decode_with_keys(bytes, &KEYS).expect_err("refused");
        assert_eq!(error.offset, offset, "{bytes:x?}: {error}");
        assert!(error.reason.contains(reason), "{bytes:x?}: {error}");
    }
}
