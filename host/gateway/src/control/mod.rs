//! The control socket: an operator's commands to a running gateway, about its rules, its outbox and its devices.
//!
//! [`protocol`] is the language, [`socket`] the gateway's end, and [`client`] the operator's.

pub mod client;
pub mod protocol;
mod requester;
mod socket;

use std::path::Path;

use tokio::task::spawn_local;

pub use protocol::{Command, Reply};
pub use requester::{Credentials, Requester};
use socket::Control;
pub use socket::Receivers;

/// Serves the control socket by tasks of this runtime, for as long as the gateway runs. If it cannot be bound, the log
/// says so, and the gateway serves devices all the same.
pub fn listen(path: Option<&Path>, receivers: Receivers) {
    match path.map(Control::bind) {
        Some(Ok(control)) => {
            spawn_local(control.run(receivers));
        }
        Some(Err(error)) => tracing::warn!("{error}"),
        None => tracing::info!(
            "no control socket: neither RUNTIME_DIRECTORY nor XDG_RUNTIME_DIR is set, and no --control-socket is given"
        ),
    }
}
