//! The statement of a manifest about native code: its bytes, and the runtime and processor that it is for.

use serde::{Deserialize, Serialize};

use super::RUNTIME;
use super::target::Target;
use contract::digest::Digest;

/// Native code of the manifest's component.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NativeStatement {
    /// Its processor: the name of a [`Target`].
    pub target: String,
    /// The version of the runtime that compiled it.
    pub runtime: String,
    /// Its number of bytes.
    pub bytes: usize,
    /// Their SHA-256, 64 hexadecimal digits.
    pub sha256: String,
}

/// The native code is not that of the statement.
#[derive(Debug, thiserror::Error)]
pub enum StatementError {
    /// The manifest is for the component and has no statement.
    #[error(
        "it has no statement about native code; use the manifest that `comatrix-gateway rule compile` writes beside \
         the .cwasm"
    )]
    Missing,
    /// Bytes are missing.
    #[error(
        "the file has {found} of the {stated} bytes that the manifest states: it is truncated; copy it again"
    )]
    Truncated {
        /// Of the file.
        found: usize,
        /// Of the statement.
        stated: usize,
    },
    /// The bytes are others.
    #[error(
        "the native code's SHA-256 is {found}, the manifest states {stated}: one of them was altered or is of another \
         build; copy both again, or, if the code is yours, run `comatrix-gateway rule compile`"
    )]
    Digest {
        /// Of the file.
        found: String,
        /// Of the statement.
        stated: String,
    },
}

impl NativeStatement {
    /// The statement about native code for `target`.
    #[must_use]
    pub fn of(native: &[u8], target: Target) -> Self {
        Self {
            target: target.name().to_owned(),
            runtime: RUNTIME.to_owned(),
            bytes: native.len(),
            sha256: format!("{:#}", Digest::of(native)),
        }
    }

    /// Checks that it is about these bytes.
    ///
    /// # Errors
    /// [`StatementError`], with the remedy.
    pub fn check(&self, native: &[u8]) -> Result<(), StatementError> {
        if native.len() < self.bytes {
            return Err(StatementError::Truncated {
                found: native.len(),
                stated: self.bytes,
            });
        }
        let found = format!("{:#}", Digest::of(native));
        match self.sha256.eq_ignore_ascii_case(&found) {
            true => Ok(()),
            false => Err(StatementError::Digest {
                found,
                // Text of a file, for a log line.
                stated: contract::escaping::escaped(&self.sha256, 64),
            }),
        }
    }
}
