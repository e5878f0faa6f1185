//! A folder for one test, below cargo's own for integration tests.

use std::fs;
use std::path::{Path, PathBuf};

use comatrix_store::database::{Records, Space};

/// A path without anything there. `name` is the test's own: two tests of one name would share it.
pub fn no_folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => panic!("{error}"),
        _ => folder,
    }
}

/// All records of a space.
pub fn all(records: &Records, space: Space) -> Vec<(u64, Vec<u8>)> {
    let mut all = Vec::new();
    let add = |key, value: &[u8]| all.push((key, value.to_owned()));
    records.scan(space, add).unwrap();
    all
}
