//! The files of a rule, read whole and bounded, and replaced whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The system's error.
    #[error("cannot read {}: {cause}; check the path and its permissions", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        cause: io::Error,
    },
    /// It is something else.
    #[error("{} has more than {limit} bytes; it is not what its name says, or must be made smaller", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most it may have.
        limit: usize,
    },
    /// The system's error.
    #[error("cannot write {}: {cause}; choose a folder that you may write to", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        cause: io::Error,
    },
}

/// All of a file.
///
/// # Errors
/// [`FileError`]: it is not there, is not a file, or has more than `limit` bytes.
pub fn read(path: &Path, limit: usize) -> Result<Vec<u8>, FileError> {
    let failed = |cause| FileError::Read {
        path: path.to_owned(),
        cause,
    };
    // Opening a pipe would wait for its other end.
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(failed(io::Error::other("it is not a file")));
    }
    let mut content = Vec::new();
    File::open(path)
        .and_then(|file| file.take(limit as u64 + 1).read_to_end(&mut content))
        .map_err(failed)?;
    if content.len() > limit {
        return Err(FileError::TooLarge {
            path: path.to_owned(),
            limit,
        });
    }
    Ok(content)
}

/// The same, or none where nothing has that name.
///
/// # Errors
/// As [`read`].
pub fn read_if_there(path: &Path, limit: usize) -> Result<Option<Vec<u8>>, FileError> {
    match read(path, limit) {
        Err(FileError::Read { cause, .. }) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}

/// Puts a file in the place of another, readable by all.
///
/// # Errors
/// [`FileError::Write`]; the old file is as it was.
pub fn replace(path: &Path, content: &[u8]) -> Result<(), FileError> {
    write_whole(path, 0o644, &[content]).map_err(|cause| FileError::Write {
        path: path.to_owned(),
        cause,
    })
}

/// Ends the name of a file that is being written, after the writer's process id.
const BEING_WRITTEN: &str = ".tmp";

/// Write, sync, rename, sync the folder: whoever reads meanwhile, or after a power cut, gets the old file or the new
/// one.
pub fn write_whole(path: &Path, mode: u32, parts: &[&[u8]]) -> io::Result<()> {
    let written = suffixed(path, &format!(".{}{BEING_WRITTEN}", std::process::id()));
    let write = || {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(mode)
            .open(&written)?;
        parts.iter().try_for_each(|part| file.write_all(part))?;
        file.sync_all()?;
        fs::rename(&written, path)?;
        // The new name is in the folder, and so on the disk only once the folder is. Where the file system cannot do
        // that, the old file may come back, whole.
        if let Some(folder) = path.parent() {
            let _ = File::open(folder).and_then(|folder| folder.sync_all());
        }
        Ok(())
    };
    write().inspect_err(|_| {
        // Whatever is left of it must not fill the disk; the error itself is what counts.
        let _ = fs::remove_file(&written);
    })
}

/// Removes what writers have left behind in a folder that a power cut, or somebody, has ended: nobody else would, and a
/// disk is soon full of half-written files.
pub fn remove_leftovers(folder: &Path) {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    for path in files.map(|entry| entry.path()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let writer = name
            .strip_suffix(BEING_WRITTEN)
            .and_then(|rest| rest.rsplit('.').next())
            .and_then(|writer| writer.parse::<u32>().ok());
        let is_left = |writer| {
            writer != std::process::id() && !Path::new(&format!("/proc/{writer}")).exists()
        };
        if writer.is_some_and(is_left) {
            let _ = fs::remove_file(&path);
        }
    }
}

/// A path with something after its last character.
#[must_use]
pub fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
