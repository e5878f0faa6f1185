//! `GET /metrics`: the gateway's metrics for Prometheus. Every label has few values: the operator chooses rules, their
//! links and homeservers, and codes and outcomes come from fixed lists. `host/README.md` lists all metrics; a test
//! compares.

use std::time::SystemTime;

use super::endpoint_counters::endpoint_counters;
use super::exposition::{Exposition, Kind};
use super::outbox_metrics;
use super::process::Process;
use super::state::Admin;
use crate::rule_manager::RuleStatus;
use crate::telemetry::recorder::{LoopState, unix_ms};
use coap::Counters;
use homeserver::{BOUNDS, CallRecord, ConcurrencyLimit, OUTCOMES};

impl Admin {
    /// All metrics.
    pub(super) fn metrics(&self, state: &LoopState) -> String {
        let mut text = Exposition::default();
        self.process(&mut text);
        self.exchanges(&mut text, state);
        self.security_metrics(&mut text, state);
        self.upstream(&mut text);
        if let Some(deliveries) = &self.deliveries {
            outbox_metrics::write(&mut text, deliveries);
        }
        rules(&mut text, &self.rule_status.now());
        endpoint(&mut text, &state.counters);
        text.into_text()
    }

    fn process(&self, text: &mut Exposition) {
        use Kind::{Counter, Gauge};
        let process = Process::now();
        text.family(
            "comatrix_build_info",
            Gauge,
            "Version of the gateway; always 1.",
        )
        .sample(&[("version", env!("CARGO_PKG_VERSION"))], 1);
        // Computed from the present time: at boot the clock may not have been set.
        let started = unix_ms(SystemTime::now() - self.started.elapsed());
        let seconds = started as f64 / 1e3;
        let help = "Start time of the process, in seconds since 1970.";
        text.single("process_start_time_seconds", Gauge, help, seconds);
        let help = "CPU time of the process, user and system, in seconds.";
        text.single(
            "process_cpu_seconds_total",
            Counter,
            help,
            process.cpu_seconds,
        );
        let help = "Resident memory of the process, in bytes.";
        let resident = process.resident_bytes;
        text.single("process_resident_memory_bytes", Gauge, help, resident);
        let help = "Virtual memory of the process, in bytes.";
        let bytes = process.virtual_bytes;
        text.single("process_virtual_memory_bytes", Gauge, help, bytes);
        let help = "Threads of the process.";
        text.single("comatrix_threads", Gauge, help, process.threads);
        let help = "How many times its call_ms a call of a rule may take on this machine.";
        let factor = runtime::time_factor();
        text.single("comatrix_rule_time_factor", Gauge, help, factor);
        let (errors, warnings) = self.recent_warnings.counts();
        let help = "Errors and warnings logged, by level.";
        let mut family = text.family("comatrix_log_messages_total", Counter, help);
        family.sample(&[("level", "error")], errors);
        family.sample(&[("level", "warn")], warnings);
    }

    fn exchanges(&self, text: &mut Exposition, state: &LoopState) {
        use Kind::{Counter, Gauge};
        let help = "Requests completed, by resource, response code and rule.";
        let mut family = text.family("comatrix_requests_total", Counter, help);
        for one in self.recorder.exchanges() {
            let labels = [
                ("resource", one.resource.as_str()),
                ("code", &one.code),
                ("rule", &one.rule),
            ];
            family.sample(&labels, one.count);
        }
        let help = "Requests in progress.";
        text.single("comatrix_requests_in_flight", Gauge, help, state.in_flight);
        let help = "Memory of the bodies and states of requests in progress, in bytes.";
        let held = state.held_bytes;
        text.single("comatrix_request_bodies_bytes", Gauge, help, held);
        let help = "Requests rejected with 5.03: the memory for bodies and states was in use.";
        let refused = self.recorder.bodies_refused();
        text.single(
            "comatrix_request_bodies_refused_total",
            Counter,
            help,
            refused,
        );
        let help = "Observations in progress.";
        text.single("comatrix_observations", Gauge, help, state.observations);
        let help = "Memory of the notifications that wait or can be sent again, in bytes.";
        let queued = state.queued_bytes;
        text.single("comatrix_notifications_bytes", Gauge, help, queued);
        let help = "Accounts with a long poll at their homeserver.";
        text.single("comatrix_long_polls", Gauge, help, state.polls);
        let help = "Observe requests that got a single response because the limit of long polls was reached.";
        let refused = state.polls_refused;
        text.single("comatrix_long_polls_refused_total", Counter, help, refused);
        let help =
            "Messages that observers did not get: newer ones took their place. At least so many.";
        let passed_over = state.passed_over;
        text.single(
            "comatrix_notifications_passed_over_total",
            Counter,
            help,
            passed_over,
        );
        let help = "Datagrams that waited for those of others: their host was above its share of the thread's time.";
        text.single(
            "comatrix_datagrams_deferred_total",
            Counter,
            help,
            state.deferred,
        );
        let help = "Datagrams of such hosts that were lost: too many waited.";
        let lost = state.deferred_lost;
        text.single(
            "comatrix_deferred_datagrams_lost_total",
            Counter,
            help,
            lost,
        );
        let (recorded, evicted, _) = self.recorder.devices(0);
        let help = "Device addresses of which the gateway keeps statistics.";
        text.single("comatrix_devices", Gauge, help, recorded);
        let help = "Device addresses whose statistics were removed to make room for others.";
        text.single("comatrix_devices_evicted_total", Counter, help, evicted);
    }

