//! aiocoap, with DTLS by tinydtls, with OSCORE, and with EDHOC by lakers.

use std::path::Path;
use std::process::Command;

use comatrix_tests::aiocoap::Aiocoap;
use comatrix_tests::device::{Request, option};
use comatrix_tests::observer::Observer;
use comatrix_tests::places;
use comatrix_tests::wire::Loss;
use serde_json::json;

use super::stage::{LOSSY, PATIENCE, Stage, long_text};

/// Whether the device logs in, or has the token of the room's account.
#[derive(Clone, Copy, PartialEq)]
enum Token {
    OfLogin,
    Own,
}

/// Sends and reads in blocks, and observes.
fn story(stage: &Stage, gateway: &str, credentials: &Path, token: Token) {
    let mut device = Aiocoap::start_with(gateway, Some(credentials));
    let time = device.request(&Request::new("GET", "/time"));
    assert!(
        time.code == "2.05" && time.text().parse::<u64>().is_ok(),
        "{time:?}"
    );
    let room = &stage.room;
    if token == Token::OfLogin {
        let login = json!({
            "type": "m.login.password", "password": room.device.password,
            "identifier": { "type": "m.id.user", "user": room.device.name },
        });
        let login = Request::new("POST", "/login").cbor(login).in_blocks(64);
        let logged_in = device.request(&login);
        assert_eq!(logged_in.code, "2.04", "{logged_in:?}");
        stage.assert_named("path=/login");
    }
    let authorized = |request: Request| match token {
        Token::OfLogin => request,
        Token::Own => request.token(&room.device.access_token),
    };
    let body = long_text("by aiocoap");
    let send = authorized(Request::new("PUT", &format!("/send/{}", room.room_id)))
        .cbor(json!({ "msgtype": "m.text", "body": body }))
        .in_blocks(64);
    let sent = device.request(&send);
    assert_eq!(sent.code, "2.04", "{sent:?}");
    stage.assert_arrived_once(&body);
    let getmsg = authorized(Request::new("GET", &format!("/getmsg/{}", room.room_id)));
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
        Token::Own,
    );
}

fn by_oscore(loss: Loss) {
    let stage = Stage::start("--oscore", loss);
    let credentials = stage.credentials_with_context();
    let gateway = format!("coap://{}", stage.address());
    story(&stage, &gateway, &credentials, Token::Own);
}

/// The option `--edhoc` with the credential of a key that aiocoap makes in the folder.
fn key_pair(folder: &Path) -> Vec<String> {
    let python = places::python();
    let made = Command::new(&python)
        .arg(python.with_file_name("aiocoap-keygen"))
        .args(["generate", "kitchen.cosekey", "--kid", "0b"])
        .current_dir(folder)
        .output()
        .expect("it is installed with aiocoap");
    assert!(made.status.success(), "{made:?}");
    let credential = String::from_utf8(made.stdout).expect("text");
    vec!["--edhoc".to_owned(), credential.trim().to_owned()]
}

fn by_edhoc(loss: Loss) {
    let stage = Stage::start_with(key_pair, loss);
    let credentials = stage.credentials_with_key_pair();
    let gateway = format!("coap://{}", stage.address());
    story(&stage, &gateway, &credentials, Token::OfLogin);
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

#[test]
fn aiocoap_logs_in_sends_reads_and_observes_after_edhoc() {
    by_edhoc(Loss::NOTHING);
}

#[test]
fn aiocoap_logs_in_sends_reads_and_observes_after_edhoc_with_one_datagram_in_five_lost() {
    by_edhoc(LOSSY);
}
