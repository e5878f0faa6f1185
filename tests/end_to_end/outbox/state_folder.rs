//! State folders and stores that the gateway must not use as they are: refused, or set aside.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use comatrix_tests::gateway;
use comatrix_tests::places;
use comatrix_tests::supervised::Supervised;

use super::stage::{ROOM, Stage, queued, send, skipped, status};

/// A gateway that took the folder would run on.
const LIMIT: Duration = Duration::from_secs(30);
/// `nobody`.
const OTHER_USER: u32 = 65534;

impl Stage {
    fn state(&self) -> PathBuf {
        self.scratch.path().join("state")
    }

    fn store(&self) -> PathBuf {
        self.state().join("state.db")
    }

    /// The output of a gateway with this state folder, which must end with status 2 before it listens.
    fn refused(&self, folder: &Path) -> String {
        let folder = folder.display().to_string();
        let cache = gateway::cache_folder().display().to_string();
        let words = ["-i", "127.0.0.1", "-p", "0", "--cache-dir", &cache];
        let words = [&words[..], &["--state-dir", &folder]].concat();
        let log = self.scratch.path().join("refused.log");
        let mut process = Supervised::start(&gateway::binary(), &words, self.scratch.path(), &log);
        let status = process.wait(LIMIT);
        let said = fs::read_to_string(&log).unwrap_or_default();
        assert_eq!(status, Some(2), "{said}");
        assert_eq!(process.next_line(Duration::from_millis(1)), None);
        assert!(!said.contains("panicked"), "{said}");
        said
    }
}

/// A stage with a message that waits in its store, and its gateway stopped.
fn with_a_message() -> (Stage, String) {
    let mut stage = Stage::new("");
    stage.rooms.stop();
    let id = queued(&stage.device(1).request(&send(ROOM, None, "kept")));
    stage.stop();
    (stage, id)
}

/// The message is still there, and is sent.
fn is_unharmed(stage: &mut Stage, id: &str) {
    stage.start();
    stage.rooms.start_again();
    stage.until_room_has(ROOM, &["kept"]);
    assert_eq!(stage.outcome(1, id)["state"], "sent");
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("it is the test's");
}

#[test]
fn a_folder_that_others_can_reach_is_refused_with_its_remedy() {
    let (mut stage, id) = with_a_message();
    let folder = stage.state();
    for mode in [0o755, 0o750, 0o701] {
        set_mode(&folder, mode);
        let said = stage.refused(&folder);
        let remedy = format!(
            "(mode {mode:03o}); make it private: chmod 700 {}",
            folder.display()
        );
        assert!(said.contains(&remedy), "{said}");
    }
    set_mode(&folder, 0o700);
    is_unharmed(&mut stage, &id);
}

#[test]
fn a_folder_or_a_store_of_another_user_is_refused() {
    let (mut stage, id) = with_a_message();
    for path in [stage.state(), stage.store()] {
        let owner = fs::metadata(&path).expect("it is there").uid();
        if chown(&path, Some(OTHER_USER), None).is_err() {
            skipped("this process may not give a file to another user");
            return;
        }
        let said = stage.refused(&stage.state());
        let reason = format!(
            "{} belongs to the user {OTHER_USER} and not to {owner}",
            path.display()
        );
        assert!(
            said.contains(&reason) && said.contains("--state-dir"),
            "{said}"
        );
        chown(&path, Some(owner), None).expect("root can do it");
    }
    is_unharmed(&mut stage, &id);
}

#[test]
fn a_folder_that_another_gateway_uses_is_refused() {
    let mut stage = Stage::new("");
    let said = stage.refused(&stage.state());
    assert!(
        said.contains("another gateway, or another program, uses"),
        "{said}"
    );
    stage.rooms.stop();
    let mut device = stage.device(1);
    let id = queued(&device.request(&send(ROOM, None, "kept")));
    // A gateway that was killed holds nothing.
    stage.kill();
    is_unharmed(&mut stage, &id);
}

/// Runs statements on a store, as another program would.
fn sql(store: &Path, statements: &str) {
    let program = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript(sys.argv[2])";
    let status = Command::new(places::python())
        .args(["-c", program, &store.display().to_string(), statements])
        .status();
    assert!(status.is_ok_and(|status| status.success()), "{statements}");
}

#[test]
fn a_store_of_a_newer_gateway_is_refused_and_stays_as_it_is() {
    let (mut stage, id) = with_a_message();
    let own = fs::read(stage.store()).expect("it is there");
    sql(&stage.store(), "PRAGMA user_version = 99");
    let before = fs::read(stage.store()).expect("it is there");
    let said = stage.refused(&stage.state());
    for part in [
        "state.db has the schema 99 of a newer gateway",
        "--state-dir",
    ] {
        assert!(said.contains(part), "{part:?} is not in {said}");
    }
    assert!(fs::read(stage.store()).expect("it is there") == before);
    fs::write(stage.store(), own).expect("the folder is the test's");
    is_unharmed(&mut stage, &id);
}

