//! Disks that are full or can only be read: compiled rules are not kept then, and everything else goes on.

use std::fs;
use std::path::PathBuf;

use coap::code;
use rustix::process::Signal;

use super::{Device, Manager, NOWHERE, Running};
use crate::exchange::request;

/// Starts a gateway after `preparation`, and returns its cache's files while it serves, and its log.
fn serves_after(test: &str, preparation: &str) -> (Vec<String>, String) {
    let manager = Manager::new(test);
    let gateway = Running::start(&mut manager.gateway_after(preparation, NOWHERE));
    let device = Device::new(manager.hear_ready());
    device.say(request(code::GET, "time"));
    assert_eq!(device.response_code(), code::CONTENT);
    // As the gateway sees it.
    let root = PathBuf::from(format!("/proc/{}/root", gateway.0.id()));
    let cache = manager.folder.join("cache");
    let cache = root.join(cache.strip_prefix("/").expect("it is absolute"));
    let files = fs::read_dir(&cache).unwrap_or_else(|error| panic!("{error}"));
    let names = files.flatten().map(|entry| entry.file_name());
    let names = names.map(|name| name.to_string_lossy().into_owned());
    let names = names.collect();
    gateway.signal(Signal::TERM);
    let (status, log) = gateway.end();
    assert_eq!(status, Some(0), "{log}");
    (names, log)
}

/// The one line of the log about it.
fn only_line(log: &str, reason: &str) {
    let lines: Vec<_> = log
        .lines()
        .filter(|line| line.contains("compiled"))
        .collect();
    let [line] = lines.as_slice() else {
        panic!("{log}")
    };
    for part in ["WARN", reason, "make room", "--cache-dir"] {
        assert!(line.contains(part), "{part:?} is not in {line}");
    }
}

#[test]
fn a_full_disk_costs_one_warning_and_nothing_half_written_stays() {
    let preparation = "mkdir cache; mount -t tmpfs -o size=64k,mode=700 none cache";
    let (files, log) = serves_after("disk-full", preparation);
    only_line(&log, "No space left on device");
    assert_eq!(files, [""; 0]);
}

#[test]
fn a_disk_that_can_only_be_read_costs_one_warning() {
    let preparation =
        "mkdir -m 700 cache; mount --bind cache cache; mount -o remount,bind,ro cache";
    let (_, log) = serves_after("disk-read-only", preparation);
    only_line(&log, "Read-only file system");
}
