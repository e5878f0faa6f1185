//! Why the gateway cannot listen.

use std::io;
use std::net::SocketAddr;

/// The gateway cannot listen.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on udp {address}: {cause}; {remedy}")]
pub struct BindError {
    address: SocketAddr,
    cause: io::Error,
    remedy: &'static str,
}

impl BindError {
    pub(super) fn new(address: SocketAddr, cause: io::Error) -> Self {
        let remedy = match cause.kind() {
            io::ErrorKind::AddrInUse => {
                "another program has this port: end it, or choose another with --port"
            }
            io::ErrorKind::AddrNotAvailable => {
                "no interface of this machine has this address: `ip addr` lists them"
            }
            io::ErrorKind::PermissionDenied => {
                "ports below 1024 need privileges: choose another with --port"
            }
            _ => "choose another address with --ip",
        };
        Self {
            address,
            cause,
            remedy,
        }
    }

    /// The machine has no such address family.
    #[must_use]
    pub fn is_unsupported(&self) -> bool {
        // EAFNOSUPPORT has no kind of its own.
        self.cause.raw_os_error() == Some(97)
            || self.cause.kind() == io::ErrorKind::AddrNotAvailable
    }
}
