//! Rules while the gateway runs: activated, replaced, rolled back, taken out of service. All of it happens beside the
//! serving path, which only sees one pointer change ([`SnapshotCell`](crate::request::SnapshotCell)).
//!
//! [`manager`] decides; what it hears of comes as [`Event`]s: files that were replaced ([`watch`]), commands of an
//! operator ([`control`]), and revisions that fail.

pub mod command;
pub mod config_reloader;
pub mod control;
mod files;
mod managed;
pub mod manager;
pub mod protocol;
mod reconfigure;
pub mod reload;
mod replace;
pub mod rule_status_cell;
mod watch;

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use tokio::signal::unix::Signal;
use tokio::sync::oneshot;
use tokio::task::spawn_local;

pub use config_reloader::ConfigReloader;
use control::Control;
pub use manager::Manager;
pub use protocol::{ControlRequest, Reply, RuleStatus};
pub use replace::NotReplaced;
pub use rule_status_cell::RuleStatusCell;
use runtime::Alarm;
pub use watch::Watch;

/// Something that may change which revisions serve.
pub enum Event {
    /// A file of a rule with this name was replaced.
    Replaced(String),
    /// A folder with rules was moved or removed, or nobody knows what was replaced.
    Folders,
    /// A revision fails more often than it works.
    Alarm(Alarm),
    /// An operator wants something, and waits for the reply.
    ControlRequest(ControlRequest, oneshot::Sender<Reply>),
}

/// Where events go.
pub type Events = Sender<Event>;

/// Begins to hear of SIGHUP, of files that are replaced and of an operator's commands, by tasks of this runtime. Without a
/// control socket the gateway serves all the same; the log says so.
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
            let (reply, is_done) = oneshot::channel();
            let wish = Event::ControlRequest(ControlRequest::Reload {}, reply);
            if reload.send(wish).is_err() || is_done.await.is_err() {
                return; // The manager is gone.
            }
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
