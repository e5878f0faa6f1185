//! Reads whole files within a bound, and replaces whole files.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// A file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("cannot read {}: {cause}; check the path and its permissions", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        cause: io::Error,
    },
    /// It is larger than any file of its kind.
    #[error(
        "{} has more than {limit} bytes; it is another file than its name says, or must be made smaller",
        path.display()
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most bytes.
        limit: usize,
    },
    /// It has a secret, and others than its readers can read it.
    #[error(
        "other users can read {0}; run `chmod 600 {0}`, and replace the secret if they may have read it",
        path.display()
    )]
    NotPrivate {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be written.
    #[error("cannot write {}: {cause}; choose a folder that you may write to", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        cause: io::Error,
    },
}

/// Reads a whole file.
///
/// # Errors
/// [`FileError`]: it does not exist, is not a file, or has more than `limit` bytes.
pub fn read(path: &Path, limit: usize) -> Result<Vec<u8>, FileError> {
    let failed = |cause| FileError::Read {
        path: path.to_owned(),
        cause,
    };
    // To open a pipe would wait for its other end.
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

/// Who may read a file with a secret, besides its owner and root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// Nobody.
    Owner,
    /// Its group: a service's, or the one that stands for the access list of a credential of systemd.
    Group,
}

impl Readers {
    /// The permissions that nobody else may have.
    fn forbidden(self) -> u32 {
        match self {
            Self::Owner => 0o077,
            Self::Group => 0o027,
        }
    }
}

/// As [`read`], of a file with a secret.
///
/// # Errors
/// As [`read`]; [`FileError::NotPrivate`] if others can read it.
pub fn read_private(path: &Path, limit: usize, readers: Readers) -> Result<Vec<u8>, FileError> {
    let content = read(path, limit)?;
    let metadata = fs::metadata(path).map_err(|cause| FileError::Read {
        path: path.to_owned(),
        cause,
    })?;
    if metadata.permissions().mode() & readers.forbidden() != 0 {
        return Err(FileError::NotPrivate {
            path: path.to_owned(),
        });
    }
    Ok(content)
}

/// As [`read`]; none if nothing has that name.
///
/// # Errors
/// As [`read`].
pub fn read_if_there(path: &Path, limit: usize) -> Result<Option<Vec<u8>>, FileError> {
    match read(path, limit) {
        Err(FileError::Read { cause, .. }) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}

/// Replaces a file by one that all users can read.
///
/// # Errors
/// [`FileError::Write`]; the old file is unchanged.
pub fn replace(path: &Path, content: &[u8]) -> Result<(), FileError> {
    write_whole(path, 0o644, &[content]).map_err(|cause| FileError::Write {
        path: path.to_owned(),
        cause,
    })
}

/// End of the name of a file that is being written, after the writer's process id.
const BEING_WRITTEN: &str = ".tmp";

/// Replaces a file: write, sync, rename, sync the folder. A reader meanwhile, or after a power cut, gets either the old
/// or the new file.
///
/// # Errors
/// The system's.
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
        // The new name is on the disk only after the folder is. If the file system cannot sync folders, the complete
        // old file can come back after a power cut.
        if let Some(folder) = path.parent() {
            let _ = File::open(folder).and_then(|folder| folder.sync_all());
        }
        Ok(())
    };
    write().inspect_err(|_| {
        // The rest of it must not fill the disk. The error to report is that of the write.
        let _ = fs::remove_file(&written);
    })
}

/// Removes half-written files of writers that have ended, for example by a power cut: otherwise they would fill the
/// disk.
pub fn remove_leftovers(folder: &Path) {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    for path in files.map(|entry| entry.path()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let writer = name
            .strip_suffix(BEING_WRITTEN)
            .and_then(|rest| rest.rsplit('.').next())
            .and_then(|writer| writer.parse::<u32>().ok());
        let has_ended = |writer| {
            writer != std::process::id() && !Path::new(&format!("/proc/{writer}")).exists()
        };
        if writer.is_some_and(has_ended) {
            let _ = fs::remove_file(&path);
        }
    }
}

/// A path with a suffix.
#[must_use]
pub fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
