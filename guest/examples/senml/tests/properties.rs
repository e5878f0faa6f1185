//! Any packs: never a panic, and an accepted one becomes an event that Matrix takes.

use comatrix_sdk::Value;
use comatrix_sdk::error_response::ErrorResponse;
use comatrix_sdk::payload::Format;
use proptest::prelude::*;
use senml_rule::{cbor, content, json, pack::Pack};

const LABELS: &[(i64, &str)] = &[
    (-2, "bn"),
    (-3, "bt"),
    (-4, "bu"),
    (-5, "bv"),
    (-6, "bs"),
    (0, "n"),
    (1, "u"),
    (2, "v"),
    (3, "vs"),
    (4, "vb"),
    (5, "s"),
    (6, "t"),
    (7, "ut"),
];

/// The event's content, or why there is none.
fn translate(
    read: fn(&[u8], &mut Pack) -> Result<(), ErrorResponse>,
    payload: &[u8],
) -> Result<Value, ErrorResponse> {
    let mut pack = Pack::new(Some(1_700_000_000));
    read(payload, &mut pack)?;
    content::content(&pack.finish()?)
}

fn scalar(label: &'static str) -> BoxedStrategy<Value> {
    match label {
        "bn" | "n" => "[a-z][a-z0-9:/_.-]{0,6}".prop_map(Value::Text).boxed(),
        "bu" | "u" => "(Cel|%RH|V|lx)".prop_map(Value::Text).boxed(),
        "vs" => ".{0,12}".prop_map(Value::Text).boxed(),
        "vb" => any::<bool>().prop_map(Value::Bool).boxed(),
        _ => prop_oneof![
            any::<i32>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            // Those that fit four bytes are sent as such, and mean fewer digits than JSON writes.
            prop::num::f64::NORMAL
                .prop_filter("eight bytes", |number| f64::from(*number as f32) != *number)
                .prop_map(Value::Float),
        ]
        .boxed(),
    }
}

/// A record as a list of labels, most of them fit for each other.
fn record() -> impl Strategy<Value = Vec<(usize, Value)>> {
    let places: Vec<usize> = (0..LABELS.len()).collect();
    prop::sample::subsequence(places, 0..6).prop_flat_map(|places| {
        places
            .into_iter()
            .map(|place| (Just(place), scalar(LABELS[place].1)))
            .collect::<Vec<_>>()
    })
}

fn as_json(records: &[Vec<(usize, Value)>]) -> Vec<u8> {
    let map = |record: &Vec<(usize, Value)>| {
        let pairs = record
            .iter()
            .map(|(place, value)| (LABELS[*place].1.to_owned(), value.clone()));
        Value::Map(pairs.collect())
    };
    Format::Json.encode(&Value::Array(records.iter().map(map).collect()))
}

fn as_cbor(records: &[Vec<(usize, Value)>]) -> Vec<u8> {
    let mut bytes = vec![0x80 + records.len() as u8];
    for record in records {
        bytes.push(0xa0 + record.len() as u8);
        for (place, value) in record {
            bytes.extend(Format::Cbor.encode(&Value::from(LABELS[*place].0)));
            bytes.extend(Format::Cbor.encode(value));
        }
    }
    bytes
}

fn floats(value: &Value) -> bool {
    match value {
        Value::Float(_) => true,
        Value::Array(values) => values.iter().any(floats),
        Value::Map(pairs) => pairs.iter().any(|(_, value)| floats(value)),
        _ => false,
    }
}

proptest! {
    #[test]
    fn a_pack_means_the_same_in_cbor_and_in_json(records in prop::collection::vec(record(), 0..4)) {
        let from_json = translate(json::read, &as_json(&records));
        let from_cbor = translate(cbor::read, &as_cbor(&records));
        match (from_json, from_cbor) {
            (Ok(one), Ok(other)) => {
                prop_assert!(!floats(&one), "{one:?}");
                prop_assert_eq!(one, other);
            }
            (Err(one), Err(other)) => prop_assert_eq!(one.code, other.code),
            (one, other) => prop_assert!(false, "{one:?} {other:?}"),
        }
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        let _ = translate(cbor::read, &bytes);
        let _ = translate(json::read, &bytes);
    }

    #[test]
    fn no_damaged_pack_panics(
        records in prop::collection::vec(record(), 1..4),
        at in any::<prop::sample::Index>(),
        byte: u8,
    ) {
        let packs = [
            (cbor::read as fn(&[u8], &mut Pack) -> _, as_cbor(&records)),
            (json::read, as_json(&records)),
        ];
        for (read, mut bytes) in packs {
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if let Ok(content) = translate(read, &bytes) {
                prop_assert!(!floats(&content));
            }
            let _ = translate(read, &bytes[..at]);
        }
    }
}
