//! Notifications to the service manager (sd_notify(3)): each is one datagram to `NOTIFY_SOCKET`.

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use sd_notify::NotifyState;

use contract::escaping::escaped;

/// Bytes of a status line: it fits the output of `systemctl status`.
const MAX_STATUS: usize = 400;

/// The status line without faults.
static NORMAL_STATUS: OnceLock<String> = OnceLock::new();

/// The gateway listens at this address and its rules serve.
pub fn ready(address: SocketAddr) {
    let status = NORMAL_STATUS.get_or_init(|| format!("listening on coap://{address}"));
    notify(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// The gateway starts to read its configuration again. The time identifies the reload.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => notify(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!("no monotonic clock: {error}"),
    }
}

/// The reload is complete. `refusal`: why the gateway keeps the old configuration.
pub fn reloaded(refusal: Option<&str>) {
    // A line feed would begin another assignment.
    let refusal = refusal.map(|line| escaped(line, MAX_STATUS));
    let status = refusal.as_ref().or(NORMAL_STATUS.get());
    let status = status.map_or("", String::as_str);
    notify(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// The gateway accepts no more requests, and `in_flight` requests have the time `drain` to end.
pub fn stopping(in_flight: usize, drain: Duration) {
    let status = format!(
        "stopping: {in_flight} requests have {} s to end",
        drain.as_secs()
    );
    notify(&[NotifyState::Stopping, NotifyState::Status(&status)]);
}

/// The gateway exits because it cannot serve.
pub fn failed(error: &str) {
    // A line feed would begin another assignment.
    notify(&[NotifyState::Status(&escaped(error, MAX_STATUS))]);
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = send(states) {
        tracing::warn!(
            "cannot notify the service manager at NOTIFY_SOCKET: {error}; it may stop the gateway"
        );
    }
}

pub(super) fn send(states: &[NotifyState<'_>]) -> std::io::Result<()> {
    sd_notify::notify(states)
}
