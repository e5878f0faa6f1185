//! `TD_COAP_DTLS_*`: sessions with a pre-shared key, by libcoap with OpenSSL and with GnuTLS. The resource is one that
//! a device without a session does not get.

use std::net::SocketAddr;
use std::sync::OnceLock;

use comatrix_tests::device::{Request, Response};
use comatrix_tests::gateway::{self, Gateway};
use comatrix_tests::libcoap;
use comatrix_tests::places::{Scratch, on_path};
use comatrix_tests::stub::{Behaviour, Stub};
use comatrix_tests::wire::{Loss, Passing, Sender, Wire};
use serde_json::Value;

use super::stage::configuration;

const CLIENTS: [&str; 2] = ["coap-client-openssl", "coap-client-gnutls"];

/// RFC 6655 §3: TLS_PSK_WITH_AES_128_CCM_8.
const PSK_AES128_CCM_8: [u8; 2] = [0xc0, 0xa8];

/// Content types of records (RFC 5246 §6.2.1), and types of handshake messages (§7.4).
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;

/// Bytes before the fragment of a record, and before the body of a handshake message (RFC 6347 §4.1, §4.2.2).
const RECORD_HEAD: usize = 13;
const MESSAGE_HEAD: usize = 12;

struct Secured {
    address: SocketAddr,
    key: String,
    _kept: (Gateway, Stub, Scratch),
}

/// The gateway of these rows, with the device `password`: the identity that the list has.
fn secured() -> &'static Secured {
    static SECURED: OnceLock<Secured> = OnceLock::new();
    SECURED.get_or_init(|| {
        let stub = Stub::always(Behaviour::json(200, serde_json::json!({})));
        let scratch = Scratch::new("plugtest-dtls");
        let configuration = configuration(&scratch, "require_secured = true\n");
        let socket = scratch.path().join("control.sock").display().to_string();
        let gateway = Gateway::start_at(
            scratch.path(),
            &[
                "--homeserver",
                &stub.origin,
                "--config",
                &configuration,
                "--control-socket",
                &socket,
                "--coaps",
                "127.0.0.1:0",
            ],
        );
        let add = ["devices", "--control-socket", &socket, "add", "password"];
        let added = gateway::run(&[&add[..], &["--psk", "--json"]].concat());
        let enrolment: Value = serde_json::from_slice(&added.stdout).expect("JSON was asked for");
        let port = enrolment["psk"]["port"]["Ok"].as_u64().expect("it is open");
        let plain = libcoap::request(gateway.address, &secure());
        assert_eq!(plain.code, "4.03", "{plain:?}");
        let mut address = gateway.address;
        address.set_port(u16::try_from(port).expect("it is a port"));
        let key = enrolment["psk"]["key"].as_str().expect("it is one");
        Secured {
            address,
            key: key.to_owned(),
            _kept: (gateway, stub, scratch),
        }
    })
}

fn secure() -> Request {
    Request::new("GET", "/plugtest/test")
}

/// Retrieves the resource in a session.
fn retrieve(client: &str, wire: &Wire, key: &str) -> Response {
    let gateway = format!("coaps://{}", wire.address);
    let words = ["-u", "password", "-k", key, "-B", "30"];
    libcoap::request_by(&on_path(&[client]), &gateway, &secure(), &words)
}

/// The records of all datagrams of a sender: content type, epoch, fragment.
fn records(passing: &[Passing], sender: Sender) -> Vec<(u8, u16, Vec<u8>)> {
    let mut records = Vec::new();
    for datagram in passing.iter().filter(|one| one.sender == sender) {
        let mut rest = &datagram.bytes[..];
        while rest.len() >= RECORD_HEAD {
            let length = usize::from(u16::from_be_bytes([rest[11], rest[12]]));
            let epoch = u16::from_be_bytes([rest[3], rest[4]]);
            let (record, after) = rest.split_at((RECORD_HEAD + length).min(rest.len()));
            records.push((record[0], epoch, record[RECORD_HEAD..].to_vec()));
            rest = after;
        }
    }
    records
}

