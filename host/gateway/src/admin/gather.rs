//! Collects the gateway's state into one value.

use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use tokio::time::{MissedTickBehavior, interval_at};

use super::endpoint_counters::endpoint_counters;
use super::process::Process;
use super::readiness;
use super::state::Admin;
use super::status::{DeviceStatus, HomeserverStatus, HostShare, Status, Traffic};
use crate::outbox::Deliveries;
use crate::rule_manager::RuleStatus;
use crate::telemetry::recorder::{LoopState, Sample, unix_ms};
use coap::Holder;
use contract::peer::canonical;
use homeserver::{Homeserver, Presence};
use transport::UdpPeer;

/// Devices that are shown.
const DEVICES: usize = 20;
/// The time between two points of the charts.
const MINUTE: Duration = Duration::from_secs(60);

impl Admin {
    /// All of it; `state` comes from the event loop.
    pub(super) fn status(&self, state: &LoopState) -> Status {
        let rules = self.rule_status.now();
        let counts = self.recorder.exchanges();
        let failed = counts.iter().filter(|count| count.code.starts_with('5'));
        let (recorded, evicted, latest) = self.recorder.devices(DEVICES);
        let process = Process::now();
        let limits_and_faults = self.limits_and_faults(state, &rules);
        let now = (Instant::now(), SystemTime::now());
        let history = self.recorder.history.borrow();
        let outbox = self.outbox();
        let waiting = outbox.as_ref().map_or(0, |outbox| outbox.waiting);
        let history = history.points(now, sample(&process, &limits_and_faults, waiting));
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
            process,
            homeservers: self.probes().homeservers().iter().map(homeserver).collect(),
            rules,
            outbox,
            recent_requests: self.recorder.recent(),
            devices: DeviceStatus {
                recorded,
                evicted,
                latest,
            },
            security: self.security(state),
            limits_and_faults,
            history,
            shares: state.holders.iter().map(share).collect(),
            recent_warnings: self.recent_warnings.latest(),
        }
    }
}

impl Admin {
    /// Limits that were reached and messages that were rejected, as the metrics name them.
    fn limits_and_faults(&self, state: &LoopState, rules: &[RuleStatus]) -> Vec<(String, u64)> {
        let of_endpoint = endpoint_counters(&state.counters)
            .into_iter()
            .filter(|counter| counter.is_fault)
            .map(|counter| (counter.name, counter.count));
        let of_outbox = |count: fn(&Deliveries) -> u64| self.deliveries.as_ref().map_or(0, count);
        let others = [
            ("long_polls_refused", state.polls_refused),
            ("notifications_passed_over", state.passed_over),
            ("datagrams_deferred", state.deferred),
            ("deferred_datagrams_lost", state.deferred_lost),
            ("request_bodies_refused", self.recorder.bodies_refused()),
            (
                "outbox_refused",
                of_outbox(|it| it.counters().refused.get()),
            ),
            ("outbox_disk_errors", of_outbox(Deliveries::disk_errors)),
        ];
        let of_gateway = of_endpoint
            .chain(others)
            .filter(|(_, count)| *count > 0)
            .map(|(name, count)| (name.replace('_', " "), count));
        let of_rule = |rule: &RuleStatus| {
            let hits = rule.limits_hit.iter();
            let named =
                |(limit, count): &(String, u64)| (format!("{limit} of rule {}", rule.name), *count);
            hits.map(named).collect::<Vec<_>>()
        };
        of_gateway.chain(rules.iter().flat_map(of_rule)).collect()
    }

    /// Ends a minute of the charts after each minute, for as long as the gateway runs.
    pub(super) async fn keep_history(self: Rc<Self>) {
        let mut minutes = interval_at(tokio::time::Instant::now() + MINUTE, MINUTE);
        minutes.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            minutes.tick().await;
            // Of a loop that is stuck there is nothing to show.
            if let Some(state) = self.recorder.loop_probe.query().await {
                let refused = self.limits_and_faults(&state, &self.rule_status.now());
                let waiting = self.outbox().map_or(0, |outbox| outbox.waiting);
                let sample = sample(&Process::now(), &refused, waiting);
                let now = (Instant::now(), SystemTime::now());
                self.recorder.history.borrow_mut().end_minute(now, sample);
            }
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

fn share(holder: &Holder<UdpPeer>) -> HostShare {
    HostShare {
        host: canonical(holder.peer.remote).ip().to_string(),
        bytes: holder.bytes as u64,
        observations: holder.observations as u64,
        exchanges: holder.exchanges as u64,
    }
}

/// The present values of the charts.
fn sample(process: &Process, limits_and_faults: &[(String, u64)], waiting: usize) -> Sample {
    Sample {
        waiting: waiting as u64,
        resident_bytes: process.resident_bytes,
        refused: limits_and_faults.iter().map(|(_, count)| count).sum(),
    }
}
