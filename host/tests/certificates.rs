//! Homeservers by real TLS whose certificates are valid, have expired, or are not valid yet, and a clock that is not
//! set.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::UNIX_EPOCH;

use coap::{code, option};
use contract::clock::Clock;
use homeserver::{UpstreamSettings, Upstreams};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::captured::Captured;
use crate::default_rule::{gateway_with, revision};
use crate::exchange::{response, send};
use crate::http_call::{homeserver, settings};

const RESPONSE: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 17\r\nconnection: \
close\r\n\r\n{\"event_id\":\"$x\"}";

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/certificates")
        .join(name)
}

/// A homeserver that shows this certificate, and egress that trusts its authority.
fn with_certificate(name: &str, clock: Clock) -> (String, Upstreams) {
    let certificate = CertificateDer::from_pem_file(file(name)).expect("it is in the folder");
    let key = PrivateKeyDer::from_pem_file(file("server.key")).expect("it is in the folder");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has them")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("they belong together");
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let origin = format!("https://{}", listener.local_addr().expect("it is bound"));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = ServerConnection::new(config.clone()).expect("it is configured");
            let mut stream = StreamOwned::new(connection, stream);
            // A client that does not like the certificate goes.
            if stream.read(&mut [0; 4096]).is_ok_and(|bytes| bytes > 0) {
                let _ = stream.write_all(RESPONSE).and_then(|()| stream.flush());
            }
        }
    });
    let url = origin.parse().expect("it is a URL");
    let upstreams = Upstreams::new(UpstreamSettings {
        ca_file: Some(file("authority.pem")),
        clock,
        ..settings(vec![homeserver(url, Some("configured"))])
    });
    (origin, upstreams.expect("the authority's file is there"))
}

/// The code of the response to a device that sends a message, and the log.
async fn sent(certificate: &str, clock: Clock) -> (u8, String, String) {
    let (origin, upstreams) = with_certificate(certificate, clock);
    let gateway = gateway_with(revision(), upstreams);
    let captured = Captured::start();
    let response = response(&gateway, send()).await;
    assert!(response.option(option::MAX_AGE).is_none(), "{response:?}");
    (response.code, origin, captured.text())
}

#[tokio::test]
async fn a_homeserver_with_a_valid_certificate_is_spoken_to() {
    let (code, _, log) = sent("valid.pem", Clock::system()).await;
    assert_eq!(code, code::CHANGED, "{log}");
}

#[tokio::test]
async fn an_expired_certificate_is_5_02_and_a_line_with_homeserver_date_and_remedy() {
    let (code, origin, log) = sent("expired.pem", Clock::system()).await;
    assert_eq!(code, code::BAD_GATEWAY);
    let line =
        "tls: its certificate expired on Thu, 29 Feb 2024 12:00:00 GMT; renew it at the homeserver";
    assert!(log.contains(&format!("{origin}: {line}")), "{log}");
}

#[tokio::test]
async fn a_certificate_of_the_future_is_5_02_and_where_the_clock_is_not_set_that_is_said() {
    for (clock, reason) in [
        (Clock::system(), "or correct the clock that is wrong"),
        (
            Clock::new(|| UNIX_EPOCH),
            "but this machine's clock is not set (it shows Thu, 01 Jan 1970 00:00:00 GMT): set up a time service",
        ),
    ] {
        let (code, origin, log) = sent("future.pem", clock).await;
        assert_eq!(code, code::BAD_GATEWAY);
        let line = "tls: its certificate becomes valid on Fri, 01 Jan 2100 00:00:00 GMT; ";
        assert!(log.contains(&format!("{origin}: {line}")), "{log}");
        assert!(log.contains(reason), "{log}");
    }
}
