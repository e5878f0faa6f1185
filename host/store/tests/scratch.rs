//! A folder for one test, below cargo's own for integration tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use comatrix_store::database::{OpenError, Opened, Records, Space};

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

/// Opens a folder. A child of another test has the locks of this process between its start and its program: they end
/// soon.
pub fn open(folder: &Path) -> Result<Opened, OpenError> {
    let end = Instant::now() + Duration::from_secs(2);
    loop {
        match comatrix_store::database::open(folder) {
            Err(OpenError::Held { .. }) if Instant::now() < end => {
                thread::sleep(Duration::from_millis(10));
            }
            outcome => return outcome,
        }
    }
}
