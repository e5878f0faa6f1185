//! Documents of the API, a file each: every event type and every response that the tables have words for. From CBOR to
//! JSON and back, with and without integer keys, they mean the same.

use std::sync::LazyLock;

use comatrix_sdk::value::Value;
use comatrix_sdk::{cbor, json, transcode};
use msc3079_rule::tables::KEYS;
use proptest::prelude::*;

/// Name and content of each.
static DOCUMENTS: LazyLock<Vec<(String, Value)>> = LazyLock::new(|| {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/rule/documents");
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let mut documents: Vec<_> = entries
        .map(|entry| {
            let path = entry.expect("a file").path();
            let text = std::fs::read(&path).expect("it can be read");
            let name = path
                .file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            let value = json::decode(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            (name, value)
        })
        .collect();
    documents.sort_by(|one, other| one.0.cmp(&other.0));
    documents
});

/// From CBOR to JSON, as a request goes, and back to CBOR, as a response goes.
fn through(cbor: &[u8], has_integer_keys: bool) -> Vec<u8> {
    let (value, _) = cbor::decode_with_keys(cbor, &KEYS).expect("it is CBOR");
    let text = json::encode(&value);
    let keys = has_integer_keys.then_some(&KEYS);
    transcode::json_to_cbor(&text, keys, usize::MAX).expect("it is JSON")
}

fn assert_same(name: &str, value: &Value) {
    let named = cbor::encode(value);
    let text = json::encode(value);
    let numbered = transcode::json_to_cbor(&text, Some(&KEYS), usize::MAX).expect("it is JSON");
    assert_eq!(through(&named, false), named, "{name}");
    assert_eq!(through(&named, true), numbered, "{name}");
    assert_eq!(through(&numbered, true), numbered, "{name}");
    assert_eq!(through(&numbered, false), named, "{name}");
    assert!(numbered.len() <= named.len(), "{name}");
}

#[test]
fn every_document_means_the_same_in_cbor_and_in_json() {
    assert!(DOCUMENTS.len() > 100, "only {} documents", DOCUMENTS.len());
    for (name, value) in DOCUMENTS.iter() {
        assert_same(name, value);
    }
}

#[test]
fn every_key_of_the_table_is_in_a_document() {
    fn keys(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Map(pairs) => {
                for (key, value) in pairs {
                    found.push(key.clone());
                    keys(value, found);
                }
            }
            Value::Array(values) => values.iter().for_each(|value| keys(value, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    DOCUMENTS
        .iter()
        .for_each(|(_, value)| keys(value, &mut found));
    let names = (1..=104).filter_map(|number| KEYS.name(number));
    let absent: Vec<_> = names
        .filter(|name| !found.iter().any(|key| key == name))
        .collect();
    assert!(absent.is_empty(), "{absent:?}");
}

/// A document with other scalars and, at some places, other keys.
fn changed() -> impl Strategy<Value = Value> {
    let count = DOCUMENTS.len();
    let scalars = prop::collection::vec(
        prop_oneof![
            any::<u64>().prop_map(Value::Unsigned),
            any::<u64>().prop_map(Value::Negative),
            prop::num::f64::NORMAL.prop_map(Value::Float),
            any::<bool>().prop_map(Value::Bool),
            Just(Value::Null),
            ".{0,20}".prop_map(Value::Text),
        ],
        1..20,
    );
    let keys = prop::collection::vec("[0-9]{1,3}|type|event_id|[a-z]{1,6}", 1..10);
    (0..count, scalars, keys, any::<u32>()).prop_map(|(index, scalars, keys, seed)| {
        let mut value = DOCUMENTS[index].1.clone();
        let mut turn = seed as usize;
        change(&mut value, &scalars, &keys, &mut turn);
        value
    })
}

fn change(value: &mut Value, scalars: &[Value], keys: &[String], turn: &mut usize) {
    *turn = turn.wrapping_mul(31).wrapping_add(7);
    match value {
        Value::Array(values) => {
            values
                .iter_mut()
                .for_each(|value| change(value, scalars, keys, turn));
        }
        Value::Map(pairs) => {
            for (_, value) in pairs.iter_mut() {
                change(value, scalars, keys, turn);
            }
            let key = &keys[*turn % keys.len()];
            if !pairs.iter().any(|(name, _)| name == key) {
                pairs.push((key.clone(), scalars[*turn % scalars.len()].clone()));
            }
        }
        scalar if turn.is_multiple_of(3) => *scalar = scalars[*turn % scalars.len()].clone(),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn any_document_means_the_same_in_cbor_and_in_json(value in changed()) {
        assert_same("a changed document", &value);
    }
}
