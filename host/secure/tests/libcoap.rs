//! Real devices: libcoap's clients, with OpenSSL and with GnuTLS, against a small loop around the server and a CoAP
//! endpoint. `cargo xtask setup` installs them (Debian's libcoap3-bin).

mod authority;
mod server;

use std::process::Command;

use authority::Files;
use comatrix_secure::dtls::{Event, Method, Refusal};
use server::{KEY, TestServer};

const CLIENTS: [&str; 2] = ["coap-client-openssl", "coap-client-gnutls"];

/// Runs a client for at most five seconds. Its standard output, and then its log.
fn run(client: &str, arguments: &[&str]) -> (String, String) {
    let output = Command::new(client)
        .args(["-B", "5"])
        .args(arguments)
        .output();
    let output = output.unwrap_or_else(|error| panic!("{client}: {error}; install libcoap3-bin"));
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn clients_with_a_key_get_their_response() {
    for client in CLIENTS {
        let server = TestServer::start(None);
        let uri = server.uri("time");
        let (response, log) = run(client, &["-u", "kitchen", "-k", KEY, &uri]);
        assert_eq!(response.trim(), "12:00 for kitchen", "{client}: {log}");
        let stopped = server.stop();
        assert!(
            matches!(
                &stopped.events[0],
                Event::Opened {
                    method: Method::Psk,
                    ..
                }
            ),
            "{client}: {:?}",
            stopped.events
        );
        // The client sends close_notify as it ends.
        assert!(
            matches!(&stopped.events[1], Event::Closed { .. }),
            "{client}: {:?}",
            stopped.events
        );
        assert!(
            stopped.longest <= 200,
            "{client}: {} bytes",
            stopped.longest
        );
    }
}

#[test]
fn bodies_go_both_ways_in_blocks_of_64() {
    for client in CLIENTS {
        let server = TestServer::start(None);
        let body: String = ('a'..='z').cycle().take(700).collect();
        let uri = server.uri("echo");
        let arguments = [
            "-u", "kitchen", "-k", KEY, "-b", "64", "-m", "post", "-e", &body, &uri,
        ];
        let (response, log) = run(client, &arguments);
        assert_eq!(response.trim(), body, "{client}: {log}");
        let longest = server.stop().longest;
        assert!(longest <= 200, "{client}: {longest} bytes");
    }
}

#[test]
fn clients_with_a_wrong_key_or_an_unknown_identity_end_at_once() {
    for client in CLIENTS {
        let server = TestServer::start(None);
        let uri = server.uri("time");
        let start = std::time::Instant::now();
        for (identity, key) in [("kitchen", "anotherPSK123456"), ("stranger", KEY)] {
            let (response, log) = run(client, &["-u", identity, "-k", key, &uri]);
            assert!(!response.contains("12:00"), "{client}: {response} {log}");
        }
        assert!(start.elapsed().as_secs() < 5, "{client} waited");
        let refusals = server.stop().events.into_iter().map(|event| match event {
            Event::Refused { refusal, .. } => refusal,
            other => panic!("{client}: {other:?}"),
        });
        let refusals: Vec<_> = refusals.collect();
        assert_eq!(refusals[0], Refusal::WrongKey("kitchen".into()), "{client}");
        assert!(
            matches!(refusals[1], Refusal::UnknownIdentity(_)),
            "{client}"
        );
    }
}

#[test]
fn clients_with_a_certificate_of_the_authority_get_their_response() {
    for client in CLIENTS {
        let files = Files::make(client);
        let server = TestServer::start(Some((files.gateway(), files.policy())));
        let uri = server.uri("time");
        let [certificate, key, authority] = [&files.certificate, &files.key, &files.authority];
        let (response, log) = run(
            client,
            &["-c", certificate, "-j", key, "-C", authority, &uri],
        );
        assert_eq!(response.trim(), "12:00 for meadow", "{client}: {log}");
        let opened = &server.stop().events[0];
        let is_certified = matches!(
            opened,
            Event::Opened {
                method: Method::Certificate,
                ..
            }
        );
        assert!(is_certified, "{client}: {opened:?}");
    }
}

#[test]
fn clients_with_a_certificate_of_another_authority_get_none() {
    for client in CLIENTS {
        let files = Files::make(&format!("{client}-trusted"));
        let others = Files::make(&format!("{client}-foreign"));
        let server = TestServer::start(Some((files.gateway(), files.policy())));
        let uri = server.uri("time");
        let [certificate, key, authority] = [&others.certificate, &others.key, &files.authority];
        let (response, log) = run(
            client,
            &["-c", certificate, "-j", key, "-C", authority, &uri],
        );
        assert!(!response.contains("12:00"), "{client}: {response} {log}");
        let event = &server.stop().events[0];
        let is_refused = matches!(
            event,
            Event::Refused {
                refusal: Refusal::Certificate(_),
                ..
            }
        );
        assert!(is_refused, "{client}: {event:?}");
    }
}
