//! A router without a battery for its clock, from boot until a time service has set it.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use comatrix_tests::aiocoap::Aiocoap;
use comatrix_tests::device::Request;
use comatrix_tests::gateway::{self, Gateway};
use comatrix_tests::places::Scratch;

use crate::stage::{Room, synapse};

const MAX_AGE: u16 = 14;

/// Debian's libfaketime, in the folder of this machine's kind.
pub fn library() -> PathBuf {
    let folders = fs::read_dir("/usr/lib").expect("Debian has it").flatten();
    folders
        .map(|folder| folder.path().join("faketime/libfaketime.so.1"))
        .find(|library| library.is_file())
        .expect("`cargo xtask setup` installs faketime")
}

/// A clock that another program sets by this file. Timers go on as they do.
fn clock_from(file: &Path) -> Vec<OsString> {
    let mut words: Vec<OsString> = [
        "env",
        "TZ=UTC",
        "FAKETIME_NO_CACHE=1",
        "FAKETIME_DONT_FAKE_MONOTONIC=1",
    ]
    .map(Into::into)
    .into();
    for (name, path) in [
        ("LD_PRELOAD", library().as_path()),
        ("FAKETIME_TIMESTAMP_FILE", file),
    ] {
        let mut word = OsString::from(format!("{name}="));
        word.push(path);
        words.push(word);
    }
    words
}

#[test]
fn messages_arrive_before_the_clock_is_set_and_the_time_is_served_from_then_on() {
    if gateway::is_for_routers() {
        return; // A static binary takes no library before its own.
    }
    let (scratch, room) = (Scratch::new("clock"), Room::new());
    let file = scratch.write("now", "1970-01-01 00:00:10");
    let origin = &synapse().origin;
    let words = ["--homeserver", origin];
    let gateway = Gateway::start_under(&clock_from(&file), scratch.path(), &words);
    let warning = "this machine's clock is not set (it says Thu, 01 Jan 1970 00:00:10 GMT)";
    let log = gateway.log_until(warning);
    assert!(log.contains(warning), "{log}");
    let mut device = Aiocoap::start(gateway.address);
    let time = Request::new("GET", "/time");
    let refused = device.request(&time);
    assert_eq!(refused.code, "5.03");
    assert!(refused.number(MAX_AGE) > Some(0), "{refused:?}");
    let sent = device.request(&room.send(origin, "early", "before there was a time"));
    assert_eq!(sent.code, "2.04", "{sent:?}");
    // In one step: a file that is being written is a clock of its own.
    let next = scratch.write("next", "2030-01-01 00:00:00");
    fs::rename(next, &file).expect("both are the test's");
    let shown = device.request(&time);
    assert_eq!(
        (shown.code.as_str(), shown.text().as_str()),
        ("2.05", "1893456000")
    );
}
