//! Memory of sessions, by a counting allocator. The only test of its program: another thread would be counted too.

mod peer;

use std::alloc::System;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use comatrix_secure::dtls::{Event, Limits, Server, ServerCertificate, Settings};
use peer::{Device, Devices};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn live() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

/// Bytes of each of so many sessions, after messages of this length both ways.
fn bytes_of_a_session(mut device: Device, sessions: u16, message: usize) -> usize {
    let now = Instant::now();
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["gateway".to_owned()]).expect("a certificate");
    let certificate = ServerCertificate::from_pem(&cert.pem(), &signing_key.serialize_pem());
    let settings = Settings {
        limits: Limits::default(),
        psk: true,
        certificate: Some(certificate.expect("a certificate")),
        seed: [1; 32],
    };
    let mut server: Server<SocketAddr> =
        Server::new(settings, Arc::new(Devices), now).expect("a server");
    let before = live();
    for number in 0..sessions {
        let address = SocketAddr::new([192, 0, 2, 1].into(), 1_000 + number);
        device.shake(&mut server, now, address);
        let Some(Event::Opened { session, .. }) = server.poll_event() else {
            panic!("no session {number}");
        };
        device.send(&vec![7; message]);
        device.deliver(&mut server, now, address);
        assert!(server.poll_message().is_some());
        server
            .send(now, &session, &vec![7; message])
            .expect("a session");
        device.deliver(&mut server, now, address);
        device.forget();
    }
    assert_eq!(server.session_count(), sessions.into());
    (live() - before) / usize::from(sessions)
}

#[test]
fn a_session_takes_at_most_8_kib_with_a_key_and_12_kib_with_a_certificate() {
    let with_key = bytes_of_a_session(Device::with_key(), 500, 171);
    assert!(
        (4_000..=8_192).contains(&with_key),
        "{with_key} bytes with a key"
    );
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["device".to_owned()]).expect("a certificate");
    let device = Device::with_certificate(cert.der().to_vec(), signing_key.serialize_der());
    let certified = bytes_of_a_session(device, 30, 1_100);
    assert!(
        (4_000..=12_288).contains(&certified),
        "{certified} bytes with a certificate"
    );
}
