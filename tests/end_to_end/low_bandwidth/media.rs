//! Files: uploads and downloads through the gateway.

use comatrix_tests::low_bandwidth::{Device, Story};
use comatrix_tests::nio::Answer;
use comatrix_tests::wire::{Loss, Wire};
use serde_json::json;

use super::stage;
use crate::stage::{homeserver, synapse};

/// 100 blocks of 1,024 bytes, and a bit.
fn picture() -> Vec<u8> {
    let noise = (0_u32..102_500).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8);
    [&b"\x89PNG\r\n\x1a\n"[..], &noise.collect::<Vec<_>>()].concat()
}

fn hex(bytes: &[u8]) -> String {
    comatrix_tests::aiocoap::hex(bytes)
}

/// Uploads these bytes and downloads them again.
fn there_and_back(device: &mut Device, content: &[u8], content_type: &str) -> Answer {
    let upload =
        json!({ "upload": hex(content), "content_type": content_type, "filename": "a file" });
    let uploaded = device.nio().expect("upload", upload, "UploadResponse");
    let uri = &uploaded.body["content_uri"];
    assert!(
        uri.as_str().is_some_and(|uri| uri.starts_with("mxc://")),
        "{uploaded:?}"
    );
    let download = json!({ "mxc": uri });
    let class = "MemoryDownloadResponse";
    device.nio().expect("download", download, class)
}

#[test]
fn a_picture_goes_there_and_back_to_the_byte_and_keeps_its_type() {
    let gateway = stage::gateway(&synapse().origin);
    let wire = Wire::to(gateway.address, Loss::NOTHING);
    let mut story = Story::on(&homeserver());
    let mut device = Device::over_coap(&story.account.name, &wire, None);
    story.begin(&mut device);
    let picture = picture();
    let back = there_and_back(&mut device, &picture, "image/png");
    assert_eq!(back.content_type, "image/png");
    assert!(back.bytes == picture, "{} bytes", back.bytes.len());

    // The homeserver has it too, and with its type.
    let profile =
        json!({ "upload": hex(b"plain text"), "content_type": "text/plain", "filename": "a.txt" });
    let uploaded = device.nio().expect("upload", profile, "UploadResponse");
    let uri = uploaded.body["content_uri"].as_str().unwrap_or_default();
    let path = uri.trim_start_matches("mxc://");
    let (content_type, content) = story.person.download(path);
    assert_eq!(
        (content_type.as_str(), content.as_slice()),
        ("text/plain;charset=utf-8", &b"plain text"[..])
    );
}

#[test]
fn a_file_that_looks_like_cbor_or_json_is_not_translated() {
    let gateway = stage::gateway(&synapse().origin);
    let wire = Wire::to(gateway.address, Loss::NOTHING);
    let mut story = Story::on(&homeserver());
    let mut device = Device::over_coap(&story.account.name, &wire, None);
    story.begin(&mut device);
    let back = there_and_back(&mut device, b"\xa1\x01\x02", "application/octet-stream");
    assert_eq!(
        (back.content_type.as_str(), back.bytes.as_slice()),
        ("application/octet-stream", &b"\xa1\x01\x02"[..])
    );
}

#[test]
fn a_file_above_the_bound_of_the_gateway_is_4_13() {
    let gateway = stage::gateway(&synapse().origin);
    let wire = Wire::to(gateway.address, Loss::NOTHING);
    let mut story = Story::on(&homeserver());
    let mut device = Device::over_coap(&story.account.name, &wire, None);
    story.begin(&mut device);
    let large = json!({ "upload": hex(&vec![7; 5 << 20]), "filename": "large" });
    let refused = device.nio().call("upload", large);
    assert_eq!(
        (refused.response.as_str(), refused.status),
        ("UploadError", 413),
        "{refused:?}"
    );
}
