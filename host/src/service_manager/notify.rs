//! What the service manager is told (sd_notify(3)): each message is one datagram to `NOTIFY_SOCKET`.

use std::net::SocketAddr;
use std::time::Duration;

use sd_notify::NotifyState;

use crate::access_log::escaped;

/// Bytes of a status line: what fits beside `systemctl status`.
const MAX_STATUS: usize = 200;

/// The gateway listens at this address and its rules serve.
pub fn ready(address: SocketAddr) {
    let status = format!("listening on coap://{address}");
    tell(&[NotifyState::Ready, NotifyState::Status(&status)]);
}

/// The gateway begins to read its files again. The time tells the manager which reload is meant.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!("no monotonic clock: {error}"),
    }
}

/// It has done so.
pub fn reloaded() {
    tell(&[NotifyState::Ready]);
}

/// The gateway takes no requests any more, and `in_flight` exchanges have `drain` to end.
pub fn stopping(in_flight: usize, drain: Duration) {
    let status = format!(
        "stopping: {in_flight} exchanges have {} s to end",
        drain.as_secs()
    );
    tell(&[NotifyState::Stopping, NotifyState::Status(&status)]);
}

/// The gateway ends, since it cannot serve.
pub fn failed(error: &str) {
    // A line feed would begin another assignment.
    tell(&[NotifyState::Status(&escaped(error, MAX_STATUS))]);
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = send(states) {
        tracing::warn!(
            "the service manager at NOTIFY_SOCKET does not hear the gateway: {error}; it may end it"
        );
    }
}

pub(super) fn send(states: &[NotifyState<'_>]) -> std::io::Result<()> {
    sd_notify::notify(states)
}
