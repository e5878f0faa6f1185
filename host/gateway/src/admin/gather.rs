//! Looks at everything, and makes one value of it.

use std::time::{Duration, Instant, SystemTime};

use super::Admin;
use super::metrics::endpoint_counters;
use super::process::Process;
use super::readiness::missing;
use super::status::{DeviceStatus, HomeserverStatus, Status, Traffic};
use crate::telemetry::recorder::{LoopState, unix_ms};
use coap::Counters;
use homeserver::{Homeserver, Presence};

/// Devices that are shown.
const DEVICES: usize = 20;

impl Admin {
    /// Everything, `serving` being what the loop has said.
    pub(super) fn status(&self, serving: &LoopState) -> Status {
        let rules = self.board.now();
        let counts = self.recorder.exchanges();
        let failed = counts.iter().filter(|count| count.code.starts_with('5'));
        let (known, forgotten, latest) = self.recorder.devices(DEVICES);
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            address: format!("coap://{}", self.address),
            unix_ms: unix_ms(SystemTime::now()),
            uptime_seconds: self.started.elapsed().as_secs(),
            missing: missing(&rules, &self.probes(), serving.draining),
            traffic: Traffic {
                exchanges: counts.iter().map(|count| count.count).sum(),
                failed: failed.map(|count| count.count).sum(),
                in_flight: serving.in_flight,
                observations: serving.observations,
            },
            process: Process::now(),
            homeservers: self.probes().homeservers().iter().map(homeserver).collect(),
            rules,
            recent: self.recorder.recent(),
            devices: DeviceStatus {
                known,
                forgotten,
                latest,
            },
            bounds_hit: bounds_hit(
                &serving.counters,
                serving.polls_refused,
                self.recorder.busy(),
            ),
            problems: self.problems.latest(),
        }
    }
}

fn homeserver(homeserver: &Homeserver) -> HomeserverStatus {
    let presence = homeserver.record().presence();
    let age = |at: Option<Instant>| at.map_or(0, |at| at.elapsed().as_secs());
    let (in_flight, queued) = homeserver.slots().used();
    let seen = presence.as_ref();
    let milliseconds = |latency: Duration| latency.as_secs_f64() * 1e3;
    HomeserverStatus {
        origin: homeserver.shown(),
        is_there: seen.map(|seen| seen.is_there),
        for_seconds: age(seen.map(|seen| seen.since)),
        age_seconds: age(seen.map(|seen| seen.at)),
        latency_ms: seen.and_then(|seen| seen.latency).map(milliseconds),
        outcome: presence.map_or_else(String::new, |Presence { outcome, .. }| outcome),
        in_flight,
        queued,
    }
}

/// What an operator may want to do something about: bounds that were hit, and what was refused before any rule.
fn bounds_hit(counters: &Counters, polls_refused: u64, busy: u64) -> Vec<(String, u64)> {
    let of_endpoint = endpoint_counters(counters)
        .into_iter()
        .filter(|counter| counter.is_refusal)
        .map(|counter| (counter.name, counter.count));
    let others = [
        ("polls_refused", polls_refused),
        ("request_bodies_refused", busy),
    ];
    of_endpoint
        .chain(others)
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| (name.replace('_', " "), count))
        .collect()
}
