//! A folder for one test, below cargo's own for integration tests.

use std::fs;
use std::path::PathBuf;

/// An empty folder. `name` is the test's own: two tests of one name would share it.
pub fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => panic!("{error}"),
        _ => fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{error}")),
    }
    folder
}
