//! The status page for the operator: the gateway's state, metrics, readiness, and the rollback of a rule. HTTP on a
//! Unix socket, or on a port of the loopback address.
//!
//! It runs on the data path's thread and shows plain cells of that thread, so that no request of a device pays for a
//! lock. A page is text that is put together without waiting, and [`server`] limits the requests per second. A thread
//! of its own would be one more on a router with one core, and would have to stop the data path for a consistent view.

pub mod command;
mod endpoint_counters;
mod exposition;
mod forms;
mod gather;
mod host_header;
mod metrics;
mod outbox_metrics;
mod outbox_status;
mod page;
mod process;
mod readiness;
mod response;
mod routes;
mod security;
mod server;
mod state;
pub mod status;
mod terminal;
pub(crate) mod wording;

use std::rc::Rc;

use tokio::task::spawn_local;

use crate::config::Place;
pub use forms::Forms;
use server::Server;
pub use state::Admin;

/// Serves the status page by tasks of this runtime, for as long as the gateway runs. If its place cannot be bound, the
/// log says so, and the gateway serves devices all the same.
pub fn listen(place: Option<&Place>, admin: Admin) {
    match place.map(Server::bind) {
        Some(Ok(server)) => {
            tracing::info!("the status page is at {}", server.shown());
            let admin = Rc::new(admin);
            spawn_local(admin.clone().keep_history());
            spawn_local(server.run(admin));
        }
        Some(Err(error)) => tracing::warn!("{error}"),
        None => tracing::info!(
            "no status page: neither RUNTIME_DIRECTORY nor XDG_RUNTIME_DIR is set, and no --admin is given"
        ),
    }
}
