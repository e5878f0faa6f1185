//! Every valid request of the rule's cases, cut off at every byte, against a fresh endpoint: the rest is a shorter
//! message, or it is rejected as RFC 7252 §4.2 and §4.3 say; never more than one datagram comes back, and no state
//! stays.

use std::path::Path;
use std::time::Duration;

use comatrix_sdk::vectors::{Case, cases};
use serde_json::Value as Json;

use super::*;
use crate::option::{ACCEPT, ACCESS_TOKEN, BLOCK1, BLOCK2, CONTENT_FORMAT, PROXY_URI, SIZE1};
use crate::{DecodeError, code};

/// The longest datagram to cut: one block and its options. Larger bodies travel in blocks.
const MOST: usize = 1_400;

/// The requests of the default rule's cases as devices send them, token included.
fn requests() -> Vec<Message> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guest/comatrix/vectors");
    let cases = cases(&folder).unwrap_or_else(|error| panic!("{error}"));
    assert!(cases.len() > 100, "the cases of the default rule are there");
    let mut requests: Vec<Message> = Vec::new();
    for request in cases.iter().map(request_of) {
        if !requests.contains(&request) {
            requests.push(request);
        }
    }
    requests
}

fn request_of(case: &Case) -> Message {
    let request = &case.request;
    let method = match request["method"].as_str() {
        Some("POST") => code::POST,
        Some("PUT") => code::PUT,
        Some("DELETE") => code::DELETE,
        _ => code::GET,
    };
    let mut message = Message::new(method).with_option(ACCESS_TOKEN, "a-token");
    for segment in texts(&request["path"]) {
        message.push_option(URI_PATH, segment);
    }
    let target = texts(&request["proxy_uri"]["path"]);
    if !target.is_empty() {
        message.push_option(
            PROXY_URI,
            format!("http://localhost:8008/{}", target.join("/")),
        );
    }
    for (field, number) in [("content_format", CONTENT_FORMAT), ("accept", ACCEPT)] {
        if let Some(value) = request[field].as_u64() {
            message.push_uint_option(number, value as u32);
        }
    }
    let hex = request["payload_hex"].as_str().unwrap_or_default();
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(&String::from_utf8_lossy(pair), 16);
    let from_hex: Result<Vec<u8>, _> = digits.chunks_exact(2).map(byte).collect();
    let text = request["payload_text"].as_str().unwrap_or_default();
    message.with_payload([from_hex.expect("hexadecimal digits"), text.into()].concat())
}

fn texts(list: &Json) -> Vec<String> {
    let list = list.as_array().into_iter().flatten();
    list.filter_map(Json::as_str).map(str::to_owned).collect()
}

/// Each request as CON and NON, and with the options of block-wise transfers.
fn corpus() -> Vec<Datagram> {
    let mut corpus = Vec::new();
    for message in requests() {
        let first_block = message
            .clone()
            .with_option(BLOCK1, [0x0e])
            .with_uint_option(SIZE1, 3_000)
            .with_payload(vec![0xa0; 1024]);
        let early = message.clone().with_option(BLOCK2, [0x02]);
        for message in [message, first_block, early] {
            for message_type in [MessageType::Confirmable, MessageType::NonConfirmable] {
                let message = message.clone();
                corpus.push(Datagram {
                    message,
                    ..request(message_type, 0x1234, code::GET)
                });
            }
        }
    }
    corpus.retain(|datagram| encode(datagram).len() <= MOST);
    corpus
}

/// The allowed reactions to bytes that no well-behaved device sends.
fn check_rejection(bytes: &[u8], sent: &[Datagram]) {
    let reset = Datagram::empty(MessageType::Reset, 0x1234);
    match decode(bytes) {
        Ok(_) => {}
        Err(DecodeError::Malformed {
            message_type: MessageType::Confirmable,
            ..
        }) => assert_eq!(sent, [reset], "{bytes:02x?}"),
        Err(_) => assert_eq!(sent, [], "{bytes:02x?}"),
    }
}

#[test]
fn every_request_cut_off_at_every_byte_gets_a_response_if_it_is_one_or_is_rejected() {
    let corpus = corpus();
    let (mut cut_off, mut taken) = (0, 0);
    let mut server = Server::new();
    for datagram in &corpus {
        let bytes = encode(datagram);
        for end in 0..bytes.len() {
            let bytes = &bytes[..end];
            server.endpoint.handle_datagram(server.now, 1, bytes);
            let mut sent = server.sent();
            cut_off += 1;
            if let Some(incoming) = server.endpoint.poll_request() {
                assert!(decode(bytes).is_ok(), "{bytes:02x?}");
                assert!(sent.is_empty(), "{bytes:02x?}: {sent:?}");
                server.respond(incoming.id, changed());
                sent = server.sent();
                taken += 1;
            }
            assert!(sent.len() <= 1, "{bytes:02x?}: {sent:?}");
            for response in &sent {
                assert_eq!(
                    response.message_type == MessageType::NonConfirmable,
                    datagram.message_type == MessageType::NonConfirmable,
                    "{bytes:02x?}: {response:?}"
                );
            }
            check_rejection(bytes, &sent);
            server.advance(Duration::from_secs(247));
            assert_eq!(server.endpoint.state_left(), 0, "{bytes:02x?}");
        }
    }
    assert!(cut_off > 10_000 && taken > 1_000, "{cut_off} {taken}");
}

#[test]
fn every_request_with_a_flipped_byte_gets_a_response_or_is_rejected() {
    for datagram in corpus() {
        let bytes = encode(&datagram);
        // The header, the options, and the first bytes of the payload: the endpoint reads these.
        for position in 0..bytes.len().min(120) {
            for flipped in [0x01, 0x0f, 0x80, 0xff] {
                let mut bytes = bytes.clone();
                bytes[position] ^= flipped;
                let mut server = Server::new();
                server.endpoint.handle_datagram(server.now, 1, &bytes);
                if let Some(incoming) = server.endpoint.poll_request() {
                    server.respond(incoming.id, changed());
                }
                assert!(server.sent().len() <= 1, "{bytes:02x?}");
                server.advance(Duration::from_secs(247));
                assert_eq!(server.endpoint.state_left(), 0, "{bytes:02x?}");
            }
        }
    }
}
