//! Opens the file of a state folder.

use std::path::{Path, PathBuf};

use super::damaged;
use super::error::OpenError;
use super::failure::Failure;
use super::private_folder::PrivateFolder;
use super::records::Records;
use super::schema::{STEPS, Step};

#[cfg(test)]
#[path = "opening_tests.rs"]
mod tests;

/// The file in the state folder.
const FILE: &str = "state.db";

/// An open file, and what was found.
pub struct Opened {
    /// The records.
    pub records: Records,
    /// Where the file is that was there and is damaged, or another program's. Its records are lost to the gateway
    /// until somebody repairs it; these ones began anew.
    pub set_aside: Option<PathBuf>,
    /// The version of the schema before, if it was an older one.
    pub migrated_from: Option<u32>,
}

/// Opens the file of a state folder, which is made if it is missing. No other process can open it then.
///
/// This waits for the disk, about as long as it takes to read the file twice.
///
/// # Errors
/// [`OpenError`]. Nothing in the folder has changed then, but that a damaged file may have its new name.
pub fn open(folder: &Path) -> Result<Opened, OpenError> {
    open_with(folder, &STEPS)
}

fn open_with(folder: &Path, steps: &[Step]) -> Result<Opened, OpenError> {
    let folder = PrivateFolder::open(folder)?;
    let path = folder.path().join(FILE);
    let mut set_aside = None;
    if damaged::is_remainder(&path) {
        set_aside = Some(damaged::set_aside(&folder, &path)?);
    }
    folder.private_file(FILE)?;
    let first = Records::open(&path, None, steps);
    let opened = match first {
        Err(Failure::Damaged) if set_aside.is_none() => {
            set_aside = Some(damaged::set_aside(&folder, &path)?);
            folder.private_file(FILE)?;
            Records::open(&path, None, steps)
        }
        other => other,
    };
    let opened = opened.map_err(|failure| failure.opening(&path))?;
    // The file's name, if it is new.
    folder.sync();
    let mut records = opened.records;
    records.keep(folder);
    let was_older = opened.version > 0 && (opened.version as usize) < steps.len();
    Ok(Opened {
        records,
        set_aside,
        migrated_from: was_older.then_some(opened.version),
    })
}
