//! aiocoap, with DTLS by tinydtls and with OSCORE.

use std::path::Path;

use comatrix_tests::aiocoap::Aiocoap;
use comatrix_tests::device::{Request, option};
use comatrix_tests::observer::Observer;
use comatrix_tests::wire::Loss;
use serde_json::json;

use super::stage::{LOSSY, PATIENCE, Stage, long_text};

/// Logs nothing in: the room's account has a token. Sends and reads in blocks, and observes.
fn story(stage: &Stage, gateway: &str, credentials: &Path) {
    let mut device = Aiocoap::start_with(gateway, Some(credentials));
    let time = device.request(&Request::new("GET", "/time"));
    assert!(
        time.code == "2.05" && time.text().parse::<u64>().is_ok(),
        "{time:?}"
    );
    let room = &stage.room;
    let body = long_text("by aiocoap");
    let send = Request::new("PUT", &format!("/send/{}", room.room_id))
        .token(&room.device.access_token)
        .cbor(json!({ "msgtype": "m.text", "body": body }))
        .in_blocks(64);
    let sent = device.request(&send);
    assert_eq!(sent.code, "2.04", "{sent:?}");
    stage.assert_arrived_once(&body);
    let getmsg =
        Request::new("GET", &format!("/getmsg/{}", room.room_id)).token(&room.device.access_token);
    let read = device.request(&getmsg);
    let expected = json!({ "sender": room.device.user_id, "body": body });
    assert_eq!((read.code.as_str(), read.value), ("2.05", Some(expected)));
    drop(device);

    let observer = Observer::start_with(gateway, Some(credentials), &getmsg);
    let first = observer.next(PATIENCE).expect("a first response");
    assert!(first.option(option::OBSERVE).is_some(), "{first:?}");
    for text in ["first", "second"] {
        room.person
            .send(&room.room_id, &json!({ "msgtype": "m.text", "body": text }));
        let notification = observer.next(PATIENCE).expect("a notification");
        assert_eq!(notification.field("body"), text);
    }
    for path in ["path=/time", "path=/send/", "path=/getmsg/"] {
        stage.assert_named(path);
    }
}

fn by_dtls(loss: Loss) {
    let stage = Stage::start("--psk", loss);
    let credentials = stage.credentials_with_key();
    story(
        &stage,
        &format!("coaps://{}", stage.address()),
        &credentials,
    );
}

fn by_oscore(loss: Loss) {
    let stage = Stage::start("--oscore", loss);
    let credentials = stage.credentials_with_context();
    story(&stage, &format!("coap://{}", stage.address()), &credentials);
}

#[test]
fn aiocoap_sends_reads_and_observes_by_dtls() {
    by_dtls(Loss::NOTHING);
}

#[test]
fn aiocoap_sends_reads_and_observes_by_dtls_with_one_datagram_in_five_lost() {
    by_dtls(LOSSY);
}

#[test]
fn aiocoap_sends_reads_and_observes_by_oscore() {
    by_oscore(Loss::NOTHING);
}

#[test]
fn aiocoap_sends_reads_and_observes_by_oscore_with_one_datagram_in_five_lost() {
    by_oscore(LOSSY);
}
