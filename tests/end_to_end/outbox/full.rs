//! An outbox without room: by its own bounds, by a host's share of them, and by its disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use comatrix_tests::device::{Response, option};
use comatrix_tests::gateway;
use comatrix_tests::udp_device::UdpDevice;

use super::forgetful::later;
use super::stage::{ROOM, Stage, queued, send, skipped, until};

/// The response of an outbox that is full.
fn is_refused(response: &Response) {
    assert_eq!(response.code, "5.03", "{response:?}");
    let max_age = response.number(option::MAX_AGE);
    assert!(max_age.is_some_and(|seconds| seconds > 0), "{response:?}");
}

#[test]
fn a_full_outbox_refuses_with_5_03_and_max_age_and_what_it_has_stays() {
    // A host has an eighth, one message.
    let mut stage = Stage::new("[outbox]\nmessages = 8");
    stage.rooms.stop();
    let mut bodies = Vec::new();
    for host in 1..=8 {
        let body = format!("of host {host}");
        queued(&stage.device(host).request(&send(ROOM, None, &body)));
        bodies.push(body);
    }
    for host in [9, 10, 1] {
        is_refused(&stage.device(host).request(&send(ROOM, None, "too many")));
    }
    stage.kill();
    stage.start();
    is_refused(&stage.device(9).request(&send(ROOM, None, "too many")));
    stage.rooms.start_again();
    let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
    stage.until_room_has(ROOM, &bodies);
    // There is room again.
    stage.rooms.stop();
    queued(&stage.device(9).request(&send(ROOM, None, "late")));
}

#[test]
fn a_hostile_host_fills_its_eighth_and_leaves_room_for_the_others() {
    let stage = Stage::new("[outbox]\nmessages = 80");
    stage.rooms.stop();
    let mut hostile = stage.device(3);
    let mut accepted = 0;
    for number in 0..40 {
        // Rooms of its own, and other ports.
        let room = format!("!{}:localhost", number % 7);
        if number % 5 == 0 {
            hostile = stage.device(3);
        }
        let response = hostile.request(&send(&room, None, &number.to_string()));
        match response.code.as_str() {
            "2.04" => accepted += 1,
            _ => is_refused(&response),
        }
    }
    assert_eq!(accepted, 10, "an eighth of 80");
    for host in 4..=10 {
        for number in 0..10 {
            let body = format!("of host {host}: {number}");
            queued(&stage.device(host).request(&send(ROOM, None, &body)));
        }
    }
    stage.rooms.start_again();
    until("all are sent", || stage.rooms.sent() == 80);
}

#[test]
fn a_host_may_have_one_message_that_is_larger_than_its_share_and_no_second_one() {
    // Its eighth is 8 KiB.
    let stage = Stage::new("[outbox]\nbytes = 65536");
    stage.rooms.stop();
    let mut device = stage.device(1);
    let mut say = |text: &str| device.request(&send(ROOM, None, text));
    let long = "long ".repeat(200);
    queued(&say(&long));
    let mut count = 1;
    while say(&long).code == "2.04" {
        count += 1;
    }
    assert!((4..8).contains(&count), "{count} of a kilobyte");
    queued(&stage.device(2).request(&send(ROOM, None, "another")));
}

/// A file system in memory at a state folder, until it is dropped.
struct Disk(PathBuf);

impl Disk {
    /// None, which is said, where this process may not mount.
    fn mount(folder: &Path, options: &str) -> Option<Self> {
        fs::create_dir_all(folder).expect("it is the test's");
        let disk = Self(folder.to_owned());
        let is_mounted = disk.run("mount", &["-t", "tmpfs", "-o", options, "tmpfs"]);
        if !is_mounted {
            skipped("this process may not mount a file system");
        }
        is_mounted.then_some(disk)
    }

    fn run(&self, program: &str, words: &[&str]) -> bool {
        let mut command = Command::new(program);
        let status = command.args(words).arg(&self.0).status();
        status.is_ok_and(|status| status.success())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.run("umount", &["-l"]);
    }
}

/// The rooms that are written to in turn.
const ROOMS: [&str; 3] = [ROOM, "!b:localhost", "!c:localhost"];

/// Messages of a kilobyte until one is refused; those that were accepted, and their ids.
fn fill(device: &mut UdpDevice, most: usize) -> Vec<(String, String)> {
    let mut accepted = Vec::new();
    for (number, room) in (0..most).zip(ROOMS.into_iter().cycle()) {
        let text = format!("{number} {}", "x".repeat(900));
        let response = device.request(&send(room, None, &text));
        if response.code != "2.04" {
            is_refused(&response);
            return accepted;
        }
        let id = queued(&response);
        accepted.push((text, id));
    }
    panic!("{most} messages fit");
}

