//! A cache of compiled components on disk: with it a start takes milliseconds.
//!
//! Compiled code is native code: a user who can write here can run code as the gateway. So the folder must
//! belong to this user and be closed to others, and the gateway itself writes every file in it.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use wasmtime::component::Component;

use super::Engine;
use super::native::deserialize;
use contract::digest::Digest;
use store::environment::own_uid;
use store::file;

/// Bytes of a file: 64 MiB are enough for a JavaScript engine.
const MAX_BYTES: u64 = 64 << 20;
/// Bytes of the check at the end of a file, the SHA-256 of all before it. Without the check the runtime would run code
/// that worn-out flash memory has changed.
const CHECK_BYTES: usize = 32;
/// Files of a cache: two revisions of as many rules as a gateway can have. The oldest are removed first.
const MAX_FILES: usize = 128;

/// Compiled code cannot be cached: rules are compiled at each start.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The folder cannot be created or read.
    #[error(
        "cannot use {path} for compiled rules: {cause}; give a folder of your own with --cache-dir"
    )]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The system's reason.
        cause: io::Error,
    },
    /// Another user could have written code there.
    #[error(
        "will not run compiled rules from {path}: it is {fault}; run `chmod 700` on it as its owner, or give another \
        folder with --cache-dir"
    )]
    Untrusted {
        /// The folder.
        path: PathBuf,
        /// The fault.
        fault: &'static str,
    },
    /// The code was compiled, but not stored.
    #[error(
        "cannot store compiled code in {path}: {cause}; make room or let the gateway write there, or give another \
         folder with --cache-dir; until then every start compiles the rule again"
    )]
    Store {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        cause: io::Error,
    },
}

/// A trusted folder of compiled components.
#[derive(Debug)]
pub struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// The cache in this folder. If it cannot be used, the log has the reason, and the gateway works without a cache.
    #[must_use]
    pub fn at(folder: Option<&Path>) -> Option<Self> {
        Self::open(folder?)
            .inspect_err(|error| tracing::warn!("{error}"))
            .ok()
    }

    /// Opens the folder, and creates it with access for its owner only if it does not exist.
    ///
    /// # Errors
    /// [`CacheError`]: it cannot be created, belongs to another user, or is open to others.
    pub fn open(folder: &Path) -> Result<Self, CacheError> {
        let failed = |cause| CacheError::Folder {
            path: folder.to_owned(),
            cause,
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(failed)?;
        let metadata = fs::symlink_metadata(folder).map_err(failed)?;
        let untrusted = |fault| CacheError::Untrusted {
            path: folder.to_owned(),
            fault,
        };
        if !metadata.is_dir() {
            return Err(untrusted("not a folder but a link or a file"));
        }
        if metadata.uid() != own_uid() {
            return Err(untrusted("owned by another user"));
        }
        if metadata.permissions().mode() & 0o077 != 0 {
            return Err(untrusted("open to other users"));
        }
        file::remove_leftovers(folder);
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    /// The compiled code of a component, if this gateway has stored it with this engine's configuration.
    pub(crate) fn load(&self, engine: &Engine, digest: Digest) -> Option<Component> {
        let mut stored = Vec::new();
        File::open(self.path(engine, digest))
            .ok()?
            .take(MAX_BYTES)
            .read_to_end(&mut stored)
            .ok()?;
        deserialize(engine, unchanged(&stored)?).ok()
    }

    /// Stores compiled code. After a power cut, either the old or the new file is present.
    pub(crate) fn store(
        &self,
        engine: &Engine,
        digest: Digest,
        compiled: &[u8],
    ) -> Result<(), CacheError> {
        let path = self.path(engine, digest);
        let check = Digest::of(compiled);
        file::write_whole(&path, 0o600, &[compiled, check.as_bytes()])
            .map_err(|cause| CacheError::Store { path, cause })?;
        self.drop_oldest();
        Ok(())
    }

    fn drop_oldest(&self) {
        let Ok(entries) = fs::read_dir(&self.folder) else {
            return;
        };
        let mut files: Vec<_> = entries
            .filter_map(Result::ok)
            .filter(|entry| {
                entry
                    .path()
                    .extension()
                    .is_some_and(|extension| extension == "cwasm")
            })
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .collect();
        files.sort_unstable();
        let surplus = files.len().saturating_sub(MAX_FILES);
        for (_, path) in &files[..surplus] {
            let _ = fs::remove_file(path);
        }
    }

    /// The name has the component, the runtime's version and its configuration, so that a gateway never opens files of
    /// another version.
    fn path(&self, engine: &Engine, digest: Digest) -> PathBuf {
        use std::hash::{Hash, Hasher};
        let mut hasher = std::hash::DefaultHasher::new();
        engine
            .wasmtime()
            .precompile_compatibility_hash()
            .hash(&mut hasher);
        self.folder
            .join(format!("{digest:#}-{:016x}.cwasm", hasher.finish()))
    }
}

/// The compiled code of a file, if the file is as it was stored.
fn unchanged(stored: &[u8]) -> Option<&[u8]> {
    let (compiled, check) = stored.split_last_chunk::<CHECK_BYTES>()?;
    (Digest::of(compiled).as_bytes() == check).then_some(compiled)
}
