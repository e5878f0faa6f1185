//! The control socket: where an operator's commands reach a running gateway. Only its own user and root may speak.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

use crate::environment::own_uid;

use super::protocol::{MAX_LINE, Reply, Wish};
use super::{Event, Events};

/// Commands at a time; an operator has two hands.
const CONNECTIONS: usize = 4;
/// For a command to be written and its reply to be read. The reply itself may take longer: rules are compiled.
const TALK: Duration = Duration::from_secs(5);

/// A socket that is bound; removed when it is dropped.
pub struct Control {
    listener: UnixListener,
    path: PathBuf,
}

/// There is no control socket.
#[derive(Debug, thiserror::Error)]
#[error(
    "no control socket at {path}: {cause}; `comatrix-gateway rules` cannot reach this gateway. Give another place with --control-socket"
)]
pub struct ControlError {
    path: PathBuf,
    cause: io::Error,
}

impl Drop for Control {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

impl Control {
    /// Binds, for the gateway's own user only. A socket that nobody listens at any more is replaced.
    ///
    /// # Errors
    /// [`ControlError`]: another gateway listens there, or the folder is not this user's.
    pub fn bind(path: &Path) -> Result<Self, ControlError> {
        Self::open(path).map_err(|cause| ControlError {
            path: path.to_owned(),
            cause,
        })
    }

    fn open(path: &Path) -> io::Result<Self> {
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
        // Closed to others before it has its name.
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

    /// Serves commands for as long as the gateway runs.
    pub async fn run(self, events: Events) {
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            let Ok(place) = places.clone().acquire_owned().await else {
                return;
            };
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let events = events.clone();
                    tokio::task::spawn_local(async move {
                        if let Err(error) = talk(stream, &events).await {
                            tracing::warn!("control socket: {error}");
                        }
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!("control socket: {error}");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }
}

/// One command and its reply.
async fn talk(mut stream: UnixStream, events: &Events) -> io::Result<()> {
    // The socket's mode keeps others away; this holds even where somebody changed it.
    let peer = stream.peer_cred()?.uid();
    let reply = if peer == own_uid() || peer == 0 {
        let mut line = String::new();
        let (reader, _) = stream.split();
        let mut reader = BufReader::new(reader.take(MAX_LINE));
        timeout(TALK, reader.read_line(&mut line)).await??;
        answer(&line, events).await
    } else {
        tracing::warn!("control socket: user {peer} was refused");
        Reply::Refused("only the gateway's own user and root may do this".to_owned())
    };
    let mut line = serde_json::to_vec(&reply)?;
    line.push(b'\n');
    timeout(TALK, stream.write_all(&line)).await?
}

async fn answer(line: &str, events: &Events) -> Reply {
    let wish: Wish = match serde_json::from_str(line) {
        Ok(wish) => wish,
        Err(error) => {
            let error = crate::access_log::escaped(&error.to_string(), 200);
            return Reply::Refused(format!(
                "no command: {error}; use `comatrix-gateway rules` of the gateway's own version"
            ));
        }
    };
    let (reply, answer) = oneshot::channel();
    let sent = events.send(Event::Wish(wish, reply));
    let gone = || Reply::Refused("the gateway is going down; try again".to_owned());
    if sent.is_err() {
        return gone();
    }
    answer.await.unwrap_or_else(|_| gone())
}
