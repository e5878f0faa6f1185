//! Files that are damaged, or are not the gateway's: they are set aside, and the gateway begins anew.

use std::fs::{self, OpenOptions, Permissions};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::Path;

use comatrix_store::database::{Batch, Durability, OpenError, Space};

use crate::scratch::{all, no_folder, open};

/// A folder with 200 records, all of them in the file.
fn filled(folder: &Path) {
    let mut records = open(folder).unwrap().records;
    let mut batch = Batch::new();
    for key in 0..200 {
        batch.put(Space::Waiting, key, vec![key as u8; 400]);
    }
    records.apply([&batch], Durability::PowerCut).unwrap();
}

/// Opens what was made of a file, which must be in `state.db.damaged-1`, as it was.
fn is_set_aside(folder: &Path) {
    let before = fs::read(folder.join("state.db")).unwrap();
    let opened = open(folder).unwrap();
    let expected = folder.join("state.db.damaged-1");
    assert_eq!(opened.set_aside, Some(expected.clone()));
    assert_eq!(fs::read(expected).unwrap(), before);
    assert_eq!(all(&opened.records, Space::Waiting), []);
    drop(opened.records);
    assert_eq!(
        open(folder).unwrap().set_aside,
        None,
        "the new file is whole"
    );
}

#[test]
fn a_truncated_file_is_set_aside() {
    for length in [1, 100, 511, 512, 5_000, 50_000] {
        let folder = no_folder("truncated");
        filled(&folder);
        let file = OpenOptions::new().write(true).open(folder.join("state.db"));
        file.unwrap().set_len(length).unwrap();
        is_set_aside(&folder);
    }
}

#[test]
fn a_file_with_pages_of_anything_is_set_aside() {
    for page in [0, 1, 2, 50, 100] {
        let folder = no_folder("overwritten-pages");
        filled(&folder);
        let file = OpenOptions::new().write(true).open(folder.join("state.db"));
        file.unwrap()
            .write_all_at(&[0x5a; 512], page * 512)
            .unwrap();
        is_set_aside(&folder);
    }
}

#[test]
fn a_file_of_another_kind_is_set_aside() {
    let folder = no_folder("foreign");
    for content in [b"messages, as a text".as_slice(), &[0; 8_192]] {
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
        fs::write(folder.join("state.db"), content).unwrap();
        is_set_aside(&folder);
    }
}

#[test]
fn a_database_of_another_program_is_set_aside() {
    let folder = no_folder("other-program");
    drop(open(&folder).unwrap());
    let other = rusqlite::Connection::open(folder.join("state.db")).unwrap();
    other.pragma_update(None, "application_id", 7).unwrap();
    drop(other);
    is_set_aside(&folder);
}

#[test]
fn transactions_without_their_file_are_set_aside() {
    let folder = no_folder("log-alone");
    let mut records = open(&folder).unwrap().records;
    let mut batch = Batch::new();
    batch.put(Space::Waiting, 1, b"in the log".to_vec());
    records.apply([&batch], Durability::PowerCut).unwrap();
    let log = fs::read(folder.join("state.db-wal")).unwrap();
    drop(records);
    fs::remove_file(folder.join("state.db")).unwrap();
    fs::write(folder.join("state.db-wal"), &log).unwrap();
    let opened = open(&folder).unwrap();
    let name = folder.join("state.db.damaged-1");
    assert_eq!(opened.set_aside, Some(name));
    assert_eq!(
        fs::read(folder.join("state.db.damaged-1-wal")).unwrap(),
        log
    );
    assert_eq!(all(&opened.records, Space::Waiting), []);
}

#[test]
fn a_damaged_end_of_the_log_costs_the_transactions_from_there_on_alone() {
    let folder = no_folder("log-end");
    let mut records = open(&folder).unwrap().records;
    for key in 0..10 {
        let mut batch = Batch::new();
        batch.put(Space::Waiting, key, vec![1; 400]);
        records.apply([&batch], Durability::PowerCut).unwrap();
    }
    let (file, log) = (
        fs::read(folder.join("state.db")),
        fs::read(folder.join("state.db-wal")),
    );
    drop(records);
    fs::write(folder.join("state.db"), file.unwrap()).unwrap();
    let log = log.unwrap();
    fs::write(folder.join("state.db-wal"), &log[..log.len() - 100]).unwrap();
    let opened = open(&folder).unwrap();
    assert_eq!(opened.set_aside, None);
    assert_eq!(all(&opened.records, Space::Waiting).len(), 9);
}

#[test]
fn a_few_damaged_files_are_kept_and_then_the_folder_is_refused() {
    let folder = no_folder("damaged-again");
    for round in 1..=4 {
        drop(open(&folder).unwrap());
        fs::write(folder.join("state.db"), b"damaged").unwrap();
        let set_aside = open(&folder).unwrap().set_aside;
        assert_eq!(
            set_aside,
            Some(folder.join(format!("state.db.damaged-{round}")))
        );
    }
    fs::write(folder.join("state.db"), b"the fifth").unwrap();
    let error = open(&folder).err().unwrap();
    assert!(
        matches!(error, OpenError::DamagedAgain { kept: 4, .. }),
        "{error}"
    );
    assert!(error.to_string().contains("check the disk"), "{error}");
    assert_eq!(fs::read(folder.join("state.db")).unwrap(), b"the fifth");
}

#[test]
fn a_newer_schema_is_refused_and_the_file_stays_as_it_is() {
    let folder = no_folder("newer");
    filled(&folder);
    let newer = rusqlite::Connection::open(folder.join("state.db")).unwrap();
    newer.pragma_update(None, "user_version", 1_000).unwrap();
    drop(newer);
    let before = fs::read(folder.join("state.db")).unwrap();
    let error = open(&folder).err().unwrap();
    assert!(
        matches!(error, OpenError::Newer { found: 1_000, .. }),
        "{error}"
    );
    assert!(
        error.to_string().contains("use the newer gateway"),
        "{error}"
    );
    assert_eq!(fs::read(folder.join("state.db")).unwrap(), before);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
}
