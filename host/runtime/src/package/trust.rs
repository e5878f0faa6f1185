//! The trusted keys: public keys in a folder.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::signature::{KeyError, MAX_KEY_FILE, PublicKey, SIGNATURE_BYTES};
use contract::escaping::escaped;
use store::environment::own_uid;
use store::file::{self, FileError};

/// Keys of a folder: a signature by none of them is checked with each.
const MAX_KEYS: usize = 64;

/// Signatures cannot be checked.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The folder cannot be read.
    #[error("cannot read the folder of keys {}: {cause}; check the path and its permissions", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The system's reason.
        cause: io::Error,
    },
    /// Another user could add a key.
    #[error("will not trust {}: it is {fault}; {remedy}", path.display())]
    Untrusted {
        /// The folder or the file.
        path: PathBuf,
        /// The fault.
        fault: &'static str,
        /// The remedy.
        remedy: &'static str,
    },
    /// There are more keys than an operator can oversee.
    #[error("the folder of keys {} has more than {MAX_KEYS} .pub files; leave those whose rules you \
     use", path.display())]
    TooMany {
        /// The folder.
        path: PathBuf,
    },
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file has no usable key.
    #[error("the key {}: {fault}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// The fault.
        fault: KeyError,
    },
    /// No rule could ever be activated.
    #[error(
        "signatures are required, but there is no key to check them with; make one with `comatrix-gateway rule keygen \
         NAME` and put NAME.pub into the folder of keys"
    )]
    NoKey,
}

/// The trusted keys, and whether a signature is required.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    keys: Vec<(String, PublicKey)>,
    required: bool,
}

impl Trust {
    /// Reads the `*.pub` files of a folder. `required`: a rule without a signature of one of them is refused.
    ///
    /// # Errors
    /// [`TrustError`], also if another user could write to the folder or a key.
    pub fn open(keys: Option<&Path>, required: bool) -> Result<Self, TrustError> {
        let keys = keys.map_or(Ok(Vec::new()), read_folder)?;
        match keys.is_empty() && required {
            true => Err(TrustError::NoKey),
            false => Ok(Self { keys, required }),
        }
    }

    /// The same keys; a signature is also required if `required`.
    #[must_use]
    pub fn requiring(&self, required: bool) -> Self {
        Self {
            keys: self.keys.clone(),
            required: self.required || required,
        }
    }

    /// Whether a rule must be signed.
    #[must_use]
    pub fn is_required(&self) -> bool {
        self.required
    }

    /// Whether there is any key.
    #[must_use]
    pub fn has_keys(&self) -> bool {
        !self.keys.is_empty()
    }

    /// The name of the key that has signed these bytes.
    #[must_use]
    pub fn signer(&self, message: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> Option<&str> {
        let mut keys = self.keys.iter();
        keys.find(|(_, key)| key.verifies(message, signature))
            .map(|(name, _)| name.as_str())
    }
}

/// The keys of a folder by the names of their files.
fn read_folder(folder: &Path) -> Result<Vec<(String, PublicKey)>, TrustError> {
    let failed = |cause| TrustError::Folder {
        path: folder.to_owned(),
        cause,
    };
    let metadata = fs::metadata(folder).map_err(failed)?;
    if !metadata.is_dir() {
        return Err(failed(io::Error::other("it is not a folder")));
    }
    let own = own_uid();
    check(folder, &metadata, own)?;
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "pub") {
            paths.push(path);
        }
        if paths.len() > MAX_KEYS {
            return Err(TrustError::TooMany {
                path: folder.to_owned(),
            });
        }
    }
    // In one order on every file system.
    paths.sort_unstable();
    paths.into_iter().map(|path| read_key(path, own)).collect()
}

fn read_key(path: PathBuf, own: u32) -> Result<(String, PublicKey), TrustError> {
    let metadata = fs::symlink_metadata(&path).map_err(|cause| {
        let path = path.clone();
        FileError::Read { path, cause }
    })?;
    if !metadata.is_file() {
        let (fault, remedy) = ("a link or no file", "put the key itself there");
        return Err(TrustError::Untrusted {
            path,
            fault,
            remedy,
        });
    }
    check(&path, &metadata, own)?;
    let pem = file::read(&path, MAX_KEY_FILE)?;
    match PublicKey::from_pem(&pem) {
        Ok(key) => {
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            Ok((escaped(&name, 64), key))
        }
        Err(fault) => Err(TrustError::Key { path, fault }),
    }
}

/// Only this user and root may be able to change it.
fn check(path: &Path, metadata: &Metadata, own: u32) -> Result<(), TrustError> {
    let (fault, remedy) = if metadata.mode() & 0o022 != 0 {
        (
            "writable by other users",
            "run `chmod go-w` on it as its owner",
        )
    } else if ![0, own].contains(&metadata.uid()) {
        (
            "owned by another user",
            "run `chown` on it, to root or to the gateway's user",
        )
    } else {
        return Ok(());
    };
    Err(TrustError::Untrusted {
        path: path.to_owned(),
        fault,
        remedy,
    })
}
