//! The log lines of operators: devices at full speed hide none of them.

use std::fs;
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use coap::{Datagram, MessageType, Token, code};
use rustix::process::Signal;

use crate::exchange::request;
use crate::running_gateway::Running;
use crate::stage::saying;

/// Devices that send requests without a pause.
const DEVICES: usize = 8;

/// Sends requests at full speed until `stop` is set. Their responses are not awaited.
fn flood(running: &Running, stop: &Arc<AtomicBool>) -> Vec<thread::JoinHandle<()>> {
    let flooding = |device: usize| {
        let address = running.client.peer_addr().expect("it is connected");
        let stop = stop.clone();
        move || {
            let socket = UdpSocket::bind(format!("127.0.0.{}:0", device + 2)).expect("a free port");
            socket.connect(address).expect("it is an address");
            let mut message_id = 0_u16;
            while !stop.load(Ordering::Relaxed) {
                message_id = message_id.wrapping_add(1);
                let bytes = coap::encode(&Datagram {
                    message_type: MessageType::NonConfirmable,
                    message_id,
                    token: Token::new(&[1]).expect("it is short"),
                    message: request(code::GET, "a/test"),
                });
                // A full buffer refuses some.
                let _ = socket.send(&bytes);
                if message_id.is_multiple_of(16) {
                    thread::sleep(Duration::from_millis(1));
                }
            }
        }
    };
    (0..DEVICES).map(|n| thread::spawn(flooding(n))).collect()
}

#[test]
fn swaps_reloads_and_the_stop_are_in_the_log_under_eight_devices_at_full_speed() {
    let running = Running::start("operator-log", &saying("zero"));
    let stop = Arc::new(AtomicBool::new(false));
    let devices = flood(&running, &stop);
    // The log's reader has stopped: its pipe is full, and then its queue.
    thread::sleep(Duration::from_secs(2));
    // First, since nothing replies to it: the replies to the commands that follow show that it was carried out.
    running.signal(Signal::HUP);
    for text in ["one", "two", "three"] {
        let file = format!("{text}.wasm");
        fs::write(running.folder.join(&file), saying(text)).expect("the folder is the test's");
        let (code, said) = running.rules(&["swap", "a", &file]);
        assert_eq!(code, 0, "{said}");
    }
    let (code, said) = running.rules(&["rollback", "a"]);
    assert_eq!(code, 0, "{said}");
    let (code, said) = running.rules(&["swap", "a", "gateway.toml"]);
    assert_eq!(code, 1, "{said}");
    let (code, said) = running.rules(&["swap", "b", "one.wasm"]);
    assert_eq!(code, 1, "{said}");
    let (code, said) = running.rules(&["reload"]);
    assert_eq!(code, 0, "{said}");
    stop.store(true, Ordering::Relaxed);
    for device in devices {
        device.join().expect("it only sends");
    }
    let user = rustix::process::getuid().as_raw();
    let log = running.log();
    // By whichever bound the devices meet first: that of all lines, or their hosts' shares.
    let is_of_flood = |line: &str| line.contains("lines of requests") && line.contains("left out");
    assert!(log.lines().any(is_of_flood), "no flood");
    let lines = log.lines().filter(|line| !line.contains(" peer="));
    let log = lines.collect::<Vec<_>>().join("\n");
    let count = |part: &str| log.matches(part).count();
    for file in ["one.wasm", "two.wasm", "three.wasm"] {
        assert_eq!(count(&format!("{file} (prepared in")), 1, "{file}: {log}");
    }
    for (line, expected) in [
        ("started: version", 1),
        ("asks for a swap of rule a", 4),
        ("asks for a rollback of rule a", 1),
        ("rolled back to", 1),
        ("rule a not replaced", 1),
        ("there is no rule b", 1),
        ("gateway.toml applied", 2),
        ("SIGHUP asks for a reload of the configuration", 1),
        ("stopping: ", 1),
    ] {
        assert_eq!(count(line), expected, "{line}: {log}");
    }
    let requests = log.lines().filter(|line| line.contains(" asks for "));
    for line in requests.filter(|line| !line.contains("SIGHUP")) {
        assert!(line.contains(&format!("user {user} (process ")), "{line}");
        assert!(line.contains("control.sock"), "{line}");
    }
}
