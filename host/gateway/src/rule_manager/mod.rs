//! The rules of a running gateway: activation, replacement, rollback, pauses. All of it happens beside the data path,
//! which only sees one pointer change ([`SnapshotCell`](crate::request::SnapshotCell)).
//!
//! [`manager`] decides. It acts on [`Event`]s: replaced files ([`watch`]), commands of an operator
//! ([`control`](crate::control)), and revisions that fail.

pub mod command;
pub mod config_reloader;
mod event;
mod files;
mod managed;
pub mod manager;
mod not_replaced;
pub mod protocol;
mod reconfigure;
mod replace;
mod roll_back;
pub mod rule_status_cell;
mod source;
mod watch;

use std::sync::Arc;

use tokio::signal::unix::Signal;
use tokio::task::spawn_local;

use crate::control::Requester;
pub use config_reloader::ConfigReloader;
pub use event::{Event, Events, send_command};
pub use manager::Manager;
pub use not_replaced::NotReplaced;
pub use protocol::{ControlRequest, RuleStatus};
pub use rule_status_cell::RuleStatusCell;
pub use watch::Watch;

/// Starts the tasks that send events: for SIGHUP and replaced files.
pub fn listen(mut hang_up: Signal, watch: Option<Arc<Watch>>, events: &Events) {
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
}
