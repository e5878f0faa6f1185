//! The rules of a running gateway: activation, replacement, rollback, pauses. All of it happens beside the data path,
//! which only sees one pointer change ([`SnapshotCell`](crate::request::SnapshotCell)).
//!
//! [`manager`] decides. It acts on [`Event`]s: replaced files ([`watch`]), commands of an operator ([`control`]), and
//! revisions that fail.

pub mod command;
pub mod config_reloader;
pub mod control;
mod event;
mod files;
mod managed;
pub mod manager;
mod not_replaced;
pub mod protocol;
mod reconfigure;
mod replace;
mod requester;
mod roll_back;
pub mod rule_status_cell;
mod source;
mod watch;

use std::path::Path;
use std::sync::Arc;

use tokio::signal::unix::Signal;
use tokio::task::spawn_local;

pub use config_reloader::ConfigReloader;
use control::Control;
pub use event::{Event, Events, send_command};
pub use manager::Manager;
pub use not_replaced::NotReplaced;
pub use protocol::{ControlRequest, Reply, RuleStatus};
pub use requester::{Credentials, Requester};
pub use rule_status_cell::RuleStatusCell;
pub use watch::Watch;

/// Starts the tasks that send events: for SIGHUP, replaced files and an operator's commands. If the control socket
/// cannot be bound, the log says so, and the gateway serves devices all the same.
pub fn listen(
    control_socket: Option<&Path>,
    mut hang_up: Signal,
    watch: Option<Arc<Watch>>,
    events: &Events,
) {
    if let Some(watch) = watch {
        spawn_local(watch.run(events.clone()));
    }
    let reload = events.clone();
    spawn_local(async move {
        while hang_up.recv().await.is_some() {
            // The log shows the result.
            send_command(ControlRequest::Reload {}, Requester::HangUp, &reload).await;
        }
    });
    match control_socket.map(Control::bind) {
        Some(Ok(control)) => {
            spawn_local(control.run(events.clone()));
        }
        Some(Err(error)) => tracing::warn!("{error}"),
        None => tracing::info!(
            "no control socket: neither RUNTIME_DIRECTORY nor XDG_RUNTIME_DIR is set, and no --control-socket is given"
        ),
    }
}
