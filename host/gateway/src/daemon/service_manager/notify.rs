//! What the service manager is told (sd_notify(3)): each message is one datagram to `NOTIFY_SOCKET`.

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use sd_notify::NotifyState;

use contract::escaping::escaped;

/// Bytes of a status line: what fits beside `systemctl status`.
const MAX_STATUS: usize = 400;

/// What it says of itself while all is well.
static ALL_IS_WELL: OnceLock<String> = OnceLock::new();

/// The gateway listens at this address and its rules serve.
pub fn ready(address: SocketAddr) {
    let status = ALL_IS_WELL.get_or_init(|| format!("listening on coap://{address}"));
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// The gateway begins to read its configuration again. The time tells the manager which reload is meant.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!("no monotonic clock: {error}"),
    }
}

/// It has done so. `refusal`: why it goes on with the former one.
pub fn reloaded(refusal: Option<&str>) {
    // A line feed would begin another assignment.
    let refusal = refusal.map(|line| escaped(line, MAX_STATUS));
    let status = refusal.as_ref().or(ALL_IS_WELL.get());
    let status = status.map_or("", String::as_str);
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
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
