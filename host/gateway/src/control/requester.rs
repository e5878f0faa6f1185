//! Who asks for a change of the rules: the log names it.

use std::fmt;
use std::path::PathBuf;

use tokio::net::UnixStream;

use crate::config::Place;
use contract::escaping::escaped;

/// Bytes of a path in a log line.
const PATH_BYTES: usize = 200;

/// Who asks for a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Requester {
    /// A process that has opened the control socket.
    ControlSocket(PathBuf, Credentials),
    /// A browser or command at the status page; a port has no credentials.
    StatusPage(Place, Option<Credentials>),
    /// A process that sent SIGHUP: the system does not say which.
    HangUp,
}

/// The process at the other end of a Unix socket, as the system says (`SO_PEERCRED`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credentials {
    user: u32,
    process: Option<i32>,
}

impl Credentials {
    /// Of a connection; none if the system does not say.
    pub(crate) fn of(stream: &UnixStream) -> Option<Self> {
        let credentials = stream.peer_cred().ok()?;
        Some(Self {
            user: credentials.uid(),
            process: credentials.pid(),
        })
    }
}

impl fmt::Display for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "user {}", self.user)?;
        match self.process {
            Some(process) => write!(f, " (process {process})"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Requester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ControlSocket(path, credentials) => {
                let path = escaped(&path.display().to_string(), PATH_BYTES);
                write!(f, "{credentials} at {path}")
            }
            Self::StatusPage(place, None) => write!(f, "the status page at {place}"),
            Self::StatusPage(place, Some(credentials)) => {
                write!(f, "{credentials} at the status page, {place}")
            }
            Self::HangUp => f.write_str("SIGHUP"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_process_and_socket_are_named_in_one_line() {
        let credentials = Credentials {
            user: 1000,
            process: Some(4711),
        };
        let control = Requester::ControlSocket("/run/a\n.sock".into(), credentials);
        assert_eq!(
            control.to_string(),
            "user 1000 (process 4711) at /run/a\\u{a}.sock"
        );
        let place = Place::Loopback("127.0.0.1:9683".parse().unwrap());
        let page = Requester::StatusPage(place.clone(), None);
        assert_eq!(
            page.to_string(),
            "the status page at http://127.0.0.1:9683/"
        );
        let page = Requester::StatusPage(place, Some(credentials));
        assert_eq!(
            page.to_string(),
            "user 1000 (process 4711) at the status page, http://127.0.0.1:9683/"
        );
    }
}
