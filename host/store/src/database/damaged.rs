//! Damaged files get another name and are kept.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::OpenError;
use super::private_folder::PrivateFolder;
use crate::file::suffixed;

/// How many are kept: a disk that damages more than a few must be replaced, not filled.
const KEPT: usize = 4;

/// Bytes of the smallest page.
const FIRST_PAGE: u64 = 512;

/// What the engine writes beside a file: transactions that are not in the file yet, and a half-made first one.
const COMPANIONS: [&str; 2] = ["-wal", "-journal"];

/// Gives a file, and what the engine has written beside it, the next free name. No byte of it changes.
///
/// # Errors
/// [`OpenError::DamagedAgain`], [`OpenError::Folder`].
pub fn set_aside(folder: &PrivateFolder, path: &Path) -> Result<PathBuf, OpenError> {
    let failed = |cause| OpenError::Folder {
        folder: folder.path().to_owned(),
        cause,
    };
    let mut names = (1..=KEPT).map(|number| suffixed(path, &format!(".damaged-{number}")));
    let is_free = |name: &PathBuf| {
        let all = COMPANIONS.iter().map(|end| suffixed(name, end));
        all.chain([name.clone()])
            .all(|one| fs::symlink_metadata(one).is_err())
    };
    let name = names.find(is_free).ok_or_else(|| OpenError::DamagedAgain {
        path: path.to_owned(),
        kept: KEPT,
    })?;
    // The file first: a companion without its file is set aside too, but a file without its companion could be taken
    // for a whole one.
    rename_if_there(path, &name).map_err(failed)?;
    for end in COMPANIONS {
        rename_if_there(&suffixed(path, end), &suffixed(&name, end)).map_err(failed)?;
    }
    folder.sync();
    Ok(name)
}

/// Whether there is less than a file: transactions whose file is missing, since a power cut has ended [`set_aside`] or
/// somebody has removed the file, or a file without a whole first page. The engine would take either for a new file and
/// overwrite it.
pub fn is_remainder(path: &Path) -> bool {
    let length = |path: &Path| fs::metadata(path).map_or(0, |metadata| metadata.len());
    let transactions = length(&suffixed(path, COMPANIONS[0]));
    // A file that is being made has its first page in a journal, from which the engine makes it whole.
    let journal = length(&suffixed(path, COMPANIONS[1]));
    match length(path) {
        0 => transactions > 0,
        1..FIRST_PAGE => journal == 0,
        _ => false,
    }
}

fn rename_if_there(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
