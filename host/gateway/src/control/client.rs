//! The operator's end of the control socket.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::protocol::{Command, MAX_REPLY, Reply};
use crate::config::default_control_socket;

/// A large component compiles for seconds on a small router.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Which gateway gets the command.
#[derive(Debug, Args)]
pub struct SocketArgs {
    /// The gateway's control socket [default: control.sock in $RUNTIME_DIRECTORY, else in comatrix of
    /// $XDG_RUNTIME_DIR]
    #[arg(long, value_name = "PATH", global = true)]
    control_socket: Option<PathBuf>,
}

/// Sends a command and prints the reply, which `shown` makes text. Exit status 0: done; 1: the gateway refused; 2: no
/// response from a gateway.
#[allow(clippy::print_stderr)]
pub(crate) fn run(
    args: SocketArgs,
    command: &Command,
    shown: impl FnOnce(Reply) -> String,
) -> ExitCode {
    let Some(socket) = args.control_socket.or_else(default_control_socket) else {
        eprintln!(
            "comatrix-gateway: neither RUNTIME_DIRECTORY nor XDG_RUNTIME_DIR is set; name the gateway's socket with \
             --control-socket"
        );
        return ExitCode::from(2);
    };
    match send(&socket, command) {
        Ok(Reply::Refused(reason)) => {
            eprintln!("comatrix-gateway: {reason}");
            ExitCode::FAILURE
        }
        Ok(reply) => {
            // The reader may have had enough, such as `head`.
            let _ = writeln!(io::stdout(), "{}", shown(reply));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!(
                "comatrix-gateway: no gateway at {}: {error}; is it running as this user, and with this \
                 --control-socket?",
                socket.display()
            );
            ExitCode::from(2)
        }
    }
}

/// Sends a command to the gateway at a socket and returns its reply.
///
/// # Errors
/// The system's error: no gateway listens, or no reply arrived.
pub fn send(socket: &Path, command: &Command) -> io::Result<Reply> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    let mut line = serde_json::to_vec(command)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut reply = String::new();
    BufReader::new(stream.take(MAX_REPLY)).read_line(&mut reply)?;
    Ok(serde_json::from_str(&reply)?)
}
