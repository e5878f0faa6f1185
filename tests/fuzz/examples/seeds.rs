//! Writes seeds for every target into a folder: `seeds FOLDER`. They are made from the cases of the default rule.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use comatrix_coap::option::{ACCEPT, ACCESS_TOKEN, BLOCK1, CONTENT_FORMAT, PROXY_URI, URI_PATH};
use comatrix_coap::{Datagram, Message, MessageType, Token, code, encode};
use comatrix_fuzz::sequence;
use comatrix_fuzz::steps::{self, Step};
use comatrix_sdk::vectors::{Case, cases};
use comatrix_secure::edhoc::Identity;
use serde_json::Value as Json;

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(std::env::args().nth(1).ok_or("usage: seeds FOLDER")?);
    for target in [
        "endpoint",
        "sequence",
        "dtls",
        "oscore",
        "edhoc",
        "cbor_json",
        "proxy_uri",
    ] {
        fs::create_dir_all(out.join(target))?;
    }
    fs::write(out.join("sequence/all"), sequence::seed())?;
    for (moment, seed) in comatrix_fuzz::dtls::seeds().iter().enumerate() {
        fs::write(out.join(format!("dtls/{moment}")), seed)?;
    }
    edhoc(&out.join("edhoc"))?;
    let guest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guest");
    for case in cases(&guest.join("comatrix/vectors"))? {
        let write = |target: &str, seed: &[u8]| fs::write(out.join(target).join(&case.name), seed);
        let message = request(&case);
        write("endpoint", &exchange(&message))?;
        write("oscore", &datagram(1, message.clone()))?;
        if !message.payload.is_empty() {
            write("cbor_json", &message.payload)?;
        }
        if let Some(uri) = message.option(PROXY_URI) {
            write("proxy_uri", uri)?;
        }
        // Responses of homeservers are JSON.
        for (number, call) in case.calls.iter().enumerate() {
            let json = call["answer"]["json"].to_string();
            let file = out
                .join("cbor_json")
                .join(format!("{}-{number}", case.name));
            fs::write(file, json)?;
        }
    }
    payloads(&guest.join("sdk/tests"), &out.join("cbor_json"))
}

/// One of each kind: message_1, message_3, its plaintext with a credential by reference and by value, a combined
/// payload, and a credential as text and as bytes.
fn edhoc(out: &Path) -> Result<(), Box<dyn Error>> {
    let device = Identity::new(&[5; 32], &[1])?;
    let ccs = device.ccs().as_bytes();
    let mac = [0x48, 0, 0, 0, 0, 0, 0, 0, 0];
    let message_1 =
        "0382060258208af6f430ebe18d34184017a9a11bf511c8dff8f834730b96c1b7c8dbca2fc3b637";
    let message_3 = hex("52e562097bc417dd5919485ac7891ffd90a9fc");
    let seeds = [
        (0, [&[0xf5][..], &hex(message_1)].concat()),
        (1, message_3.clone()),
        (2, [&[1][..], &mac, &[15, 0x41, 0]].concat()),
        (2, [&[0xa1, 14][..], ccs, &mac].concat()),
        (3, [&message_3[..], &[0; 12]].concat()),
        (4, device.ccs().diagnostic().into_bytes()),
        (5, ccs.to_vec()),
    ];
    for (number, (kind, seed)) in seeds.into_iter().enumerate() {
        fs::write(out.join(number.to_string()), [&[kind][..], &seed].concat())?;
    }
    Ok(())
}

/// The payloads that the SDK's own tests take and refuse.
fn payloads(tests: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    for file in [
        "cbor/accepted",
        "cbor/refused",
        "json/accepted",
        "json/refused",
    ] {
        let cases: Json = serde_json::from_slice(&fs::read(tests.join(format!("{file}.json")))?)?;
        for (number, case) in cases.as_array().into_iter().flatten().enumerate() {
            let seed = match (case["hex"].as_str(), case["json"].as_str()) {
                (Some(digits), _) => hex(digits),
                (None, text) => text.unwrap_or_default().as_bytes().to_vec(),
            };
            fs::write(
                out.join(format!("{}-{number}", file.replace('/', "-"))),
                seed,
            )?;
        }
    }
    Ok(())
}

fn request(case: &Case) -> Message {
    let request = &case.request;
    let method = match request["method"].as_str() {
        Some("POST") => code::POST,
        Some("PUT") => code::PUT,
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
    let text = request["payload_text"].as_str().unwrap_or_default();
    let payload = hex(request["payload_hex"].as_str().unwrap_or_default());
    message.with_payload([payload, text.into()].concat())
}

/// A confirmable request with a token.
fn datagram(message_id: u16, message: Message) -> Vec<u8> {
    encode(&Datagram {
        message_type: MessageType::Confirmable,
        message_id,
        token: Token::new(b"tok").unwrap_or_default(),
        message,
    })
}

/// The request twice, its response, time, and its first block.
fn exchange(message: &Message) -> Vec<u8> {
    let whole = datagram(1, message.clone());
    let block = message
        .clone()
        .with_option(BLOCK1, [0x08])
        .with_payload([0xa0; 16]);
    let block = datagram(2, block);
    let mut bytes = Vec::new();
    for step in [
        Step::Datagram(0, &whole),
        Step::Datagram(0, &whole),
        Step::Wait(Duration::from_secs(2)),
        Step::Respond(code::CONTENT, 2_000),
        Step::Datagram(1, &block),
        Step::Wait(Duration::from_secs(100)),
    ] {
        steps::write(&mut bytes, &step);
    }
    bytes
}

fn texts(list: &Json) -> Vec<String> {
    let list = list.as_array().into_iter().flatten();
    list.filter_map(Json::as_str).map(str::to_owned).collect()
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter_map(|digit| digit.to_digit(16))
        .map(|digit| digit as u8)
        .collect();
    digits
        .chunks_exact(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}
