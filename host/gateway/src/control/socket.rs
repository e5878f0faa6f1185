//! The control socket, which takes an operator's commands. Only the gateway's own user and root may send them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use store::private_socket::{PrivateSocket, stranger};

use super::protocol::{Command, MAX_COMMAND, Reply};
use super::requester::{Credentials, Requester};
use crate::devices::Devices;
use crate::outbox::Deliveries;
use crate::rule_manager::{Events, send_command};

/// Commands at a time: more than one operator sends.
const CONNECTIONS: usize = 4;
/// For a command to be written and its reply to be read. To prepare the reply may take longer, since rules are
/// compiled.
const IO_TIME: Duration = Duration::from_secs(5);

/// Those who carry commands out.
#[derive(Clone)]
pub struct Receivers {
    /// The rule manager.
    pub events: Events,
    /// The outbox; none without a store.
    pub deliveries: Option<Deliveries>,
    /// The devices; none without a store.
    pub devices: Option<Devices>,
}

/// A bound control socket.
pub struct Control {
    socket: PrivateSocket,
    path: PathBuf,
}

/// The gateway cannot bind the control socket.
#[derive(Debug, thiserror::Error)]
#[error(
    "no control socket at {path}: {cause}; `comatrix-gateway rules`, `outbox` and `devices` cannot reach this gateway. \
     Set another place with --control-socket"
)]
pub struct ControlError {
    path: PathBuf,
    cause: io::Error,
}

impl Control {
    /// Binds the socket for the gateway's own user only. A socket without a listener is replaced.
    ///
    /// # Errors
    /// [`ControlError`]: another gateway listens there, or the folder is not this user's.
    pub fn bind(path: &Path) -> Result<Self, ControlError> {
        let socket = PrivateSocket::bind(path).map_err(|cause| ControlError {
            path: path.to_owned(),
            cause,
        })?;
        Ok(Self {
            socket,
            path: path.to_owned(),
        })
    }

    /// Serves commands for as long as the gateway runs.
    pub async fn run(self, receivers: Receivers) {
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            let Ok(place) = places.clone().acquire_owned().await else {
                return;
            };
            match self.socket.accept().await {
                Ok(stream) => {
                    let (receivers, path) = (receivers.clone(), self.path.clone());
                    tokio::task::spawn_local(async move {
                        if let Err(error) = exchange(stream, path, &receivers).await {
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
async fn exchange(mut stream: UnixStream, path: PathBuf, receivers: &Receivers) -> io::Result<()> {
    let credentials = Credentials::of(&stream);
    let reply = if let Some(peer) = stranger(&stream)? {
        tracing::warn!("control socket: user {peer} was refused");
        Reply::Refused("only the gateway's own user and root may do this".to_owned())
    } else if let Some(credentials) = credentials {
        let requester = Requester::ControlSocket(path, credentials);
        let mut line = String::new();
        let (reader, _) = stream.split();
        let mut reader = BufReader::new(reader.take(MAX_COMMAND));
        timeout(IO_TIME, reader.read_line(&mut line)).await??;
        reply_to(&line, requester, receivers).await
    } else {
        Reply::Refused("the system does not say which user this is".to_owned())
    };
    let mut line = serde_json::to_vec(&reply)?;
    line.push(b'\n');
    timeout(IO_TIME, stream.write_all(&line)).await?
}

async fn reply_to(line: &str, requester: Requester, receivers: &Receivers) -> Reply {
    let Receivers {
        events,
        deliveries,
        devices,
    } = receivers;
    let without_store = |what: &str| {
        Reply::Refused(format!(
            "this gateway keeps no {what}: it has no state folder that it can use; set --state-dir, and look into its \
             log"
        ))
    };
    match serde_json::from_str(line) {
        Ok(Command::Rules(request)) => send_command(request, requester, events).await,
        Ok(Command::Outbox(request)) => match deliveries {
            Some(deliveries) => deliveries.carry_out(request, &requester).await,
            None => without_store("messages"),
        },
        Ok(Command::Devices(request)) => match devices {
            Some(devices) => devices.carry_out(request, &requester).await,
            None => without_store("devices"),
        },
        Err(error) => {
            let error = contract::escaping::escaped(&error.to_string(), 200);
            Reply::Refused(format!(
                "not a command: {error}; use a `comatrix-gateway` of the same version as the one that serves"
            ))
        }
    }
}
