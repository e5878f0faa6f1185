//! ClientHellos whose source addresses are forged, over a real link in a network namespace of its own.
//!
//! The test runs itself again in the namespace, where the gateway has an address at one end of the link, and
//! `tests/clients/spoof.py` is at the other one, in place of the whole internet.

#![allow(
    clippy::print_stdout,
    reason = "the figures are for people: machines differ"
)]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::coaps_stage::Stage;
use crate::oscore_device;
use crate::secured_attackers::hello;
use crate::secured_honest::{Honest, Measured};

/// Set in the namespace.
const INSIDE: &str = "COMATRIX_IN_NAMESPACE";
const TEST: &str =
    "secured_spoofed::client_hellos_of_forged_addresses_delay_no_device_and_are_not_amplified";
/// The other end of the link needs no address. Nobody is asked for hardware addresses: all of the internet is there.
const LINK: &str = "ip link set lo up && ip link add world type veth peer name gateway && \
    ip addr add 10.0.0.1/24 dev gateway && ip link set gateway arp off up && ip link set world up && \
    ip route add default dev gateway && exec \"$@\"";
/// Datagrams per second, for a gateway without optimisation, and seconds.
const PACE: &str = "2000";
const SECONDS: &str = "4";
/// Of the devices, beyond what they take without the flood: the machine has other things to do.
const P99: Duration = Duration::from_millis(200);

/// Runs a command in a network namespace of its own that has the link.
fn in_namespace(command: &[&str]) -> Command {
    let mut unshare = Command::new("unshare");
    unshare
        .args(["--net", "--map-root-user", "sh", "-ec", LINK, "sh"])
        .args(command);
    unshare
}

#[test]
fn client_hellos_of_forged_addresses_delay_no_device_and_are_not_amplified() {
    if std::env::var_os(INSIDE).is_some() {
        return flooded();
    }
    let tried = in_namespace(&["true"])
        .output()
        .expect("util-linux is installed");
    if !tried.status.success() {
        let reason = String::from_utf8_lossy(&tried.stderr).into_owned();
        // Not through the test's output, which nobody sees when it passes.
        let _ = writeln!(
            std::io::stderr(),
            "NOT TESTED: {TEST}: this system lets nobody make network namespaces with a link: {reason}"
        );
        return;
    }
    let program = std::env::current_exe().expect("it has a path");
    let program = program.display().to_string();
    let output = in_namespace(&[&program, "--exact", TEST, "--nocapture"])
        .env(INSIDE, "1")
        .output()
        .expect("it has just run");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}"
    );
    println!("{said}");
}

/// The devices while `meanwhile` runs.
fn measured<T>(
    devices: Vec<Honest>,
    meanwhile: impl FnOnce() -> T,
) -> (Vec<(Honest, Measured)>, T) {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let work = |device: Honest| scope.spawn(|| device.work_and_return(&stop));
        let threads: Vec<_> = devices.into_iter().map(work).collect();
        let result = meanwhile();
        stop.store(true, Ordering::Relaxed);
        let ended = threads.into_iter().map(|device| device.join());
        (
            ended.map(|one| one.expect("a device ends")).collect(),
            result,
        )
    })
}

fn flooded() {
    let stage = Stage::start_open("floods-spoofed");
    let kitchen = stage.enrol(&["add", "kitchen", "--psk"]);
    let (code, said) = stage.devices(&["add", "roof", "--oscore", "--json"]);
    assert_eq!(code, 0, "{said}");
    let roof: Value = serde_json::from_str(&said).expect("JSON");
    let gateway = stage.running.client.peer_addr().expect("it is connected");
    let devices = vec![
        Honest::with_key(&kitchen),
        Honest::with_context(gateway, oscore_device::context(&roof["oscore"])),
    ];
    let (quiet, ()) = measured(devices, || thread::sleep(Duration::from_secs(2)));
    let (devices, before): (Vec<_>, Vec<_>) = quiet.into_iter().unzip();
    let port = kitchen.port.to_string();
    let (flooded, found) = measured(devices, || flood(&port));
    println!("{found}");
    for ((_, measured), before) in flooded.iter().zip(&before) {
        let [p99, undisturbed] = [measured, before].map(|one| one.percentile(0.99));
        println!("p99 {p99:.1?}, undisturbed {undisturbed:.1?}");
        assert!(measured.failed.is_empty(), "{:?}", measured.failed);
        assert!(measured.count() > 0 && p99 < undisturbed + P99, "{p99:?}");
    }
    let number = |name: &str| found[name].as_f64().expect("a number");
    assert!(
        number("sent") > 1_000.0 && number("received") > 500.0,
        "{found}"
    );
    assert!(number("amplification") <= 1.0, "{found}");
    // A new device still gets in.
    Honest::with_key(&stage.enrol(&["add", "late", "--psk"]));
}

/// What the one who forges has sent and seen.
fn flood(port: &str) -> Value {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/clients/spoof.py");
    let hardware = hardware_address();
    let datagram = hello(&[], 0);
    let digits: String = datagram.iter().map(|byte| format!("{byte:02x}")).collect();
    let output = Command::new("python3")
        .arg(program)
        .args(["world", &hardware, "10.0.0.1", port, PACE, SECONDS, &digits])
        .stdin(Stdio::null())
        .output()
        .expect("`cargo xtask setup` installs python3");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn hardware_address() -> String {
    let output = Command::new("ip")
        .args(["-brief", "link", "show", "gateway"])
        .output()
        .expect("iproute2 is installed");
    let line = String::from_utf8_lossy(&output.stdout).into_owned();
    let word = line.split_whitespace().nth(2);
    word.expect("it has a hardware address").to_owned()
}
