//! What the engine's errors mean.

use std::path::Path;

use rusqlite::{Error, ErrorCode};

use super::error::{OpenError, ReadError, WriteError};

/// What an error of the engine means for the file.
#[derive(Debug)]
pub enum Failure {
    /// It is no database of this gateway, or a damaged one.
    Damaged,
    /// A newer gateway has made its schema.
    Newer {
        /// Its version.
        found: u32,
        /// The newest that is understood.
        supported: u32,
    },
    /// Another process has it open.
    Held,
    /// No room on the disk.
    Full,
    /// The disk cannot be written.
    ReadOnly,
    /// Another reason.
    Other(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Held,
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::ReadOnly) => Self::ReadOnly,
            // The texts of the engine and of its extended codes: the statements are constant, and the values are bound,
            // so that they are in none.
            _ => Self::Other(error.to_string()),
        }
    }
}

impl Failure {
    /// The error of an open.
    pub fn opening(self, path: &Path) -> OpenError {
        let path = path.to_owned();
        match self {
            Self::Newer { found, supported } => OpenError::Newer {
                path,
                found,
                supported,
            },
            Self::Held => OpenError::Held { folder: path },
            Self::Full => OpenError::Full { path },
            other => OpenError::File {
                path,
                cause: other.cause(),
            },
        }
    }

    /// The error of a commit.
    pub fn writing(self, path: &Path) -> WriteError {
        let path = path.to_owned();
        match self {
            Self::Damaged => WriteError::Damaged { path },
            Self::Full => WriteError::Full { path },
            Self::ReadOnly => WriteError::ReadOnly { path },
            other => WriteError::Disk {
                path,
                cause: other.cause(),
            },
        }
    }

    /// The error of a read.
    pub fn reading(self, path: &Path) -> ReadError {
        let path = path.to_owned();
        match self {
            Self::Damaged => ReadError::Damaged { path },
            other => ReadError::Disk {
                path,
                cause: other.cause(),
            },
        }
    }

    fn cause(self) -> String {
        match self {
            Self::Damaged => "it is damaged".to_owned(),
            Self::Newer { found, .. } => format!("it has the schema {found} of a newer gateway"),
            Self::Held => "another process has it open".to_owned(),
            Self::Full => "the disk is full".to_owned(),
            Self::ReadOnly => "the file system is read-only".to_owned(),
            Self::Other(cause) => cause,
        }
    }
}
