//! A real disk that is full, and one that cannot be written.
//!
//! Root makes a small file system in memory. For others, and for root in a container that may mount nothing, there is
//! the test with a limit of the length of files, which anybody can set.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use comatrix_store::database::{Batch, Durability, OpenError, Records, Space, WriteError};
use rustix::mount::{MountFlags, UnmountFlags, mount, mount_remount, unmount};

use crate::scratch::{all, no_folder, open};

/// Names the folder to the child.
const FOLDER: &str = "COMATRIX_STORE_LIMITED";

/// A file system of 512 KiB in memory, until it is dropped.
struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// None, which is said, if this process may not mount.
    fn mount(name: &str) -> Option<Self> {
        let folder = no_folder(name);
        fs::create_dir_all(&folder).unwrap();
        mount(
            "tmpfs",
            &folder,
            "tmpfs",
            MountFlags::empty(),
            c"size=512k,mode=0700",
        )
        .ok()?;
        Some(Self { folder })
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = unmount(&self.folder, UnmountFlags::DETACH);
    }
}

fn commit(records: &mut Records, key: u64) -> Result<(), WriteError> {
    let mut batch = Batch::new();
    batch.put(Space::Waiting, key, vec![key as u8; 2_000]);
    records.apply([&batch], Durability::PowerCut)
}

/// Commits until there is no room: how many batches, and why the next one was refused.
fn fill(records: &mut Records) -> (u64, WriteError) {
    for key in 0..10_000 {
        if let Err(error) = commit(records, key) {
            return (key, error);
        }
        records.shorten_log();
    }
    panic!("20 MB fit");
}

#[test]
fn on_a_full_disk_batches_are_refused_and_what_was_committed_stays_until_there_is_room() {
    let Some(disk) = SmallDisk::mount("small-disk") else {
        return;
    };
    let mut records = open(&disk.folder).unwrap().records;
    // Something else has half of the disk.
    let other = disk.folder.join("other");
    fs::write(&other, vec![0; 256 << 10]).unwrap();
    let (count, error) = fill(&mut records);
    assert!(matches!(error, WriteError::Full { .. }), "{error}");
    assert_eq!(all(&records, Space::Waiting).len() as u64, count);
    assert!(matches!(
        commit(&mut records, count),
        Err(WriteError::Full { .. })
    ));
    fs::remove_file(other).unwrap();
    commit(&mut records, count).unwrap();
    drop(records);
    let records = open(&disk.folder).unwrap().records;
    assert_eq!(all(&records, Space::Waiting).len() as u64, count + 1);
}

#[test]
fn the_log_takes_no_room_that_was_made_on_a_full_disk() {
    let Some(disk) = SmallDisk::mount("log-on-small-disk") else {
        return;
    };
    let mut records = open(&disk.folder).unwrap().records;
    let other = disk.folder.join("other");
    fs::write(&other, vec![0; 256 << 10]).unwrap();
    let mut count = 0;
    while commit(&mut records, count).is_ok() {
        count += 1;
    }
    assert!(count > 20, "{count}");
    // As when the process starts on a disk that is full.
    drop(records);
    let mut records = open(&disk.folder).unwrap().records;
    fs::remove_file(other).unwrap();
    // Ten times as many bytes as there are on the disk.
    for key in 0..2_500 {
        commit(&mut records, key % count).unwrap_or_else(|error| panic!("{key}: {error}"));
    }
    assert_eq!(all(&records, Space::Waiting).len() as u64, count);
}

#[test]
fn a_disk_that_is_read_only_is_refused_with_its_reason() {
    let Some(disk) = SmallDisk::mount("read-only-disk") else {
        return;
    };
    drop(open(&disk.folder).unwrap());
    mount_remount(&disk.folder, MountFlags::RDONLY, "").unwrap();
    let error = open(&disk.folder).err().unwrap();
    assert!(matches!(error, OpenError::Folder { .. }), "{error}");
    assert!(
        error.to_string().contains("Read-only file system"),
        "{error}"
    );
}

#[test]
fn at_the_limit_of_its_files_batches_are_refused_and_what_was_committed_stays() {
    let outcome = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 512; exec \"$0\" \"$@\""])
        .arg(env::current_exe().unwrap())
        .args([
            "--exact",
            "full_disk::fills_what_its_files_may_have",
            "--ignored",
        ])
        .env(FOLDER, no_folder("limited-files"))
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&outcome.stdout).into_owned();
    assert!(
        outcome.status.success() && output.contains("1 passed"),
        "{output}"
    );
}

#[test]
#[ignore = "the child of the test above"]
fn fills_what_its_files_may_have() {
    let folder = PathBuf::from(env::var_os(FOLDER).expect("the test above sets it"));
    let mut records = open(&folder).unwrap().records;
    let (count, error) = fill(&mut records);
    assert!(
        matches!(error, WriteError::Disk { .. } | WriteError::Full { .. }),
        "{error}"
    );
    assert_eq!(all(&records, Space::Waiting).len() as u64, count);
}
