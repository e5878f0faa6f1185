//! Requests that must not reach the homeserver: a file per case in `bad_requests/`.
//!
//! Each has the device's request (`method`, `path`, and where wanted `proxy_uri`, `token`, `cbor` or `hex`,
//! `content_format`, `accept`, `options`), the `code` of the response, and a word of its `diagnostic`. `H` in a
//! Proxy-Uri stands for the configured homeserver's origin, `OTHER` for one that is not configured.

use std::fs;

use comatrix_tests::aiocoap::bytes;
use comatrix_tests::device::{Payload, Request};
use comatrix_tests::places;
use comatrix_tests::stub::{Behaviour, Stub};
use serde_json::{Value, json};

use crate::stage::Stubbed;

fn request(case: &Value, homeserver: &str, other: &str) -> Request {
    let number = |name: &str| {
        case[name]
            .as_u64()
            .and_then(|number| u16::try_from(number).ok())
    };
    let method = match case["method"].as_str() {
        Some("GET") => "GET",
        Some("POST") => "POST",
        Some("PUT") => "PUT",
        Some("DELETE") => "DELETE",
        method => panic!("the method {method:?} is not provided for"),
    };
    let mut request = Request::new(
        method,
        case["path"].as_str().expect("every case has a path"),
    );
    if let Some(uri) = case["proxy_uri"].as_str() {
        request = request.proxy_uri(&uri.replacen("OTHER", other, 1).replacen('H', homeserver, 1));
    }
    if let Some(token) = case["token"].as_str() {
        request = request.token(token);
    }
    for option in case["options"].as_array().into_iter().flatten() {
        let number = option[0]
            .as_u64()
            .and_then(|number| u16::try_from(number).ok());
        request = request.option(
            number.expect("a number"),
            &bytes(option[1].as_str().expect("digits")),
        );
    }
    if let Some(hex) = case["hex"].as_str() {
        request.payload = Payload::Bytes(bytes(hex));
    } else if let Some(value) = case.get("cbor") {
        request.payload = Payload::Cbor(value.clone());
    } else if let Some(text) = case["text"].as_str() {
        request.payload = Payload::Bytes(text.as_bytes().to_vec());
    }
    request.content_format = number("content_format");
    request.accept = number("accept");
    request
}

#[test]
fn every_bad_request_gets_its_precise_response_and_reaches_no_homeserver() {
    // It would agree to anything.
    let agree = json!({ "access_token": "t", "room_id": "!r:s", "event_id": "$e", "chunk": [] });
    let mut stubbed = Stubbed::always(Behaviour::json(200, agree.clone()));
    let other = Stub::always(Behaviour::json(200, agree));
    let folder = places::workspace().join("tests/end_to_end/bad_requests");
    let mut files: Vec<_> = fs::read_dir(&folder)
        .expect("the cases are there")
        .flatten()
        .map(|entry| entry.path())
        .collect();
    files.sort();
    assert!(files.len() > 50, "only {} cases were found", files.len());
    let mut wrong = Vec::new();
    for file in files {
        let name = file
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let text = fs::read_to_string(&file).expect("a case is readable");
        let case: Value =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let calls = stubbed.stub.received().len();
        let response =
            stubbed
                .device
                .try_request(&request(&case, &stubbed.stub.origin, &other.origin));
        let response = match response {
            Ok(response) => response,
            Err(error) => {
                wrong.push(format!("{name}: no response: {error}"));
                continue;
            }
        };
        if Some(response.code.as_str()) != case["code"].as_str() {
            wrong.push(format!(
                "{name}: {} instead of {}: {}",
                response.code,
                case["code"],
                response.text()
            ));
        }
        let word = case["diagnostic"].as_str().unwrap_or_default();
        if !response.text().contains(word) {
            wrong.push(format!(
                "{name}: the diagnostic has no {word:?}: {:?}",
                response.text()
            ));
        }
        if stubbed.stub.received().len() != calls {
            wrong.push(format!("{name}: the homeserver was asked"));
        }
    }
    assert_eq!(
        other.connections(),
        0,
        "a homeserver that is not configured was reached"
    );
    assert!(wrong.is_empty(), "{wrong:#?}");
}
