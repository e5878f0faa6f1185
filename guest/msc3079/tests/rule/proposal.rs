//! The proposal's own vectors, which its other implementations pass as well.

use comatrix_sdk::{cbor, json, transcode};
use msc3079_rule::tables::KEYS;
use msc3079_rule::{path, tables};
use serde_json::Value as Json;

fn vectors() -> Json {
    serde_json::from_str(include_str!("proposal.json")).expect("the file is JSON")
}

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal");
    (0..hex.len()).step_by(2).map(digit).collect()
}

fn text<'a>(vector: &'a Json, field: &str) -> &'a str {
    vector[field]
        .as_str()
        .unwrap_or_else(|| panic!("{field} of {vector}"))
}

fn array(vectors: &Json, field: &str) -> Vec<Json> {
    let array = vectors[field].as_array().cloned().unwrap_or_default();
    assert!(!array.is_empty(), "no {field}");
    array
}

fn to_http(path: &str) -> String {
    let segments: Vec<String> = path.split('/').skip(1).map(str::to_owned).collect();
    let path = path::at_homeserver(&segments).unwrap_or_else(|error| panic!("{path}: {error:?}"));
    path.iter().map(|segment| format!("/{segment}")).collect()
}

#[test]
fn documents_go_both_ways() {
    for vector in array(&vectors(), "cbor") {
        let cbor = bytes(text(&vector, "hex"));
        let (value, has_integer_keys) = cbor::decode_with_keys(&cbor, &KEYS).expect("it is CBOR");
        assert!(has_integer_keys);
        let decoded: Json = serde_json::from_slice(&json::encode(&value)).expect("it is JSON");
        assert_eq!(decoded, vector["json"]);
        // Canonical: the keys in the order of their bytes, which is that of the vector and not of its JSON.
        let again = transcode::json_to_cbor(&json::encode(&value), Some(&KEYS), usize::MAX);
        assert_eq!(again, Ok(cbor));
    }
}

#[test]
fn a_text_key_wins_over_its_integer() {
    let expected = &vectors()["collision"]["json"];
    let (value, _) =
        cbor::decode_with_keys(b"\xa2\x68event_id\x0b\x01\x0c", &KEYS).expect("it is CBOR");
    let decoded: Json = serde_json::from_slice(&json::encode(&value)).expect("it is JSON");
    assert_eq!(&decoded, expected);
}

#[test]
fn paths_lead_to_the_same_place() {
    let vectors = vectors();
    for vector in array(&vectors, "paths_both_ways") {
        assert_eq!(to_http(text(&vector, "coap")), text(&vector, "http"));
        assert_eq!(to_http(text(&vector, "http")), text(&vector, "http"));
    }
    for vector in array(&vectors, "paths_coap_to_http") {
        let coap = text(&vector, "coap");
        // The gateway serves the Client-Server API only: what passes unchanged elsewhere is 4.04 here.
        if coap == "/AAA" {
            assert_eq!(tables::path("AAA"), None);
            assert!(path::at_homeserver(&["AAA".to_owned()]).is_err());
            continue;
        }
        // The gateway percent-encodes what it gets decoded.
        assert_eq!(to_http(coap).replace('#', "%23"), text(&vector, "http"));
    }
}
