//! What opens, and what is refused.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};

use comatrix_store::database::{Batch, Durability, OpenError, Space};

use crate::scratch::{all, no_folder, open};

#[test]
fn records_are_there_when_the_folder_is_opened_again_and_only_its_user_can_read_them() {
    let folder = no_folder("opened-again");
    let mut opened = open(&folder).unwrap();
    assert_eq!((opened.set_aside, opened.migrated_from), (None, None));
    let mut batch = Batch::new();
    batch.put(Space::Waiting, 2, b"two".to_vec());
    batch.put(Space::Waiting, u64::MAX, b"last".to_vec());
    batch.put(Space::Waiting, 1, Vec::new());
    batch.put(Space::Ended, 1, b"other space".to_vec());
    opened
        .records
        .apply([&batch], Durability::PowerCut)
        .unwrap();
    let modes: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().permissions().mode() & 0o777)
        .collect();
    assert_eq!(modes, [0o600; 2], "the file and its log");
    let mode = fs::metadata(&folder).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);

    drop(opened.records);
    let again = open(&folder).unwrap();
    assert_eq!((again.set_aside, again.migrated_from), (None, None));
    let waiting = [
        (1, Vec::new()),
        (2, b"two".to_vec()),
        (u64::MAX, b"last".to_vec()),
    ];
    assert_eq!(all(&again.records, Space::Waiting), waiting);
    assert_eq!(
        all(&again.records, Space::Ended),
        [(1, b"other space".to_vec())]
    );
    assert_eq!(
        again.records.read(Space::Waiting, 2),
        Ok(Some(b"two".to_vec()))
    );
    assert_eq!(again.records.read(Space::Meta, 2), Ok(None));
}

#[test]
fn a_folder_that_others_can_reach_is_refused_until_it_is_private() {
    let folder = no_folder("reached-by-others");
    drop(open(&folder).unwrap());
    for mode in [0o755, 0o750, 0o701] {
        fs::set_permissions(&folder, Permissions::from_mode(mode)).unwrap();
        let error = open(&folder).err().unwrap();
        assert!(matches!(error, OpenError::NotPrivate { mode: found, .. } if found == mode));
        assert!(error.to_string().contains("chmod 700"), "{error}");
    }
    fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
    open(&folder).unwrap();
}

#[test]
fn a_file_that_others_could_read_is_made_private() {
    let folder = no_folder("file-of-wide-mode");
    drop(open(&folder).unwrap());
    let file = folder.join("state.db");
    fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    open(&folder).unwrap();
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[test]
fn a_folder_or_file_of_another_user_is_refused() {
    let folder = no_folder("another-users");
    drop(open(&folder).unwrap());
    let other = 65_534;
    for path in [&folder.join("state.db"), &folder] {
        if chown(path, Some(other), None).is_err() {
            // Only root can give a file to another user; for all others there are root's.
            let error = open("/usr/share".as_ref()).err().unwrap();
            assert!(
                matches!(error, OpenError::OtherUser { owner: 0, .. }),
                "{error}"
            );
            return;
        }
        let error = open(&folder).err().unwrap();
        assert!(matches!(error, OpenError::OtherUser { owner, .. } if owner == other));
    }
}

#[test]
fn a_second_gateway_on_the_same_folder_is_refused_while_the_first_one_has_it() {
    let folder = no_folder("two-gateways");
    let first = open(&folder).unwrap();
    let error = open(&folder).err().unwrap();
    assert!(matches!(error, OpenError::Held { .. }), "{error}");
    assert!(error.to_string().contains("another gateway"), "{error}");
    drop(first.records);
    open(&folder).unwrap();
}

#[test]
fn a_file_that_another_program_has_locked_is_refused_and_stays() {
    let folder = no_folder("other-program-has-it");
    drop(open(&folder).unwrap());
    let other = rusqlite::Connection::open(folder.join("state.db")).unwrap();
    other
        .execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE")
        .unwrap();
    let error = open(&folder).err().unwrap();
    assert!(matches!(error, OpenError::Held { .. }), "{error}");
    drop(other);
    assert_eq!(open(&folder).unwrap().set_aside, None);
}

#[test]
fn a_folder_that_cannot_be_made_is_said_with_its_remedy() {
    let error = open("/proc/state".as_ref()).err().unwrap();
    assert!(matches!(error, OpenError::Folder { .. }), "{error}");
    assert!(error.to_string().contains("--state-dir"), "{error}");
    let folder = no_folder("folder-for-a-file");
    fs::create_dir_all(folder.join("state.db")).unwrap();
    fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
    let error = open(&folder).err().unwrap();
    assert!(matches!(error, OpenError::Folder { .. }), "{error}");
}
