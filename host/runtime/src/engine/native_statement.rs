//! What a manifest states of native code: which bytes, and what runs them.

use serde::{Deserialize, Serialize};

use super::RUNTIME;
use super::target::Target;
use contract::digest::Digest;

/// Native code that was made of the manifest's component.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NativeStatement {
    /// What runs it: the name of a [`Target`].
    pub target: String,
    /// The version of the runtime that it was made with.
    pub runtime: String,
    /// How many bytes it has.
    pub bytes: usize,
    /// Their SHA-256, 64 hexadecimal digits.
    pub sha256: String,
}

/// Why bytes are not those of a statement.
#[derive(Debug, thiserror::Error)]
pub enum StatementError {
    /// The manifest is of the component.
    #[error(
        "it states nothing of native code; take the manifest that `comatrix-gateway rule compile` has written beside \
         the .cwasm"
    )]
    Missing,
    /// Some bytes are not there.
    #[error(
        "the file has {found} of the {stated} bytes that it states: it is truncated; copy it again"
    )]
    Truncated {
        /// Of the file.
        found: usize,
        /// Of the statement.
        stated: usize,
    },
    /// Other bytes.
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
    /// States what was compiled for `target`.
    #[must_use]
    pub fn of(native: &[u8], target: Target) -> Self {
        Self {
            target: target.name().to_owned(),
            runtime: RUNTIME.to_owned(),
            bytes: native.len(),
            sha256: format!("{:#}", Digest::of(native)),
        }
    }

    /// Whether it is of these bytes.
    ///
    /// # Errors
    /// [`StatementError`], and what to do.
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
                // What somebody wrote into a file: it stands in a log line.
                stated: contract::escaping::escaped(&self.sha256, 64),
            }),
        }
    }
}
