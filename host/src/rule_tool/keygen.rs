//! `rule keygen`: a private key that only its owner can read, and its public key.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use super::args::KeygenArgs;
use super::error::ToolError;
use runtime::PrivateKey;
use store::file::{FileError, suffixed};

/// Creates both files. Existing files are not overwritten.
pub(super) fn keygen(args: &KeygenArgs, out: &mut impl Write) -> Result<(), ToolError> {
    let private = Created::new(suffixed(&args.name, ".key"), 0o600)?;
    let public = Created::new(suffixed(&args.name, ".pub"), 0o644)?;
    let faulty = |fault| ToolError::Key {
        path: private.path.clone(),
        fault,
    };
    let key = PrivateKey::generate().map_err(faulty)?;
    let (secret, shared) = (
        key.to_pem().map_err(faulty)?,
        key.public().to_pem().map_err(faulty)?,
    );
    let (private, public) = (
        private.write(secret.as_bytes())?,
        public.write(shared.as_bytes())?,
    );
    writeln!(
        out,
        "{}: the private key; only you may read it; sign with `comatrix-gateway rule sign`\n\
         {}: the public key; operators who trust you put it into their folder of keys",
        private.keep().display(),
        public.keep().display()
    )?;
    Ok(())
}

/// A new file, which is removed unless it is kept.
struct Created {
    path: PathBuf,
    file: File,
    kept: bool,
}

impl Created {
    fn new(path: PathBuf, mode: u32) -> Result<Self, ToolError> {
        let mut options = OpenOptions::new();
        match options.write(true).create_new(true).mode(mode).open(&path) {
            Ok(file) => Ok(Self {
                path,
                file,
                kept: false,
            }),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                Err(ToolError::KeyExists(path))
            }
            Err(cause) => Err(FileError::Write { path, cause }.into()),
        }
    }

    fn write(mut self, content: &[u8]) -> Result<Self, ToolError> {
        let written = self.file.write_all(content);
        written
            .and_then(|()| self.file.sync_all())
            .map_err(|cause| FileError::Write {
                path: self.path.clone(),
                cause,
            })?;
        Ok(self)
    }

    fn keep(mut self) -> PathBuf {
        self.kept = true;
        self.path.clone()
    }
}

impl Drop for Created {
    fn drop(&mut self) {
        if !self.kept {
            // Half a key pair is of no use. The command reports the first error.
            let _ = fs::remove_file(&self.path);
        }
    }
}
