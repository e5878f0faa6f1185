//! Memory of sessions and of what is before them, by a counting allocator. The only test of its program: another thread
//! would be counted too.

mod peer;

use std::alloc::System;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use comatrix_secure::dtls::{Event, Limits, Server, Settings};
use peer::{Device, Devices};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const SESSIONS: u16 = 500;

fn live() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

#[test]
fn a_session_with_a_key_takes_at_most_8_kib() {
    let now = Instant::now();
    let settings = Settings {
        limits: Limits::default(),
        psk: true,
        certificate: None,
        seed: [1; 32],
    };
    let mut server: Server<SocketAddr> =
        Server::new(settings, Arc::new(Devices), now).expect("a server");
    let mut device = Device::configuration();
    let before = live();
    for number in 0..SESSIONS {
        let address = SocketAddr::new([192, 0, 2, 1].into(), 1_000 + number);
        device.shake(&mut server, now, address);
        let Some(Event::Opened { session, .. }) = server.poll_event() else {
            panic!("no session {number}");
        };
        // As after the longest messages, both ways.
        device.send(&[7; 171]);
        device.deliver(&mut server, now, address);
        assert!(server.poll_message().is_some());
        server.send(now, &session, &[7; 171]).expect("a session");
        device.deliver(&mut server, now, address);
        device.forget();
    }
    assert_eq!(server.session_count(), SESSIONS.into());
    let each = (live() - before) / usize::from(SESSIONS);
    assert!((1_000..=8_192).contains(&each), "{each} bytes");
}
