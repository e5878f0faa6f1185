//! The socket that a service manager holds (sd_listen_fds(3)): it outlives the gateway, and what arrives while no gateway
//! runs waits in it.

use std::io;
use std::net::UdpSocket;

use listenfd::ListenFd;

/// What was handed over is of no use.
#[derive(Debug, thiserror::Error)]
pub enum ActivationError {
    /// More than one.
    #[error(
        "the service manager hands over {0} sockets and the gateway serves one: leave one ListenDatagram= in the socket unit"
    )]
    Several(usize),
    /// Something else.
    #[error(
        "the socket that the service manager hands over cannot be served: {0}; the socket unit needs ListenDatagram= with an address and a port"
    )]
    NotUdp(io::Error),
}

/// Takes the UDP socket that was handed over; none where nothing was. To be called before there is a second thread: it
/// removes the variables, so that no child takes the socket for its own.
///
/// # Errors
/// [`ActivationError`] with the remedy.
pub fn take_socket() -> Result<Option<UdpSocket>, ActivationError> {
    let mut handed_over = ListenFd::from_env();
    match handed_over.len() {
        0 => Ok(None),
        1 => handed_over
            .take_udp_socket(0)
            .map_err(ActivationError::NotUdp),
        several => Err(ActivationError::Several(several)),
    }
}
