//! A folder that one process of one user has for itself.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::error::OpenError;
use crate::environment::own_uid;

/// Its own user alone can reach it, and this process alone uses it, until this is dropped.
pub struct PrivateFolder {
    path: PathBuf,
    /// Has the lock: the system takes it back when the process ends, however it ends.
    folder: File,
}

impl PrivateFolder {
    /// Makes the folder if it is missing, checks it and locks it.
    ///
    /// # Errors
    /// [`OpenError::Folder`], [`OpenError::OtherUser`], [`OpenError::NotPrivate`], [`OpenError::Held`].
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let failed = |cause| OpenError::Folder {
            folder: path.to_owned(),
            cause,
        };
        let mut private = DirBuilder::new();
        private.recursive(true).mode(0o700);
        private.create(path).map_err(failed)?;
        let folder = File::open(path).map_err(failed)?;
        let metadata = folder.metadata().map_err(failed)?;
        check_owner(path, metadata.uid())?;
        let mode = metadata.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(OpenError::NotPrivate {
                folder: path.to_owned(),
                mode,
            });
        }
        match flock(&folder, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                folder,
            }),
            Err(error) if error == rustix::io::Errno::WOULDBLOCK => Err(OpenError::Held {
                folder: path.to_owned(),
            }),
            Err(error) => Err(failed(error.into())),
        }
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a file that its user alone can read, unless it is there; then makes it so.
    ///
    /// # Errors
    /// [`OpenError::OtherUser`], [`OpenError::Folder`].
    pub fn private_file(&self, name: &str) -> Result<PathBuf, OpenError> {
        let path = self.path.join(name);
        let failed = |cause| OpenError::Folder {
            folder: path.clone(),
            cause,
        };
        if let Ok(metadata) = fs::symlink_metadata(&path) {
            check_owner(&path, metadata.uid())?;
        }
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).mode(0o600);
        let file = options.open(&path).map_err(failed)?;
        if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
            return Err(failed(io::Error::other("it is not a file")));
        }
        file.set_permissions(fs::Permissions::from_mode(0o600))
            .map_err(failed)?;
        Ok(path)
    }

    /// Makes the names of its files outlive a power cut. Where the file system cannot, they may not.
    pub fn sync(&self) {
        let _ = self.folder.sync_all();
    }
}

fn check_owner(path: &Path, owner: u32) -> Result<(), OpenError> {
    let own = own_uid();
    if owner == own {
        return Ok(());
    }
    Err(OpenError::OtherUser {
        path: path.to_owned(),
        owner,
        own,
    })
}
