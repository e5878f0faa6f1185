//! Rules while the gateway runs: activated, replaced, rolled back, taken out of service. All of it happens beside the
//! serving path, which only sees one pointer change ([`Serving`](crate::rule::Serving)).
//!
//! [`manager`] decides; what it hears of comes as [`Event`]s: files that were replaced ([`watch`]), commands of an
//! operator ([`control`]), and revisions that fail.

pub mod command;
pub mod control;
mod managed;
pub mod manager;
pub mod protocol;
pub mod reload;
mod replace;
pub mod spec;
pub mod watch;

use std::path::Path;
use std::sync::mpsc::Sender;
use std::thread;

use tokio::signal::unix::Signal;
use tokio::sync::oneshot;
use tokio::task::spawn_local;

use crate::rule::Alarm;
use crate::service_manager;
use control::Control;
pub use manager::Manager;
pub use protocol::{Reply, RuleStatus, Wish};
pub use replace::NotReplaced;
pub use spec::RuleSpec;
use watch::Watch;

/// Something that may change which revisions serve.
pub enum Event {
    /// A file of a rule with this name was replaced.
    Replaced(String),
    /// Look at all files again (SIGHUP); whoever asked hears when that is done.
    Reload(oneshot::Sender<()>),
    /// A revision fails more often than it works.
    Alarm(Alarm),
    /// An operator wants something, and waits for the reply.
    Wish(Wish, oneshot::Sender<Reply>),
}

/// Where events go.
pub type Events = Sender<Event>;

/// Begins to hear of replaced files (by a thread), of SIGHUP and of an operator's commands (by tasks of this runtime). What cannot be
/// heard of is said in the log; the gateway serves all the same.
///
/// # Errors
/// The system's, when it gives no thread.
pub fn listen(
    rules: &[RuleSpec],
    control_socket: Option<&Path>,
    mut hang_up: Signal,
    events: &Events,
) -> std::io::Result<()> {
    let (watch, unwatched) = Watch::start(rules);
    for error in unwatched {
        tracing::warn!("{error}");
    }
    match watch {
        None => {}
        Some(watch) => {
            let events = events.clone();
            thread::Builder::new()
                .name("watch".into())
                .stack_size(64 << 10)
                .spawn(move || {
                    if let Err(error) = watch.run(&events) {
                        tracing::error!("replaced rules are noticed at SIGHUP only: {error}");
                    }
                })?;
        }
    }
    let reload = events.clone();
    spawn_local(async move {
        while hang_up.recv().await.is_some() {
            service_manager::reloading();
            let (done, is_done) = oneshot::channel();
            if reload.send(Event::Reload(done)).is_err() || is_done.await.is_err() {
                return; // The manager is gone.
            }
            service_manager::reloaded();
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
    Ok(())
}