#[test]
fn on_a_full_disk_nothing_is_accepted_and_messages_to_a_homeserver_that_responds_go_on() {
    let mut stage = Stage::new("");
    stage.stop();
    let folder = stage.scratch.path().join("state");
    fs::remove_dir_all(&folder).expect("it is the test's");
    let Some(_disk) = Disk::mount(&folder, "size=1m,mode=0700") else {
        return;
    };
    let filler = folder.join("filler");
    fs::write(&filler, vec![0; 512 << 10]).expect("there is room");
    stage.start();
    stage.rooms.stop();
    let mut device = stage.device(1);
    let accepted = fill(&mut device, 1000);
    assert!(accepted.len() > 20, "{}", accepted.len());
    for _ in 0..3 {
        is_refused(&device.request(&send(ROOM, None, &"x".repeat(900))));
    }
    let says = "the outbox cannot be written";
    let log = stage.log_until(says);
    let lines: Vec<&str> = log.lines().filter(|line| line.contains(says)).collect();
    let [line] = lines[..] else {
        panic!("one warning: {lines:#?}");
    };
    assert!(
        line.contains("WARN") && line.contains("is full; make room"),
        "{line}"
    );

    // What was accepted is there. While the disk cannot record what was sent, a room's next message waits: a restart
    // must not find several that were sent as messages that wait.
    stage.kill();
    stage.start();
    stage.rooms.start_again();
    until("one is sent", || stage.rooms.sent() > 0);
    thread::sleep(Duration::from_secs(1));
    let sent = ROOMS.map(|room| stage.rooms.bodies_in(room).len());
    assert!(sent.iter().sum::<usize>() < accepted.len(), "{sent:?}");
    let direct = device.request(&send("!d:localhost", None, "direct"));
    assert!(direct.field("event_id").starts_with('$'), "{direct:?}");
    stage.kill();
    if gateway::is_for_routers() {
        stage.start();
    } else {
        stage.rooms.forget_transactions();
        stage.start_with(&later());
    }
    fs::remove_file(&filler).expect("it is the test's");
    for (text, id) in &accepted {
        let outcome = stage.outcome(1, id);
        let event_id = stage.rooms.event_id(text).expect("it is there");
        assert_eq!(outcome["event_id"], event_id);
    }
    let bodies = stage.rooms.bodies();
    assert_eq!(bodies.len(), accepted.len() + 1, "each once: {bodies:#?}");
    stage.rooms.stop();
    queued(&device.request(&send(ROOM, None, "room again")));
}

#[test]
fn where_a_file_may_not_grow_it_is_as_on_a_full_disk() {
    let mut stage = Stage::new("log_level = \"warn\"");
    stage.stop();
    // Of 512 bytes each. The log is a file too.
    let limited = ["sh", "-c", "trap '' XFSZ; ulimit -f 400; exec \"$@\"", "sh"];
    stage.start_with(&limited.map(Into::into));
    stage.rooms.stop();
    let mut device = stage.device(1);
    let accepted = fill(&mut device, 1000);
    assert!(accepted.len() > 20, "{}", accepted.len());
    let says = "the outbox cannot be written";
    assert!(stage.log_until(says).contains(says));
    stage.kill();
    stage.rooms.start_again();
    stage.start();
    for (_, id) in &accepted {
        assert_eq!(stage.outcome(1, id)["state"], "sent");
    }
    assert_eq!(stage.rooms.bodies().len(), accepted.len());
    let direct = device.request(&send(ROOM, None, "direct"));
    assert!(direct.field("event_id").starts_with('$'), "{direct:?}");
}

#[test]
fn on_a_read_only_disk_nothing_is_accepted_and_the_gateway_serves() {
    let mut stage = Stage::new("");
    stage.stop();
    let folder = stage.scratch.path().join("state");
    let Some(disk) = Disk::mount(&folder, "size=1m,mode=0700") else {
        return;
    };
    let is_read_only = disk.run("mount", &["-o", "remount,ro"]);
    assert!(is_read_only, "root may do it");
    stage.start();
    let mut device = stage.device(1);
    let direct = device.request(&send(ROOM, None, "direct"));
    assert!(direct.field("event_id").starts_with('$'), "{direct:?}");
    stage.rooms.stop();
    is_refused(&device.request(&send(ROOM, None, "nowhere")));
    let says = "no messages are kept for a homeserver that does not respond";
    let log = stage.log_until(says);
    let lines: Vec<&str> = log.lines().filter(|line| line.contains(says)).collect();
    let [line] = lines[..] else {
        panic!("one warning: {lines:#?}");
    };
    for part in ["WARN", "Read-only file system", "--state-dir"] {
        assert!(line.contains(part), "{part:?} is not in {line}");
    }
    stage.stop();
}
