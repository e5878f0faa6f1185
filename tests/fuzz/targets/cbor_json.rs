//! Any bytes as CBOR, with and without integers for the keys of maps, and as JSON: refused at a byte of theirs, or a
//! value that both formats carry without a change.
#![no_main]

use comatrix_sdk::cbor::KeyTable;
use comatrix_sdk::transcode::{TranscodeError, json_to_cbor};
use comatrix_sdk::value::MAX_VALUES;
use comatrix_sdk::{Value, cbor, json};
use libfuzzer_sys::fuzz_target;

/// Names that a mutation of a few bytes makes.
const KEYS: KeyTable = KeyTable::new(&["a", "type", "b", ""], &[3, 0, 2, 1]);

/// Whether the value has a name of the table as a key.
fn has_key(value: &Value) -> bool {
    match value {
        Value::Array(values) => values.iter().any(has_key),
        Value::Map(pairs) => pairs.iter().any(|(key, value)| KEYS.number(key).is_some() || has_key(value)),
        _ => false,
    }
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(values) => values.iter().map(count).sum(),
        Value::Map(pairs) => pairs.iter().map(|(_, value)| count(value)).sum(),
        _ => 0,
    }
}

fn check(value: &Value) {
    assert!(count(value) <= MAX_VALUES);
    assert_eq!(cbor::decode(&cbor::encode(value)).as_ref(), Ok(value));
    let text = json::encode(value);
    assert_eq!(json::decode(&text).as_ref(), Ok(value));
    for keys in [None, Some(&KEYS)] {
        let transcoded = json_to_cbor(&text, keys, usize::MAX);
        let decoded = transcoded.map(|bytes| cbor::decode_with_keys(&bytes, &KEYS));
        assert_eq!(decoded, Ok(Ok((value.clone(), has_key(value) && keys.is_some()))));
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
    match cbor::decode_with_keys(bytes, &KEYS) {
        Ok((value, _)) => check(&value),
        Err(error) => assert!(error.offset <= bytes.len()),
    }
    match json_to_cbor(bytes, Some(&KEYS), 2 * bytes.len()) {
        Ok(cbor) => assert!(cbor.len() <= 2 * bytes.len()),
        Err(TranscodeError::Json(error)) => assert!(error.offset <= bytes.len()),
        Err(TranscodeError::TooLarge) => {}
    }
    match json::decode(bytes) {
        Ok(value) => check(&value),
        Err(error) => assert!(error.offset <= bytes.len()),
    }
});
