//! Any bytes as CBOR and as JSON: refused at a byte of theirs, or a value that both
//! formats carry without a change.
#![no_main]

use comatrix_sdk::value::MAX_VALUES;
use comatrix_sdk::{Value, cbor, json};
use libfuzzer_sys::fuzz_target;

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(values) => values.iter().map(count).sum(),
        Value::Map(pairs) => pairs.iter().map(|(_, value)| count(value)).sum(),
        _ => 0,
    }
}

/// Whether JSON carries it: integers below −2^63 stand in CBOR only (`json::decode` says so).
fn has_json(value: &Value) -> bool {
    match value {
        Value::Negative(number) => i64::try_from(*number).is_ok(),
        Value::Array(values) => values.iter().all(has_json),
        Value::Map(pairs) => pairs.iter().all(|(_, value)| has_json(value)),
        _ => true,
    }
}

fn check(value: &Value) {
    assert!(count(value) <= MAX_VALUES);
    assert_eq!(cbor::decode(&cbor::encode(value)).as_ref(), Ok(value));
    if has_json(value) {
        assert_eq!(json::decode(&json::encode(value)).as_ref(), Ok(value));
    }
}

fuzz_target!(|bytes: &[u8]| {
    match cbor::decode(bytes) {
        Ok(value) => {
            check(&value);
            // Arrays and maps without a length take two bytes, the longest ones with one three.
            assert!(cbor::encode(&value).len() <= bytes.len() + count(&value));
        }
        Err(error) => assert!(error.offset <= bytes.len()),
    }
    match json::decode(bytes) {
        Ok(value) => check(&value),
        Err(error) => assert!(error.offset <= bytes.len()),
    }
});
