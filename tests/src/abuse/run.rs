//! One attack beside honest devices.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::json;

use super::attacker::attack;
use super::attacks::Attack;
use super::honest::{Errand, Requests, arrivals, work};
use super::report::Report;
use crate::gateway::Gateway;
use crate::places::Scratch;
use crate::stub::{Behaviour, Received, Stub};

/// How fast and how long an attack is. The first bound that is reached counts.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Datagrams per second.
    pub datagrams_per_second: f64,
    /// Bytes per second.
    pub bytes_per_second: f64,
    /// Its duration.
    pub duration: Duration,
    /// Time for the gateway's memory to return, after the attack.
    pub rest: Duration,
}

impl Pace {
    /// More than a radio with 250 kbit/s carries, by far: 10,000 datagrams or 6 MB per second.
    pub const FULL: Self = Self {
        datagrams_per_second: 10_000.0,
        bytes_per_second: 6e6,
        duration: Duration::from_secs(20),
        rest: Duration::from_secs(10),
    };
    /// For a test: a gateway without optimisation is ten times slower.
    pub const SHORT: Self = Self {
        datagrams_per_second: 1_000.0,
        bytes_per_second: 1e6,
        duration: Duration::from_secs(2),
        rest: Duration::from_millis(500),
    };
}

/// Runs one attack against a gateway of its own.
pub fn run(chosen: &Attack, pace: Pace) -> Report {
    let homeserver = Stub::scripted(respond);
    let scratch = Scratch::new("abuse");
    let token = scratch.write("token", "honest");
    let config = format!(
        "token_peers = [\"127.0.0.1\"]\n[[homeserver]]\nurl = \"{}\"\naccess_token_file = \"{}\"\n",
        homeserver.origin,
        token.display()
    );
    let file = scratch.write("gateway.toml", &config);
    let gateway = Gateway::start(&["--config", &file.display().to_string()]);
    let address = gateway.address;

    let (attacking, working) = (AtomicBool::new(false), AtomicBool::new(false));
    let (traffic, [time, send, upload], memory) = thread::scope(|scope| {
        let device = |errand, milliseconds| {
            let (stop, period) = (&working, Duration::from_millis(milliseconds));
            scope.spawn(move || work(address, errand, period, stop))
        };
        let devices = [
            device(Errand::Time, 10),
            device(Errand::Send, 50),
            device(Errand::Upload, 200),
        ];
        // Caches fill, connections are made.
        thread::sleep(Duration::from_millis(500));
        let before = gateway.resident_bytes();
        let attacker = scope.spawn(|| attack(chosen, address, pace, &attacking));
        let mut highest = before;
        for _ in 0..20 {
            thread::sleep(pace.duration / 20);
            highest = highest.max(gateway.resident_bytes());
        }
        attacking.store(true, Ordering::Relaxed);
        let traffic = attacker.join().expect("the attacker ends");
        working.store(true, Ordering::Relaxed);
        let times = devices.map(|device| device.join().expect("the device ends"));
        thread::sleep(pace.rest);
        (traffic, times, [before, highest, gateway.resident_bytes()])
    });

    let received = homeserver.received();
    let events = received.iter().filter(|request| request.method == "PUT");
    let arrived = arrivals(events.map(|event| (event.target.as_str(), event.body.as_slice())));
    let accepted = || {
        [&send, &upload]
            .into_iter()
            .flat_map(|requests: &Requests| &requests.accepted)
    };
    Report {
        name: chosen.name,
        is_forged: chosen.is_forged,
        missing: accepted()
            .filter(|text| !arrived.contains_key(*text))
            .count(),
        doubled: accepted()
            .filter(|text| arrived.get(*text).is_some_and(|count| *count > 1))
            .count(),
        log: fs::read_to_string(gateway.log_file()).unwrap_or_default(),
        traffic,
        time,
        send,
        upload,
        memory,
    }
}

/// A homeserver that responds at once.
fn respond(request: &Received) -> Behaviour {
    let target = request.target.as_str();
    if target.contains("/send/") {
        return Behaviour::json(200, json!({"event_id": "$event"}));
    }
    if target.contains("/sync") {
        let nothing = Behaviour::json(200, json!({"next_batch": "s1"}));
        return Behaviour::Late(Duration::from_secs(5), Box::new(nothing));
    }
    Behaviour::json(200, json!({"chunk": [], "start": "s0", "end": "s1"}))
}
