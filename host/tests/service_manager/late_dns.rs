//! A network that comes after the gateway.

use std::fs;
use std::time::{Duration, Instant};

use coap::code;
use rustix::process::Signal;

use super::{Device, Manager, Running};
use crate::exchange::send;
use crate::stub::{Reaction, Stub};

/// Names come from a file of the test's; no server resolves others.
const PREPARATION: &str = "\
printf 'nameserver 127.0.0.1\\n' >resolv.conf
printf 'hosts: files dns\\n' >nsswitch.conf
: >hosts
mount --bind hosts /etc/hosts
mount --bind resolv.conf /etc/resolv.conf
if test -e /etc/nsswitch.conf; then mount --bind nsswitch.conf /etc/nsswitch.conf; fi";

#[test]
fn a_message_for_a_name_that_cannot_be_resolved_at_first_waits_and_is_sent_as_soon_as_it_can() {
    let manager = Manager::new("dns-late");
    let stub = Stub::start(|_| Reaction::Json(200, r#"{"event_id":"$x"}"#.into()));
    let homeserver = stub.origin("http", "matrix.late.test").to_string();
    fs::write(manager.folder.join("token"), "a-token").expect("the folder is the test's");
    let mut command = manager.gateway_after(PREPARATION, &homeserver);
    let gateway = Running::start(command.args(["--access-token-file", "token"]));
    let device = Device::new(manager.hear_ready());
    // The same transaction each time.
    for message_id in 0..5 {
        device.say_as(message_id, send());
        let response = device.message();
        assert_eq!(response.code, code::CHANGED, "{response:?}");
        let text = String::from_utf8_lossy(&response.payload);
        assert!(text.contains("queued"), "{text}");
    }
    assert_eq!(stub.connections(), 0);
    let names = "127.0.0.1 matrix.late.test\n";
    fs::write(manager.folder.join("hosts"), names).expect("the folder is the test's");
    let since = Instant::now();
    // Pauses of 1, 2 and 4 s, and up to a half more.
    while stub.received().is_empty() {
        assert!(
            since.elapsed() < Duration::from_secs(30),
            "it is never sent"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(stub.received().len(), 1);
    gateway.signal(Signal::TERM);
    let (_, log) = gateway.end();
    let line = format!("PUT {}: unreachable: ", homeserver.trim_end_matches('/'));
    assert!(log.contains(&line), "{log}");
}
