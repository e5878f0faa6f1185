//! The socket of a service manager (sd_listen_fds(3)): it outlives the gateway, and datagrams wait in it while no
//! gateway runs.

use std::io;
use std::net::UdpSocket;

use listenfd::ListenFd;

/// The gateway cannot serve the sockets of the service manager.
#[derive(Debug, thiserror::Error)]
pub enum ActivationError {
    /// More than one.
    #[error(
        "the service manager passes {0} sockets and the gateway serves one: keep one ListenDatagram= in the socket unit"
    )]
    Several(usize),
    /// Not a UDP socket.
    #[error(
        "the gateway cannot serve the socket of the service manager: {0}; the socket unit needs ListenDatagram= with \
         an \
         address and a port"
    )]
    NotUdp(io::Error),
}

/// Takes the UDP socket of the service manager; none without one. Call it before a second thread starts: it removes the
/// environment variables, so that no child process uses the socket.
///
/// # Errors
/// [`ActivationError`] with the remedy.
pub fn take_socket() -> Result<Option<UdpSocket>, ActivationError> {
    let mut passed = ListenFd::from_env();
    match passed.len() {
        0 => Ok(None),
        1 => passed.take_udp_socket(0).map_err(ActivationError::NotUdp),
        several => Err(ActivationError::Several(several)),
    }
}
