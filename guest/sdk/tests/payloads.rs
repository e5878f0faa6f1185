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
