//! The gateway's state as one value: the page, `status.json` and `comatrix-gateway status` show the same.

use serde::{Deserialize, Serialize};

pub use super::process::Process;
use crate::rule_manager::RuleStatus;
use crate::telemetry::recent_warnings::Warning;
use crate::telemetry::recorder::{Device, Point, RecentExchange};

/// Hosts whose shares are shown.
pub const HOSTS: usize = 10;

/// The content of `status.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The gateway's version.
    pub version: String,
    /// Address at which devices reach it, like `coap://[::]:5683`.
    pub address: String,
    /// Time of this state, in milliseconds since 1970.
    pub unix_ms: u64,
    /// Seconds since it started.
    pub uptime_seconds: u64,
    /// Reasons why it is not ready, each with a remedy; empty if it is ready.
    pub not_ready: Vec<String>,
    /// Requests and observations.
    pub traffic: Traffic,
    /// Resources that its process uses.
    pub process: Process,
    /// The configured homeservers, the default first.
    pub homeservers: Vec<HomeserverStatus>,
    /// The rules.
    pub rules: Vec<RuleStatus>,
    /// Messages that wait for their homeserver; none if the gateway keeps no messages.
    pub outbox: Option<OutboxStatus>,
    /// The last requests, the newest first.
    pub recent_requests: Vec<RecentExchange>,
    /// Devices.
    pub devices: DeviceStatus,
    /// Those of them that prove who they are; none if the gateway has no store.
    #[serde(default)]
    pub security: Option<SecurityStatus>,
    /// Limits that were reached and messages that were rejected: name and count.
    pub limits_and_faults: Vec<(String, u64)>,
    /// The last hour in minutes, the one in progress last.
    pub history: Vec<Point>,
    /// What each host takes of the gateway, at most [`HOSTS`] of them, those with most bytes first.
    pub shares: Vec<HostShare>,
    /// The last warnings and errors, the newest first.
    pub recent_warnings: Vec<Warning>,
}

/// Requests and observations.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Traffic {
    /// Requests completed.
    pub requests: u64,
    /// Of them, those with a response of class 5: the gateway or a homeserver failed.
    pub failed: u64,
    /// Requests in progress.
    pub in_flight: usize,
    /// Observations in progress.
    pub observations: usize,
}

/// A configured homeserver.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HomeserverStatus {
    /// Scheme, host and port.
    pub origin: String,
    /// Whether it responded to the last call; none before the first one.
    pub reachable: Option<bool>,
    /// Seconds since `reachable` changed.
    pub unchanged_seconds: u64,
    /// The last HTTP status, or the reason why there was no response.
    pub outcome: String,
    /// Seconds since the last call.
    pub age_seconds: u64,
    /// Duration of the last call, in milliseconds.
    pub latency_ms: Option<f64>,
    /// Calls in progress.
    pub in_flight: usize,
    /// Calls that wait in the queue.
    pub queued: usize,
}

/// Messages that wait for their homeserver.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OutboxStatus {
    /// What is wrong, in sentences with a remedy. The gateway serves all the same.
    pub warnings: Vec<String>,
    /// Messages that wait.
    pub waiting: usize,
    /// So many may wait.
    pub most_waiting: usize,
    /// Bytes of their records.
    pub bytes: usize,
    /// Their records may have so many.
    pub most_bytes: usize,
    /// Seconds that the oldest of them has waited; none if none waits.
    pub oldest_seconds: Option<u64>,
    /// Attempts in progress.
    pub in_flight: usize,
    /// Failed messages that are kept.
    pub failed: usize,
    /// Messages that were taken over since the start.
    pub accepted: u64,
    /// Messages that were sent after they had waited, since the start.
    pub sent: u64,
    /// Messages that failed since the start, by reason; only reasons that occurred.
    pub failures: Vec<(String, u64)>,
}

/// Devices that sent requests.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeviceStatus {
    /// Addresses of which the gateway keeps statistics.
    pub recorded: usize,
    /// Addresses whose statistics were removed to make room for others.
    pub evicted: u64,
    /// The last devices, the newest first.
    pub latest: Vec<Device>,
}

/// Devices that prove who they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityStatus {
    /// Devices that are enrolled.
    pub enrolled: usize,
    /// Security sessions (DTLS) that are open.
    pub security_sessions: usize,
    /// Security contexts (OSCORE).
    pub security_contexts: usize,
    /// Logins that the gateway remembers.
    pub sessions: usize,
    /// Handshakes that were refused since the start, by reason; only reasons that occurred.
    pub refused_handshakes: Vec<(String, u64)>,
    /// Messages with OSCORE that were refused since the start.
    pub refused_messages: u64,
}

/// What one host takes of the gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostShare {
    /// Its address.
    pub host: String,
    /// Bytes that its messages make the gateway hold.
    pub bytes: u64,
    /// Observations in progress.
    pub observations: u64,
    /// Requests in progress.
    pub exchanges: u64,
}
