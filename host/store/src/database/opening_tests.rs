//! Tests of the steps from one schema to the next: those that there are, and one that no gateway has yet.

use std::fs;
use std::path::PathBuf;

use rusqlite::Connection;

use super::*;
use crate::database::{Batch, Durability, Space};
use crate::simulation::{Disk, NAME};

/// An empty path, which is removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let own = format!("comatrix-store-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(own);
        let _ = fs::remove_dir_all(&folder);
        Self(folder)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Another format of all values, and a table.
fn next(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.execute_batch(
        "UPDATE waiting SET value = CAST('new ' || value AS BLOB);
         CREATE TABLE more(key INTEGER PRIMARY KEY, value BLOB NOT NULL) STRICT;",
    )
}

/// A step that the engine refuses after it has changed something.
fn broken(connection: &Connection) -> Result<(), rusqlite::Error> {
    next(connection)?;
    connection.execute_batch("CREATE TABLE more(key INTEGER PRIMARY KEY)")
}

/// The version of the current schema.
const CURRENT: usize = STEPS.len();

/// The steps of a later gateway, whose last one this is.
fn with(step: Step) -> Vec<Step> {
    [&STEPS[..], &[step]].concat()
}

fn fill(records: &mut Records) {
    let mut batch = Batch::new();
    (0..20).for_each(|key| batch.put(Space::Waiting, key, b"value".to_vec()));
    records.apply([&batch], Durability::PowerCut).unwrap();
}

fn values(records: &Records) -> Vec<Vec<u8>> {
    let mut values = Vec::new();
    let add = |_, value: &[u8]| values.push(value.to_owned());
    records.scan(Space::Waiting, add).unwrap();
    values
}

#[test]
fn a_file_of_the_previous_schema_is_migrated_once_with_its_records() {
    let scratch = Scratch::new("previous-schema");
    fill(&mut open(&scratch.0).unwrap().records);

    let opened = open_with(&scratch.0, &with(next)).unwrap();
    let current = Some(CURRENT as u32);
    assert_eq!((opened.migrated_from, opened.set_aside), (current, None));
    assert_eq!(values(&opened.records), vec![b"new value".to_vec(); 20]);
    drop(opened.records);
    let again = open_with(&scratch.0, &with(next)).unwrap();
    assert_eq!(again.migrated_from, None);
    assert_eq!(values(&again.records), vec![b"new value".to_vec(); 20]);
    drop(again);

    let older = open(&scratch.0).err().unwrap();
    let OpenError::Newer {
        found, supported, ..
    } = older
    else {
        panic!("{older}");
    };
    assert_eq!((found as usize, supported as usize), (CURRENT + 1, CURRENT));
}

#[test]
fn a_file_of_the_first_gateway_keeps_its_records_and_takes_sessions() {
    let scratch = Scratch::new("first-schema");
    fill(&mut open_with(&scratch.0, &STEPS[..1]).unwrap().records);
    let mut opened = open(&scratch.0).unwrap();
    assert_eq!((opened.migrated_from, opened.set_aside), (Some(1), None));
    assert_eq!(values(&opened.records), vec![b"value".to_vec(); 20]);
    let mut batch = Batch::new();
    batch.put(Space::Sessions, 1, b"session".to_vec());
    opened
        .records
        .apply([&batch], Durability::PowerCut)
        .unwrap();
    let session = opened.records.read(Space::Sessions, 1).unwrap();
    assert_eq!(session.as_deref(), Some(&b"session"[..]));
}

#[test]
fn a_step_that_fails_leaves_the_file_as_it_was() {
    let scratch = Scratch::new("failed-step");
    fill(&mut open(&scratch.0).unwrap().records);
    let error = open_with(&scratch.0, &with(broken)).err().unwrap();
    assert!(matches!(error, OpenError::File { .. }), "{error}");
    let opened = open(&scratch.0).unwrap();
    assert_eq!((opened.migrated_from, opened.set_aside), (None, None));
    assert_eq!(values(&opened.records), vec![b"value".to_vec(); 20]);
}

#[test]
fn a_migration_that_a_power_cut_ends_is_begun_again_or_complete() {
    let at_each = |at: u64| {
        let disk = Disk::new();
        fill(&mut disk.open().unwrap());
        let path = disk.path();
        disk.cut_at_operation(at);
        let is_cut = Records::open(&path, Some(NAME), &with(next)).is_err();
        disk.restart(at);
        let opened = Records::open(&path, Some(NAME), &with(next)).ok().unwrap();
        assert_eq!(
            values(&opened.records),
            vec![b"new value".to_vec(); 20],
            "cut at {at}"
        );
        is_cut
    };
    let operations = (0..).take_while(|at| at_each(*at)).count();
    assert!(operations > 5, "{operations}");
}
