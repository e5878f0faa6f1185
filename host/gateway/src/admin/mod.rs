//! For whoever runs the gateway: what it does, whether it is ready, and a way back to the revision before. HTTP on a Unix
//! socket, or on a port of the loopback address.
//!
//! It runs on the data path's thread. What it shows are that thread's plain cells, so that no request of a device pays for a
//! lock; a page is text put together without waiting for anything; and [`server`] bounds how many there are in a second. A
//! thread of its own would be one more on a router with one core, and would have to stop the data path for a consistent look.

pub mod command;
mod exposition;
mod forms;
mod gather;
mod host_header;
mod metrics;
mod page;
mod process;
mod readiness;
mod response;
mod routes;
mod server;
pub mod status;
mod terminal;
mod wording;

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use tokio::task::spawn_local;

use crate::config::Place;
use crate::request::SnapshotCell;
use crate::rule_manager::{Events, RuleStatusCell};
use crate::telemetry::recent_warnings::RecentWarnings;
use crate::telemetry::recorder::Recorder;
pub use forms::Forms;
use homeserver::Probes;
use server::Server;

/// What the pages are made from.
pub struct Admin {
    /// Where devices reach the gateway.
    pub address: SocketAddr,
    /// When the gateway started.
    pub started: Instant,
    /// What it has done.
    pub recorder: Rc<Recorder>,
    /// The rules and homeservers of now.
    pub snapshots: Arc<SnapshotCell>,
    /// The rules.
    pub board: Arc<RuleStatusCell>,
    /// Where an operator's wishes go.
    pub events: Events,
    /// What the log warns of.
    pub problems: RecentWarnings,
    /// The forms that are out.
    pub forms: Forms,
}

impl Admin {
    /// The homeservers of now.
    fn probes(&self) -> Probes {
        self.snapshots.load().upstreams.probes()
    }
}

/// Serves it by tasks of this runtime, for as long as the gateway runs. What cannot be bound is said in the log; the gateway serves
/// all the same.
pub fn listen(place: Option<&Place>, admin: Admin) {
    match place.map(Server::bind) {
        Some(Ok(server)) => {
            tracing::info!("the status page is at {}", server.shown());
            spawn_local(server.run(Rc::new(admin)));
        }
        Some(Err(error)) => tracing::warn!("{error}"),
        None => tracing::info!(
            "no status page: neither RUNTIME_DIRECTORY nor XDG_RUNTIME_DIR is set, and no --admin is given"
        ),
    }
}
