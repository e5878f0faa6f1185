//! What the gateway is doing, as one value: the page, `status.json` and `comatrix-gateway status` show the same.

use serde::{Deserialize, Serialize};

pub use super::process::Process;
use crate::rule_manager::RuleStatus;
use crate::telemetry::recent_warnings::Problem;
use crate::telemetry::recorder::{Device, RecentExchange};

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The gateway's version.
    pub version: String,
    /// Where devices reach it, like `coap://[::]:5683`.
    pub address: String,
    /// When this was, in milliseconds since 1970.
    pub unix_ms: u64,
    /// Since it started.
    pub uptime_seconds: u64,
    /// Why it is not ready, each with a remedy; empty where it is.
    pub missing: Vec<String>,
    /// What runs through it.
    pub traffic: Traffic,
    /// What its process uses.
    pub process: Process,
    /// The configured homeservers, the default first.
    pub homeservers: Vec<HomeserverStatus>,
    /// The rules.
    pub rules: Vec<RuleStatus>,
    /// The last exchanges, the newest first.
    pub recent: Vec<RecentExchange>,
    /// Devices.
    pub devices: DeviceStatus,
    /// Bounds and refusals of the endpoint that were hit: name and how often.
    pub bounds_hit: Vec<(String, u64)>,
    /// The last warnings and errors, the newest first.
    pub problems: Vec<Problem>,
}

/// What runs through the gateway.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Traffic {
    /// Exchanges that have ended.
    pub exchanges: u64,
    /// Of them, those with an answer of class 5: the gateway or a homeserver could not.
    pub failed: u64,
    /// Exchanges that are not finished.
    pub in_flight: usize,
    /// Open observations.
    pub observations: usize,
}

/// A configured homeserver.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HomeserverStatus {
    /// Scheme, host and port.
    pub origin: String,
    /// Whether it is there; none before it was asked for the first time.
    pub is_there: Option<bool>,
    /// Since when it is there, or is not, in seconds.
    pub for_seconds: u64,
    /// The last status, or why there was none.
    pub outcome: String,
    /// Seconds since then.
    pub age_seconds: u64,
    /// How long the last call took, in milliseconds.
    pub latency_ms: Option<f64>,
    /// Calls in flight.
    pub in_flight: usize,
    /// Calls that wait.
    pub queued: usize,
}

/// Devices that were heard of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeviceStatus {
    /// How many addresses are remembered.
    pub known: usize,
    /// How many were forgotten for others.
    pub forgotten: u64,
    /// The last ones, the newest first.
    pub latest: Vec<Device>,
}