    fn upstream(&self, text: &mut Exposition) {
        use Kind::{Counter, Gauge, Histogram};
        let probes = self.probes();
        let configured = probes.homeservers().iter();
        let configured = configured.map(|one| (one.shown(), one.slots(), one.record()));
        let others = probes.others();
        let others = others.map(|(slots, record)| ("other".to_owned(), slots, record));
        let all: Vec<(String, &ConcurrencyLimit, &CallRecord)> = configured.chain(others).collect();

        let help = "Duration of homeserver calls, without long polls, in seconds.";
        let name = "comatrix_homeserver_call_duration_seconds";
        let mut family = text.family(name, Histogram, help);
        for (origin, _, record) in &all {
            let durations = record.durations();
            let classes = BOUNDS.into_iter().zip(durations.within);
            let labels = [("homeserver", origin.as_str())];
            family.histogram(&labels, classes, durations.count, durations.seconds);
        }
        let help = "Homeserver calls, by outcome: the class of the HTTP status, or the reason why there was no \
            response.";
        let mut family = text.family("comatrix_homeserver_calls_total", Counter, help);
        for (origin, _, record) in &all {
            for (outcome, count) in OUTCOMES.into_iter().zip(record.outcomes()) {
                let labels = [("homeserver", origin.as_str()), ("outcome", outcome)];
                family.sample(&labels, count);
            }
        }
        let help = "Homeserver calls in progress.";
        let mut family = text.family("comatrix_homeserver_calls_in_flight", Gauge, help);
        for (origin, slots, _) in &all {
            family.sample(&[("homeserver", origin)], slots.used().0);
        }
        let help = "Homeserver calls that wait in the queue.";
        let mut family = text.family("comatrix_homeserver_calls_queued", Gauge, help);
        for (origin, slots, _) in &all {
            family.sample(&[("homeserver", origin)], slots.used().1);
        }
        let help = "1 if a configured homeserver responded to its last call, else 0. Absent before the first call.";
        let mut family = text.family("comatrix_homeserver_reachable", Gauge, help);
        for homeserver in probes.homeservers() {
            if let Some(presence) = homeserver.record().presence() {
                let value = u8::from(presence.is_there);
                family.sample(&[("homeserver", &homeserver.shown())], value);
            }
        }
    }
}

fn rules(text: &mut Exposition, rules: &[RuleStatus]) {
    use Kind::{Counter, Gauge};
    let help = "Revision that serves: SHA-256 of the component, number and signer; always 1.";
    let mut family = text.family("comatrix_rule_info", Gauge, help);
    for rule in rules {
        if let Some(revision) = &rule.revision {
            let number = rule.number.to_string();
            let labels = [
                ("rule", rule.name.as_str()),
                ("revision", revision),
                ("number", &number),
                ("signer", rule.signer.as_deref().unwrap_or("")),
            ];
            family.sample(&labels, 1);
        }
    }
    let help = "1 if a rule serves, 0 if it has no revision or is paused.";
    let mut family = text.family("comatrix_rule_serving", Gauge, help);
    for rule in rules {
        let serves = rule.revision.is_some() && rule.paused_seconds.is_none();
        family.sample(&[("rule", &rule.name)], u8::from(serves));
    }
    let help = "Calls of the revision that serves.";
    let mut family = text.family("comatrix_rule_calls_total", Counter, help);
    for rule in rules {
        if let Some(revision) = &rule.revision {
            let labels = [("rule", rule.name.as_str()), ("revision", revision)];
            family.sample(&labels, rule.calls);
        }
    }
    type Count = fn(&RuleStatus) -> u64;
    let counts: [(&str, Kind, &str, Count); 5] = [
        (
            "comatrix_rule_requests_in_flight",
            Gauge,
            "Requests of a rule that wait for a homeserver.",
            |rule| rule.in_flight as u64,
        ),
        (
            "comatrix_rule_failed_calls_total",
            Counter,
            "Calls of a rule that failed: they trapped, or exceeded a limit.",
            |rule| rule.traps,
        ),
        (
            "comatrix_rule_activations_total",
            Counter,
            "Revisions of a rule that were activated, the first one included.",
            |rule| rule.replaced,
        ),
        (
            "comatrix_rule_activation_failures_total",
            Counter,
            "Revisions of a rule that could not be activated.",
            |rule| rule.refused,
        ),
        (
            "comatrix_rule_rollbacks_total",
            Counter,
            "Rollbacks of a rule to its previous revision, automatic and by an operator.",
            |rule| rule.rolled_back,
        ),
    ];
    for (name, kind, help, count) in counts {
        let mut family = text.family(name, kind, help);
        for rule in rules {
            family.sample(&[("rule", &rule.name)], count(rule));
        }
    }
    let help = "How often a rule reached each of its limits.";
    let mut family = text.family("comatrix_rule_limits_hit_total", Counter, help);
    for rule in rules {
        for (limit, count) in &rule.limits_hit {
            family.sample(&[("rule", &rule.name), ("limit", limit)], count);
        }
    }
}

fn endpoint(text: &mut Exposition, counters: &Counters) {
    for counter in endpoint_counters(counters) {
        let name = format!("comatrix_coap_{}_total", counter.name);
        text.single(&name, Kind::Counter, counter.help, counter.count);
    }
}
