//! libcoap's clients, with DTLS by OpenSSL and by GnuTLS.

use comatrix_tests::device::{Request, TEXT};
use comatrix_tests::libcoap;
use comatrix_tests::places::on_path;
use comatrix_tests::wire::Loss;

use super::libcoap_observer;
use super::stage::{LOSSY, Stage, long_text};

/// Each request has a session of its own.
fn story(client: &str, loss: Loss) {
    let stage = Stage::start("--psk", loss);
    let program = on_path(&[client]);
    let gateway = format!("coaps://{}", stage.address());
    // A handshake and six blocks may take so many seconds.
    let key = ["-u", "kitchen", "-k", stage.key(), "-B", "100"];
    let exchange = |request: Request, more: &[&str]| {
        libcoap::request_by(&program, &gateway, &request, &[&key, more].concat())
    };
    let time = exchange(Request::new("GET", "/time"), &[]);
    assert!(
        time.code == "2.05" && time.text().parse::<u64>().is_ok(),
        "{time:?}"
    );
    let room = &stage.room;
    let body = long_text(client);
    let send = Request::new("PUT", &format!("/send/{}", room.room_id))
        .token(&room.device.access_token)
        .bytes(body.as_bytes(), Some(TEXT));
    let sent = exchange(send, &["-b", "64"]);
    assert_eq!(sent.code, "2.04", "{sent:?}");
    stage.assert_arrived_once(&body);
    let getmsg = Request::new("GET", &format!("/getmsg/{}", room.room_id))
        .token(&room.device.access_token)
        .accept(TEXT);
    let read = exchange(getmsg, &[]);
    assert_eq!((read.code.as_str(), read.text()), ("2.05", body.clone()));
    let token = format!("256,{}", room.device.access_token);
    let device = [&key[..], &["-O", &token]].concat();
    libcoap_observer::observes(&stage, &program, &gateway, &device, &body);
    for path in ["path=/time", "path=/send/", "path=/getmsg/"] {
        stage.assert_named(path);
    }
}

#[test]
fn libcoap_with_openssl_sends_reads_and_observes() {
    story("coap-client-openssl", Loss::NOTHING);
}

#[test]
fn libcoap_with_openssl_sends_reads_and_observes_with_one_datagram_in_five_lost() {
    story("coap-client-openssl", LOSSY);
}

#[test]
fn libcoap_with_gnutls_sends_reads_and_observes() {
    story("coap-client-gnutls", Loss::NOTHING);
}

#[test]
fn libcoap_with_gnutls_sends_reads_and_observes_with_one_datagram_in_five_lost() {
    story("coap-client-gnutls", LOSSY);
}