/// The bodies of handshake messages of a type that are not encrypted, behind version and random.
fn hellos(passing: &[Passing], sender: Sender, message_type: u8) -> Vec<Vec<u8>> {
    let records = records(passing, sender).into_iter();
    let is_one = |(content, epoch, fragment): &(u8, u16, Vec<u8>)| {
        *content == HANDSHAKE && *epoch == 0 && fragment.first() == Some(&message_type)
    };
    records
        .filter(is_one)
        .map(|(_, _, fragment)| fragment[MESSAGE_HEAD + 34..].to_vec())
        .collect()
}

#[track_caller]
fn assert_retrieved(response: &Response, client: &str) {
    let (code, text) = (response.code.as_str(), response.text());
    assert_eq!((code, text.as_str()), ("2.05", "a test"), "{client}");
}

#[test]
fn td_coap_dtls_01_a_session_with_a_key() {
    for client in CLIENTS {
        let wire = Wire::to(secured().address, Loss::NOTHING);
        let response = retrieve(client, &wire, &secured().key);
        assert_retrieved(&response, client);
        let passing = wire.passing();
        for hello in hellos(&passing, Sender::Device, CLIENT_HELLO) {
            // Session identifier and cookie come before the suites.
            let cookie = 1 + usize::from(hello[0]);
            let suites = &hello[cookie + 1 + usize::from(hello[cookie])..];
            let length = usize::from(u16::from_be_bytes([suites[0], suites[1]]));
            let mut offered = suites[2..2 + length].chunks(2);
            assert!(offered.any(|suite| suite == PSK_AES128_CCM_8), "{client}");
        }
        let hello = hellos(&passing, Sender::Gateway, SERVER_HELLO);
        let suite = 1 + usize::from(hello[0][0]);
        assert_eq!(hello[0][suite..suite + 2], PSK_AES128_CCM_8, "{client}");
        // Finished is the one handshake message of an epoch with keys; and the exchange goes by records with keys.
        for sender in [Sender::Device, Sender::Gateway] {
            let records = records(&passing, sender);
            let is_finished = |(content, epoch, _): &_| (*content, *epoch) == (HANDSHAKE, 1);
            assert_eq!(
                records.iter().filter(|one| is_finished(one)).count(),
                1,
                "{client}"
            );
            let has_data = |(content, epoch, _): &_| (*content, *epoch) == (APPLICATION_DATA, 1);
            assert!(records.iter().any(has_data), "{client}: {sender:?}");
        }
    }
}

#[test]
fn td_coap_dtls_02_a_wrong_key() {
    for client in CLIENTS {
        let wire = Wire::to(secured().address, Loss::NOTHING);
        let gateway = format!("coaps://{}/plugtest/test", wire.address);
        let output = std::process::Command::new(on_path(&[client]))
            .args([
                "-B",
                "5",
                "-u",
                "password",
                "-k",
                "wrongwrongwrongx",
                &gateway,
            ])
            .output()
            .expect("it was found on the path");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(!said.contains("a test"), "{client}: {said}");
        let records = records(&wire.passing(), Sender::Gateway);
        let alerts = records.iter().filter(|(content, ..)| *content == ALERT);
        let alerts: Vec<&[u8]> = alerts.map(|(_, _, fragment)| &fragment[..]).collect();
        // Fatal, decrypt_error (RFC 5246 §7.2).
        assert_eq!(alerts, [[2, 51]], "{client}");
        assert!(
            !records
                .iter()
                .any(|(content, ..)| *content == APPLICATION_DATA)
        );
    }
}

#[test]
fn td_coap_dtls_03_a_session_with_a_key_whatever_datagram_of_the_handshake_is_lost() {
    for client in CLIENTS {
        let whole = Wire::to(secured().address, Loss::NOTHING);
        assert_retrieved(&retrieve(client, &whole, &secured().key), client);
        let is_data = |one: &Passing| one.bytes[0] == APPLICATION_DATA;
        let handshake = whole
            .passing()
            .iter()
            .take_while(|one| !is_data(one))
            .count();
        assert!(handshake >= 6, "{client}: {handshake} datagrams");
        for place in 0..handshake {
            let wire = Wire::losing_one(secured().address, place);
            assert_retrieved(&retrieve(client, &wire, &secured().key), client);
            let passing = wire.passing();
            assert!(passing[place].lost, "{client}: {place}");
            // The sender of what was lost, or the peer that waits for it, sends again.
            let again = passing.iter().take_while(|one| !is_data(one)).count();
            assert!(
                again > handshake,
                "{client}: {again} datagrams without that at {place}"
            );
        }
    }
}
