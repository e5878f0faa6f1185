//! Floods from addresses that have proven nothing, beside honest devices with a key and with a security context.

#![allow(
    clippy::print_stdout,
    reason = "the figures are for people: machines differ"
)]

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use coap::code;
use serde_json::Value;

use crate::coaps_stage::Stage;
use crate::exchange::request;
use crate::oscore_device::{self, Device};
use crate::secured_attackers::{Attack, Traffic, attack, hello};
use crate::secured_honest::{Honest, Measured};

/// Of each flood.
const DURATION: Duration = Duration::from_secs(2);
/// The gateway is built without optimisation and shares its processors with other tests and with the attacker: what is
/// to be below 200 ms on a machine of its own must be below this here. A datagram for which the kernel has no room
/// comes again after 2 to 3 s (RFC 7252 §4.8), and few are sent.
const P99: Duration = Duration::from_secs(4);

/// Floods `target` while a device with a key and one with a security context ask.
fn flood(name: &str, stage: &Stage, target: SocketAddr, what: &Attack) -> Traffic {
    let gateway = stage.running.client.peer_addr().expect("it is connected");
    let with_key = Honest::with_key(&stage.enrol(&["add", &format!("key-{name}"), "--psk"]));
    let (code, said) = stage.devices(&["add", &format!("context-{name}"), "--oscore", "--json"]);
    assert_eq!(code, 0, "{said}");
    let enrolled: Value = serde_json::from_str(&said).expect("JSON");
    let context = oscore_device::context(&enrolled["oscore"]);
    let with_context = Honest::with_context(gateway, context);
    let stop = AtomicBool::new(false);
    let (traffic, measured) = thread::scope(|scope| {
        let devices = [with_key, with_context].map(|device| scope.spawn(|| device.work(&stop)));
        let attacker = scope.spawn(|| attack(what, target, &stop));
        thread::sleep(DURATION);
        stop.store(true, Ordering::Relaxed);
        let traffic = attacker.join().expect("the attacker ends");
        (
            traffic,
            devices.map(|device| device.join().expect("it ends")),
        )
    });
    for (device, measured) in ["key", "context"].into_iter().zip(&measured) {
        check(&format!("{name}, device with a {device}"), measured);
    }
    println!("{name}: {traffic:?}");
    assert!(traffic.sent > 100, "{name}: {traffic:?}");
    traffic
}

fn check(what: &str, measured: &Measured) {
    let [half, most] = [0.5, 0.99].map(|share| measured.percentile(share));
    println!(
        "{what}: {} requests, p50 {half:.1?}, p99 {most:.1?}",
        measured.count()
    );
    assert!(measured.failed.is_empty(), "{what}: {:?}", measured.failed);
    assert!(measured.count() > 0 && most < P99, "{what}: {most:?}");
}

fn coaps(stage: &Stage) -> SocketAddr {
    let port = u16::try_from(stage.coaps_port()).expect("it is a port");
    ([127, 0, 0, 1], port).into()
}

#[test]
fn client_hellos_of_forged_addresses_get_no_more_than_they_are_and_delay_no_device() {
    let stage = Stage::start("floods-hellos");
    let traffic = flood("hellos", &stage, coaps(&stage), &Attack::Hellos);
    assert!(
        traffic.received > 0 && traffic.amplification <= 1.0,
        "{traffic:?}"
    );
}

#[test]
fn half_handshakes_of_seven_hosts_delay_no_device_and_a_new_one_still_gets_in() {
    let stage = Stage::start("floods-half");
    let traffic = flood("half", &stage, coaps(&stage), &Attack::HalfHandshakes);
    assert!(
        traffic.proven > 0 && traffic.amplification <= 1.0,
        "{traffic:?}"
    );
    // Their handshakes are still pending.
    Honest::with_key(&stage.enrol(&["add", "late", "--psk"]));
}

#[test]
fn half_handshakes_of_thousands_of_networks_delay_no_device_and_new_ones_still_get_in() {
    let stage = Stage::start("floods-networks");
    let late = ["late-1", "late-2"].map(|name| stage.enrol(&["add", name, "--psk"]));
    let what = Attack::HalfHandshakesOfNetworks;
    let target = coaps(&stage);
    let traffic = thread::scope(|scope| {
        let [during, _] = &late;
        scope.spawn(|| {
            for _ in 0..10 {
                Honest::with_key(during);
                thread::sleep(DURATION / 5);
            }
        });
        flood("networks", &stage, target, &what)
    });
    assert!(
        traffic.proven > 256 && traffic.amplification <= 1.0,
        "{traffic:?}"
    );
    // Their handshakes are still pending.
    Honest::with_key(&late[1]);
}

#[test]
fn junk_on_the_secured_port_gets_no_more_than_it_is_and_delays_no_device() {
    let stage = Stage::start("floods-junk");
    let traffic = flood("junk", &stage, coaps(&stage), &Attack::Junk);
    assert!(traffic.amplification <= 1.0, "{traffic:?}");
}

#[test]
fn requests_with_unknown_identifiers_are_not_amplified_and_delay_no_device() {
    let stage = Stage::start("floods-unknown");
    let gateway = stage.running.client.peer_addr().expect("it is connected");
    let traffic = flood("unknown", &stage, gateway, &Attack::UnknownIds);
    assert!(
        traffic.received > 0 && traffic.amplification <= 1.0,
        "{traffic:?}"
    );
}

#[test]
fn replays_from_other_addresses_are_not_amplified_and_delay_no_device() {
    let stage = Stage::start("floods-replays");
    let (mut victim, _) = Device::enrol(&stage, &["add", "victim", "--oscore"]);
    let replays = (0..16).map(|_| {
        assert_eq!(victim.ask(request(code::GET, "time")).0.code, code::CONTENT);
        victim.sent.clone()
    });
    let gateway = stage.running.client.peer_addr().expect("it is connected");
    let attack = Attack::Replays(replays.collect());
    let traffic = flood("replays", &stage, gateway, &attack);
    assert!(
        traffic.received > 0 && traffic.amplification <= 1.0,
        "{traffic:?}"
    );
    // A ClientHello with the cookie of another address.
    let attack = Attack::Replays(vec![hello(&[7; 32], 1)]);
    let traffic = flood("cookies", &stage, coaps(&stage), &attack);
    assert!(
        traffic.received > 0 && traffic.amplification <= 1.0,
        "{traffic:?}"
    );
}
