//! Collects the gateway's state into one value.

use std::time::{Duration, Instant, SystemTime};

use super::endpoint_counters::endpoint_counters;
use super::process::Process;
use super::readiness;
use super::state::Admin;
use super::status::{DeviceStatus, HomeserverStatus, Status, Traffic};
use crate::telemetry::recorder::{LoopState, unix_ms};
use coap::Counters;
use homeserver::{Homeserver, Presence};

/// Devices that are shown.
const DEVICES: usize = 20;

impl Admin {
    /// All of it; `state` comes from the event loop.
    pub(super) fn status(&self, state: &LoopState) -> Status {
        let rules = self.rule_status.now();
        let counts = self.recorder.exchanges();
        let failed = counts.iter().filter(|count| count.code.starts_with('5'));
        let (recorded, evicted, latest) = self.recorder.devices(DEVICES);
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            address: format!("coap://{}", self.address),
            unix_ms: unix_ms(SystemTime::now()),
            uptime_seconds: self.started.elapsed().as_secs(),
            not_ready: readiness::obstacles(&rules, &self.probes(), state.draining),
            traffic: Traffic {
                requests: counts.iter().map(|count| count.count).sum(),
                failed: failed.map(|count| count.count).sum(),
                in_flight: state.in_flight,
                observations: state.observations,
            },
            process: Process::now(),
            homeservers: self.probes().homeservers().iter().map(homeserver).collect(),
            rules,
            recent_requests: self.recorder.recent(),
            devices: DeviceStatus {
                recorded,
                evicted,
                latest,
            },
            limits_and_faults: limits_and_faults(
                &state.counters,
                state.polls_refused,
                self.recorder.bodies_refused(),
            ),
            recent_warnings: self.recent_warnings.latest(),
        }
    }
}

fn homeserver(homeserver: &Homeserver) -> HomeserverStatus {
    let presence = homeserver.record().presence();
    let age = |at: Option<Instant>| at.map_or(0, |at| at.elapsed().as_secs());
    let (in_flight, queued) = homeserver.slots().used();
    let last = presence.as_ref();
    let milliseconds = |latency: Duration| latency.as_secs_f64() * 1e3;
    HomeserverStatus {
        origin: homeserver.shown(),
        reachable: last.map(|last| last.is_there),
        unchanged_seconds: age(last.map(|last| last.since)),
        age_seconds: age(last.map(|last| last.at)),
        latency_ms: last.and_then(|last| last.latency).map(milliseconds),
        outcome: presence.map_or_else(String::new, |Presence { outcome, .. }| outcome),
        in_flight,
        queued,
    }
}

/// Limits that were reached and messages that were rejected, as the metrics name them.
fn limits_and_faults(
    counters: &Counters,
    polls_refused: u64,
    bodies_refused: u64,
) -> Vec<(String, u64)> {
    let of_endpoint = endpoint_counters(counters)
        .into_iter()
        .filter(|counter| counter.is_fault)
        .map(|counter| (counter.name, counter.count));
    let others = [
        ("long_polls_refused", polls_refused),
        ("request_bodies_refused", bodies_refused),
    ];
    of_endpoint
        .chain(others)
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| (name.replace('_', " "), count))
        .collect()
}
