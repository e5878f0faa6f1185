//! A gateway that is killed at any time, under devices with security contexts.

#![allow(
    clippy::print_stdout,
    reason = "the figures say what a run has put to the test"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::coaps_stage::Stage;
use crate::oscore_busy::{Busy, Seen, World};
use crate::oscore_device;
use crate::stub::{Reaction, Received, Stub};

const DEVICES: usize = 4;
/// Kills, unless the environment names another number.
const KILLS: usize = 10;
const KILLS_VARIABLE: &str = "COMATRIX_OSCORE_KILLS";

/// For all devices to go on after the last kill.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Each long poll ends soon with a new message: observers get numbers enough for several blocks.
pub fn homeserver(received: &Received) -> Reaction {
    static EVENTS: AtomicUsize = AtomicUsize::new(0);
    if received.target.contains("/send/") {
        return Reaction::Json(200, r#"{"event_id":"$e"}"#.to_owned());
    }
    if received.target.contains("since=") {
        thread::sleep(Duration::from_millis(5));
    }
    let number = EVENTS.fetch_add(1, Ordering::Relaxed);
    let event = json!({
        "type": "m.room.message", "event_id": format!("$n{number}"), "sender": "@a:h", "origin_server_ts": 1,
        "content": {"msgtype": "m.text", "body": format!("event {number}")},
    });
    let timeline = json!({"events": [event], "limited": false, "prev_batch": "p"});
    let rooms = json!({"join": {"!a:h": {"timeline": timeline}}});
    let body = json!({"next_batch": format!("n{number}"), "rooms": rooms, "chunk": [event]});
    Reaction::Json(200, body.to_string())
}

/// Texts that came to the homeserver as two messages.
pub fn doubled(received: &[Received]) -> Vec<String> {
    let mut targets: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for one in received.iter().filter(|one| one.method == "PUT") {
        let event: Value = serde_json::from_slice(&one.body).expect("JSON");
        let text = event["body"].as_str().expect("a text").to_owned();
        targets.entry(text).or_default().insert(&one.target);
    }
    let twice = targets.into_iter().filter(|(_, targets)| targets.len() > 1);
    twice.map(|(text, _)| text).collect()
}

/// Kills the gateway so often. Some die at once, some have much to do.
pub fn kill_again_and_again(mut stage: Stage, world: &World, kills: usize) -> Stage {
    let mut dice = 0x9e37_79b9_7f4a_7c15_u64 ^ u64::from(std::process::id());
    for _ in 0..kills {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        let longest = [100, 600, 1500][(dice >> 40) as usize % 3];
        thread::sleep(Duration::from_millis((dice >> 8) % longest));
        stage = stage.kill();
        let gateway = stage.running.client.peer_addr().expect("it is connected");
        *world.gateway.lock().expect("nobody panics with it") = gateway;
        world.observing.store(0, Ordering::SeqCst);
        world.lives.fetch_add(1, Ordering::SeqCst);
    }
    stage
}

#[test]
fn no_nonce_leaves_twice_and_no_replay_is_accepted_whenever_the_gateway_is_killed() {
    let named = std::env::var(KILLS_VARIABLE).ok();
    let kills = named.map_or(KILLS, |kills| kills.parse().expect("a number of kills"));
    let stage = Stage::start_before(Stub::start(homeserver), "oscore-killed", "");
    let world = World {
        gateway: Mutex::new(stage.running.client.peer_addr().expect("it is connected")),
        lives: AtomicUsize::new(1),
        observing: AtomicUsize::new(0),
        is_over: AtomicBool::new(false),
    };
    let contexts: Vec<_> = (0..DEVICES)
        .map(|number| {
            let (code, said) =
                stage.devices(&["add", &format!("device-{number}"), "--oscore", "--json"]);
            assert_eq!(code, 0, "{said}");
            let enrolled: Value = serde_json::from_str(&said).expect("JSON");
            oscore_device::context(&enrolled["oscore"])
        })
        .collect();
    let (stage, seen) = thread::scope(|scope| {
        let world = &world;
        let devices: Vec<_> = contexts
            .into_iter()
            .enumerate()
            .map(|(number, context)| scope.spawn(move || Busy::new(world, number, context).work()))
            .collect();
        let stage = kill_again_and_again(stage, world, kills);
        // In the last life every device goes on.
        let began = Instant::now();
        while world.observing.load(Ordering::SeqCst) < DEVICES && began.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(100));
        }
        let observing = world.observing.load(Ordering::SeqCst);
        world.is_over.store(true, Ordering::SeqCst);
        let seen = devices.into_iter().map(|device| device.join());
        let seen: Vec<Seen> = seen.map(|seen| seen.expect("a device ends")).collect();
        assert!(observing >= DEVICES, "{observing} devices went on");
        (stage, seen)
    });
    let mut figures = [0; 6];
    for seen in &seen {
        assert!(seen.nonces.reused.is_empty(), "{:?}", seen.nonces.reused);
        assert!(seen.replayed.is_empty(), "{:?}", seen.replayed);
        let [own, of_requests] = seen.nonces.count();
        let of_device = [
            own,
            of_requests,
            seen.accepted,
            seen.notifications,
            seen.echoes,
            seen.refused,
        ];
        figures
            .iter_mut()
            .zip(of_device)
            .for_each(|(sum, one)| *sum += one);
    }
    let [own, of_requests, accepted, notifications, echoes, refused] = figures;
    println!(
        "{kills} kills: {own} nonces of own numbers, {of_requests} of requests, {accepted} messages accepted, \
         {notifications} notifications, {echoes} demands of an Echo, {refused} replays refused"
    );
    let received = stage.stub.received();
    assert_eq!(doubled(&received), [""; 0]);
    // All kinds of datagrams were put to the test.
    assert!(figures.iter().all(|figure| *figure > 0), "{figures:?}");
}
