//! The socket that a service manager hands over.

use std::net::UdpSocket;
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use coap::{code, option};
use rustix::process::Signal;

use super::{Device, Manager, NOWHERE, PATIENCE, Running};
use crate::exchange::{request, send};
use crate::stub::{Reaction, Stub};

#[test]
fn an_upgrade_with_the_managers_socket_ends_running_requests_and_keeps_new_ones_for_the_next_process()
 {
    let manager = Manager::new("manager-upgrade");
    let stub = Stub::start(|_| {
        thread::sleep(Duration::from_secs(2));
        Reaction::Json(200, r#"{"event_id":"$x"}"#.into())
    });
    let homeserver = stub.url().to_string();
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let address = socket.local_addr().expect("it is bound");
    let (early, running, late) = (
        Device::new(address),
        Device::new(address),
        Device::new(address),
    );
    // Before the first one is there.
    early.say(request(code::GET, "time"));
    let old = Running::start(&mut manager.gateway_with(&socket, &homeserver));
    assert_eq!(
        manager.hear_ready(),
        address,
        "it takes neither --ip nor --port"
    );
    assert_eq!(early.response_code(), code::CONTENT);

    running.say(send().with_option(option::ACCESS_TOKEN, "a-token"));
    let since = Instant::now();
    while stub.received().is_empty() && since.elapsed() < PATIENCE {
        thread::sleep(Duration::from_millis(10));
    }
    old.signal(Signal::TERM);
    assert!(manager.hear().starts_with("STOPPING=1\n"));
    late.say(request(code::GET, "time"));
    assert_eq!(running.response_code(), code::CHANGED);
    let (status, log) = old.end();
    assert_eq!(status, Some(0), "{log}");

    let _new = Running::start(&mut manager.gateway_with(&socket, &homeserver));
    assert_eq!(manager.hear_ready(), address);
    assert_eq!(
        late.response_code(),
        code::CONTENT,
        "sent once, to a gateway that ended"
    );
}

#[test]
fn a_socket_that_is_none_of_udp_is_refused_with_the_line_to_change() {
    let manager = Manager::new("manager-tcp");
    let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let unused = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let mut command = manager.gateway_with(&unused, NOWHERE);
    let gateway = Running::start(command.stdin(Stdio::from(OwnedFd::from(socket))));
    let said = manager.hear();
    assert!(said.contains("ListenDatagram="), "{said}");
    assert_eq!(gateway.end().0, Some(2));
}
