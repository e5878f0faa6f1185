//! Why a database does not open, and why a batch or a read fails. No error contains a value.

use std::io;
use std::path::PathBuf;

/// Why a state folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder cannot be made, read or written.
    #[error(
        "cannot use {} for the gateway's state: {cause}; choose a folder that its user may write to (--state-dir)",
        folder.display()
    )]
    Folder {
        /// The folder, or a file in it.
        folder: PathBuf,
        /// The system's reason.
        cause: io::Error,
    },
    /// Other users can enter the folder: messages and access tokens are in it.
    #[error(
        "other users can reach the state folder {folder} (mode {mode:03o}); make it private: chmod 700 {folder}",
        folder = folder.display()
    )]
    NotPrivate {
        /// The folder.
        folder: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The folder, or the file in it, is another user's.
    #[error(
        "{} belongs to the user {owner} and not to {own}, who runs the gateway; run it as {owner}, or choose another \
         state folder (--state-dir)",
        path.display()
    )]
    OtherUser {
        /// The folder or file.
        path: PathBuf,
        /// The number of its owner.
        owner: u32,
        /// The number of this process's user.
        own: u32,
    },
    /// Another process has it open.
    #[error(
        "another gateway, or another program, uses {}; stop it, or choose another state folder (--state-dir)",
        folder.display()
    )]
    Held {
        /// The folder, or the file in it.
        folder: PathBuf,
    },
    /// A newer gateway has written the file.
    #[error(
        "{} has the schema {found} of a newer gateway, this one reads up to {supported}; use the newer gateway, or \
         choose another state folder (--state-dir)",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// The newest schema of this gateway.
        supported: u32,
    },
    /// As many damaged files as are kept have been set aside already.
    #[error(
        "{} is damaged, and so were the files {}.damaged-1 to -{kept}; check the disk, and move those files to another \
         folder",
        path.display(),
        path.display()
    )]
    DamagedAgain {
        /// The file.
        path: PathBuf,
        /// How many damaged files are kept.
        kept: usize,
    },
    /// The disk is full.
    #[error(
        "cannot open {}: the disk is full; make room, or choose another state folder (--state-dir)",
        path.display()
    )]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// The engine's reason.
    #[error("cannot open {}: {cause}; check the disk and the file's permissions", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The reason.
        cause: String,
    },
}

/// Why a batch was not applied. Nothing of it is there, and the database can be used further.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// Too many batches wait for the disk.
    #[error("too many changes wait for the disk of the state folder; repeat it later")]
    Busy,
    /// The disk is full.
    #[error("the disk of {} is full; make room", path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// The disk cannot be written.
    #[error(
        "the file system of {} is read-only; mount it for writing, or choose another state folder (--state-dir)",
        path.display()
    )]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// The file is damaged.
    #[error("{} is damaged; restart the gateway, which sets the file aside", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The disk did not take it. If its synchronisation failed, the batch can still be there after a power cut.
    #[error("cannot write {}: {cause}; check the disk", path.display())]
    Disk {
        /// The file.
        path: PathBuf,
        /// The reason.
        cause: String,
    },
    /// The database is closed.
    #[error("the state folder is closed: the gateway is stopping")]
    Closed,
}

/// Why a record cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Too many reads and changes wait for the disk.
    #[error("too many reads and changes wait for the disk of the state folder; repeat it later")]
    Busy,
    /// The file is damaged.
    #[error("{} is damaged; restart the gateway, which sets the file aside", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The disk did not give it.
    #[error("cannot read {}: {cause}; check the disk", path.display())]
    Disk {
        /// The file.
        path: PathBuf,
        /// The reason.
        cause: String,
    },
    /// The database is closed.
    #[error("the state folder is closed: the gateway is stopping")]
    Closed,
}
