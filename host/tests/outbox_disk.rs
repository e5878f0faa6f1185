//! An operator's changes while the disk of the outbox is full.

use std::fs::{self, File};
use std::io::Write;

use crate::outbox_stage::{Mood, Stage, ids};
use crate::running_gateway::command;

/// As long as a state folder that holds little.
const SMALL_DISK: &str = "mkdir -m 700 state; mount -t tmpfs -o size=512k,mode=700 none state";

/// Of the status, as long as the disk fails.
const WARNING: &str = "the outbox cannot be written, and no message is taken over until it can";

#[test]
fn what_the_disk_does_not_take_has_not_changed_or_is_said_and_the_gateway_stays_ready() {
    let mut stage = Stage::after(SMALL_DISK, "outbox-full-disk", Mood::Refusing);
    // Every change takes more than what is left of a page of the disk.
    let text = "x".repeat(4500);
    let one = stage.send("send/!a:h/1", &text);
    let two = stage.send("send/!a:h/2", &text);
    stage.until("both have failed", |list| list["failed"] == 2);
    let filler = stage.running.own_view("state/filler");
    let mut file = File::create(&filler).expect("the folder is the test's");
    while file.write_all(&[0; 512]).is_ok() {}

    let refused = stage.refused(&["retry", &one]);
    assert!(
        refused.contains("cannot be stored") && refused.contains("make room"),
        "{refused}"
    );
    assert_eq!(ids(&stage.list(&["--failed"])), [&one, &two]);
    let all = stage.refused(&["retry", "all"]);
    assert!(
        all.contains("0 of 2 failed ones") && all.contains("make room"),
        "{all}"
    );
    let dropped = stage.refused(&["drop", &two]);
    assert!(
        dropped.contains("only until the gateway starts again"),
        "{dropped}"
    );
    let status = || command(&stage.running.folder, &["status", "--admin", "admin.sock"]);
    let (code, said) = status();
    assert!(code == 0 && said.contains(WARNING), "{said}");

    drop(file);
    fs::remove_file(&filler).expect("it is there");
    stage.set(Mood::Well);
    let retried = stage.outbox(&["retry", &one]);
    assert!(retried.contains("waits again"), "{retried}");
    stage.until("it was sent", |list| {
        list["failed"] == 0 && list["waiting"] == 0
    });
    let (code, said) = status();
    assert!(code == 0 && !said.contains(WARNING), "{said}");
}
