//! Compiled components on disk, so that a start takes milliseconds.
//!
//! Compiled code is native code: whoever can write here can run code as the gateway. So the folder must
//! belong to this user and be closed to others, and every file in it is made by this gateway.

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

/// Compiled code of the largest component that is cached: 64 MiB holds a JavaScript engine.
const MAX_BYTES: u64 = 64 << 20;
/// Bytes of the check at the end of a file, the SHA-256 of what stands before it. The runtime would run code that a
/// worn-out flash memory has changed.
const CHECK_BYTES: usize = 32;
/// Files kept: two revisions of as many rules as a gateway can have. The oldest go first.
const MAX_FILES: usize = 128;

/// Why compiled code cannot be kept. Rules are compiled at each start then.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The folder cannot be made or read.
    #[error(
        "cannot use {path} for compiled rules: {cause}; give a folder of your own with --cache-dir"
    )]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The system's reason.
        cause: io::Error,
    },
    /// Somebody else could have put code there.
    #[error(
        "will not run compiled rules from {path}: it is {fault}; run `chmod 700` on it as its owner, or give another \
        folder with --cache-dir"
    )]
    Untrusted {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// The code was compiled but not stored.
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
    /// The cache in this folder. Where it cannot be used, that is said in the log, and the gateway works without.
    #[must_use]
    pub fn at(folder: Option<&Path>) -> Option<Self> {
        Self::open(folder?)
            .inspect_err(|error| tracing::warn!("{error}"))
            .ok()
    }

    /// Opens the folder; makes it, for its owner only, if it is not there.
    ///
    /// # Errors
    /// [`CacheError`] when it cannot be made, belongs to another user, or is open to others.
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

    /// Stores compiled code (write, sync, rename: a power cut leaves the old file or the new one).
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

    /// Named after component, runtime version and configuration: what another gateway left is not even opened.
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

/// The compiled code of a file, if it is still what was stored.
fn unchanged(stored: &[u8]) -> Option<&[u8]> {
    let (compiled, check) = stored.split_last_chunk::<CHECK_BYTES>()?;
    (Digest::of(compiled).as_bytes() == check).then_some(compiled)
}
