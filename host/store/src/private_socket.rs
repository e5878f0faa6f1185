//! A Unix socket for the gateway's own user and root alone: an operator reaches a running gateway by it.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

use crate::environment::{folder, own_uid};

/// A bound socket. Its file is removed when it is dropped.
pub struct PrivateSocket {
    listener: UnixListener,
    path: PathBuf,
}

impl Drop for PrivateSocket {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

impl PrivateSocket {
    /// Binds. Replaces a socket without a listener.
    ///
    /// # Errors
    /// The system's; or another gateway listens there; or there is another file.
    pub fn bind(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)?;
        }
        if let Ok(metadata) = fs::symlink_metadata(path) {
            if !metadata.file_type().is_socket() {
                return Err(io::Error::other("there is a file that is no socket"));
            }
            if std::os::unix::net::UnixStream::connect(path).is_ok() {
                return Err(io::Error::other("another gateway listens there"));
            }
        }
        // Other users must not reach it at any time, so it gets its name last.
        let unnamed = path.with_extension(format!("{}.tmp", std::process::id()));
        let _ = fs::remove_file(&unnamed);
        let listener = UnixListener::bind(&unnamed)?;
        fs::set_permissions(&unnamed, fs::Permissions::from_mode(0o600))?;
        fs::rename(&unnamed, path)?;
        Ok(Self {
            listener,
            path: path.to_owned(),
        })
    }

    /// The next connection, of any user: check it with [`stranger`].
    ///
    /// # Errors
    /// The system's.
    pub async fn accept(&self) -> io::Result<UnixStream> {
        Ok(self.listener.accept().await?.0)
    }
}

/// The user at the other end, if it is neither the gateway's own nor root. The socket's mode excludes others already;
/// this check holds even if the mode was changed.
///
/// # Errors
/// The system's.
pub fn stranger(stream: &UnixStream) -> io::Result<Option<u32>> {
    let peer = stream.peer_cred()?.uid();
    Ok((peer != own_uid() && peer != 0).then_some(peer))
}

/// The default path of a socket of this name, or of a file beside it: in systemd's folder, else in the user's.
#[must_use]
pub fn default_path(name: &str) -> Option<PathBuf> {
    folder("RUNTIME_DIRECTORY")
        .or_else(|| folder("XDG_RUNTIME_DIR").map(|folder| folder.join("comatrix")))
        .map(|folder| folder.join(name))
}
