//! Datagrams of strangers, at some moment of the handshake of a device. The server must not panic, send a stranger more
//! than it sent, keep state for it, or lose the session of the device.
#![no_main]

use std::cell::RefCell;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use comatrix_fuzz::dtls::{Device, Devices, MOMENTS, configuration, read};
use comatrix_secure::dtls::{Event, Limits, Server, Settings};
use dimpl::Config;
use libfuzzer_sys::fuzz_target;

thread_local! {
    /// Made once: that takes longer than a handshake. Each input leaves it without sessions and handshakes.
    static SERVER: RefCell<(Server<SocketAddr>, Arc<Config>, Instant)> = RefCell::new(server());
}

fn server() -> (Server<SocketAddr>, Arc<Config>, Instant) {
    let settings = Settings {
        limits: Limits::default(),
        psk: true,
        certificate: None,
        seed: [7; 32],
    };
    let now = Instant::now();
    let server = Server::new(settings, Arc::new(Devices), now).expect("a server");
    (server, configuration(), now)
}

fuzz_target!(|bytes: &[u8]| {
    let (moment, datagrams) = read(bytes);
    SERVER.with_borrow_mut(|(server, configuration, now)| {
        let address = SocketAddr::new([192, 0, 2, 1].into(), 1);
        let stranger = SocketAddr::new([192, 0, 2, 2].into(), 2);
        let mut device = Device::new(configuration.clone(), *now, address);
        for _ in 0..moment {
            device.turn(*now, server);
        }
        let is_open = moment == MOMENTS - 1;
        assert_eq!(server.session_count(), usize::from(is_open));
        let handshakes = server.handshake_count();
        while server.poll_event().is_some() {}
        for (is_in_the_name_of_the_device, datagram) in datagrams {
            if is_in_the_name_of_the_device {
                server.handle_datagram(*now, address, datagram);
                while server.poll_transmit().is_some() {}
            } else {
                server.handle_datagram(*now, stranger, datagram);
                let sent: usize = std::iter::from_fn(|| server.poll_transmit())
                    .map(|transmit| transmit.bytes.len())
                    .sum();
                assert!(sent <= datagram.len());
            }
            assert!(server.poll_message().is_none() && server.handshake_count() <= handshakes);
            assert_eq!(server.session_count(), usize::from(is_open));
        }
        if is_open {
            device.send(*now, server, b"still here");
            assert!(
                server
                    .poll_message()
                    .is_some_and(|message| message.bytes == b"still here")
            );
        }
        server.close_principal("device");
        while server.poll_transmit().is_some() {}
        // A handshake that has not named its device ends by its timer.
        while let Some(due) = server.next_timeout() {
            *now = due.max(*now);
            server.handle_timeout(*now);
            while server.poll_transmit().is_some() {}
        }
        assert_eq!((server.session_count(), server.handshake_count()), (0, 0));
        while let Some(event) = server.poll_event() {
            assert!(!matches!(event, Event::Opened { .. }));
        }
    });
});