/// Damages the store of a stopped gateway; the next one sets it aside, says so, and serves.
fn is_set_aside(damage: impl FnOnce(&Path)) {
    let (mut stage, id) = with_a_message();
    damage(&stage.store());
    let before = fs::read(stage.store()).expect("it is there");
    stage.start();
    let kept = stage.state().join("state.db.damaged-1");
    let says = format!(
        "the store was damaged and began anew; the damaged one is kept in {}",
        kept.display()
    );
    let log = stage.log_until(&says);
    let line = log.lines().find(|line| line.contains(&says));
    assert!(line.is_some_and(|line| line.contains("ERROR")), "{log}");
    assert!(!log.contains("panicked"), "{log}");
    assert!(
        fs::read(&kept).expect("it is there") == before,
        "no byte of it changes"
    );

    let mut device = stage.device(1);
    let gone = comatrix_tests::device::Request::new("GET", &format!("/sent/{id}"));
    assert_eq!(device.request(&gone).code, "4.04");
    let next = queued(&device.request(&send(ROOM, None, "next")));
    stage.kill();
    stage.start();
    assert_eq!(status(&mut device, &next)["state"], "queued");
    stage.rooms.start_again();
    stage.until_room_has(ROOM, &["next"]);
}

#[test]
fn a_damaged_store_is_set_aside() {
    is_set_aside(|store| {
        let mut bytes = fs::read(store).expect("it is there");
        // The first page is whole.
        for byte in &mut bytes[512..] {
            *byte ^= 0x5a;
        }
        fs::write(store, bytes).expect("it is the test's");
    });
}

#[test]
fn a_truncated_store_is_set_aside() {
    is_set_aside(|store| {
        let bytes = fs::read(store).expect("it is there");
        fs::write(store, &bytes[..bytes.len() / 2 + 1]).expect("it is the test's");
    });
    is_set_aside(|store| fs::write(store, b"SQLite format 3\0").expect("it is the test's"));
}

#[test]
fn a_store_of_another_program_is_set_aside() {
    is_set_aside(|store| {
        fs::remove_file(store).expect("it is the test's");
        sql(
            store,
            "CREATE TABLE recipes(name TEXT); INSERT INTO recipes VALUES ('soup')",
        );
    });
    is_set_aside(|store| fs::write(store, "milk, eggs\n".repeat(900)).expect("it is the test's"));
}

#[test]
fn a_store_that_is_damaged_again_and_again_fills_no_disk_and_the_gateway_serves() {
    let (mut stage, _) = with_a_message();
    for number in 1..=5 {
        fs::write(stage.store(), format!("no store {number}").repeat(500)).expect("a test's");
        stage.start();
        let direct = stage.device(1).request(&send(ROOM, None, "away"));
        match number {
            5 => assert_eq!(direct.code, "5.03", "it keeps nothing: {direct:?}"),
            _ => drop(queued(&direct)),
        }
        stage.stop();
    }
    let says = "is damaged, and so were the files";
    let log = stage.log_until(says);
    assert!(
        log.contains(says) && log.contains("check the disk"),
        "{log}"
    );
    for number in 1..=4 {
        let kept = stage.state().join(format!("state.db.damaged-{number}"));
        let kept = fs::read_to_string(kept).expect("it is kept");
        assert!(kept.starts_with(&format!("no store {number}")));
    }
}

#[test]
fn only_its_user_reaches_the_folder_and_its_files_and_the_log_has_no_secret() {
    let mut stage = Stage::new("log_level = \"trace\"");
    stage.rooms.stop();
    let mut device = stage.device(1);
    let own = send(ROOM, Some("1"), "TEXT-SECRET").token("DEVICE-SECRET");
    queued(&device.request(&own));
    queued(&device.request(&send(ROOM, None, "TEXT-SECRET of the configured token")));
    // Whatever the umask was, and whoever opened them meanwhile.
    set_mode(&stage.store(), 0o644);
    stage.kill();
    stage.start();
    queued(&device.request(&own));
    let mode = |path: &Path| fs::metadata(path).expect("it is there").mode() & 0o777;
    assert_eq!(mode(&stage.state()), 0o700);
    let files: Vec<PathBuf> = fs::read_dir(stage.state())
        .expect("it is there")
        .map(|entry| entry.expect("it can be read").path())
        .collect();
    assert!(files.contains(&stage.store()), "{files:?}");
    for file in &files {
        assert_eq!(mode(file), 0o600, "{}", file.display());
    }
    let mut stored = Vec::new();
    for file in &files {
        stored.extend(fs::read(file).expect("it is the test's"));
    }
    let has = |secret: &str| {
        stored
            .windows(secret.len())
            .any(|bytes| bytes == secret.as_bytes())
    };
    assert!(
        has("DEVICE-SECRET"),
        "the device's token is kept for its message"
    );
    assert!(!has(super::stage::TOKEN), "the configured one is not");

    stage.rooms.start_again();
    let expected = ["TEXT-SECRET", "TEXT-SECRET of the configured token"];
    stage.until_room_has(ROOM, &expected);
    stage.stop();
    let log = stage.log_until("restored");
    for secret in ["SECRET", super::stage::TOKEN] {
        let leaks: Vec<&str> = log.lines().filter(|line| line.contains(secret)).collect();
        assert!(leaks.is_empty(), "{leaks:#?}");
    }
}
