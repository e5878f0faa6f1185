//! `GET /metrics`: the gateway's counts for Prometheus. Every label has few values: rules, their links and homeservers are the
//! operator's, codes and outcomes are of fixed lists.

use std::time::SystemTime;

use super::Admin;
use super::exposition::{Exposition, Kind};
use super::process::Process;
use crate::rule_manager::RuleStatus;
use crate::telemetry::recorder::{LoopState, unix_ms};
use coap::Counters;
use homeserver::{BOUNDS, CallRecord, ConcurrencyLimit, OUTCOMES};

/// One of the endpoint's counters.
pub(super) struct EndpointCounter {
    /// As in [`Counters`].
    pub(super) name: &'static str,
    /// What it counts.
    help: &'static str,
    /// Whether it counts bounds that were hit, or what was refused before any rule.
    pub(super) is_refusal: bool,
    pub(super) count: u64,
}

/// All of them. A new one must have a line here, or this does not compile.
pub(super) fn endpoint_counters(counters: &Counters) -> Vec<EndpointCounter> {
    macro_rules! each {
        ($($name:ident $is_refusal:literal $help:literal,)*) => {{
            let Counters { $($name,)* } = counters;
            vec![$(EndpointCounter {
                name: stringify!($name),
                help: $help,
                is_refusal: $is_refusal,
                count: *$name,
            },)*]
        }};
    }
    each! {
        datagrams false "Datagrams received.",
        malformed true "Datagrams that are no CoAP message.",
        unexpected false "Responses nobody waits for, stray acknowledgements and resets.",
        pings false "Pings answered.",
        duplicates false "Requests received before and not processed again.",
        requests false "Requests that reached the gateway's resources.",
        piggybacked false "Responses in an acknowledgement.",
        separate false "Responses in a confirmable message of their own.",
        non_confirmable false "Responses in a non-confirmable message.",
        retransmissions false "Confirmable messages sent again.",
        observations false "Observations begun.",
        observations_refused true "Requests for an observation answered once, for want of room.",
        observations_displaced true "Observations of unproven addresses that made room for others.",
        notifications false "Notifications sent, retransmissions aside.",
        given_up true "Responses and notifications that the device never acknowledged.",
        reset_by_peer false "Responses and notifications that the device answered with a reset.",
        bad_options true "Requests with a critical option that is not understood.",
        overloaded true "Requests answered 5.03 because too many are in flight.",
        too_large true "Requests answered 4.13.",
        incomplete true "Requests answered 4.08: blocks are missing.",
        bodies_refused true "Block-wise bodies not begun or not kept for want of room.",
        bodies_dropped true "Block-wise bodies dropped for others or because they were idle.",
        retained_responses_evicted true "Retained answers dropped before their time.",
        message_ids_exhausted true "Responses not sent because no message ID was free.",
        bad_responses true "Responses replaced by 5.00.",
        rate_limited true "Datagrams above the rate of their device.",
        resets_withheld true "Malformed messages that got no reset, since there were too many.",
        peers_forgotten true "Devices whose rate or proof was forgotten for others.",
        silenced false "Responses that the device did not want, or that a group does not get.",
        challenges false "Requests answered 4.01 with Echo.",
        proofs false "Devices that proved their address.",
        retransmissions_withheld false "Retransmissions not sent to addresses that are not proven.",
        multicasts false "Datagrams that came to a group.",
        multicast_responses_dropped true "Answers to a group not sent, since too many wait.",
    }
}

impl Admin {
    /// All metrics.
    pub(super) fn metrics(&self, serving: &LoopState) -> String {
        let mut text = Exposition::default();
        self.process(&mut text);
        self.exchanges(&mut text, serving);
        self.upstream(&mut text);
        rules(&mut text, &self.board.now());
        endpoint(&mut text, &serving.counters);
        text.into_text()
    }

    fn process(&self, text: &mut Exposition) {
        use Kind::{Counter, Gauge};
        let process = Process::now();
        text.family(
            "comatrix_build_info",
            Gauge,
            "Which gateway this is; always 1.",
        )
        .sample(&[("version", env!("CARGO_PKG_VERSION"))], 1);
        // From the clock of now: at boot it may not have been set.
        let started = unix_ms(SystemTime::now() - self.started.elapsed());
        let seconds = started as f64 / 1e3;
        let help = "Start of the process, in seconds since 1970.";
        text.single("process_start_time_seconds", Gauge, help, seconds);
        let help = "CPU time, user and system.";
        text.single(
            "process_cpu_seconds_total",
            Counter,
            help,
            process.cpu_seconds,
        );
        let help = "Memory that is in RAM.";
        let resident = process.resident_bytes;
        text.single("process_resident_memory_bytes", Gauge, help, resident);
        let help = "Address space.";
        let bytes = process.virtual_bytes;
        text.single("process_virtual_memory_bytes", Gauge, help, bytes);
        let help = "Threads of the process.";
        text.single("comatrix_threads", Gauge, help, process.threads);
        let (errors, warnings) = self.problems.counts();
        let help = "Errors and warnings in the log.";
        let mut family = text.family("comatrix_log_problems_total", Counter, help);
        family.sample(&[("level", "error")], errors);
        family.sample(&[("level", "warn")], warnings);
    }

    fn exchanges(&self, text: &mut Exposition, serving: &LoopState) {
        use Kind::{Counter, Gauge};
        let help = "Exchanges that have ended.";
        let mut family = text.family("comatrix_exchanges_total", Counter, help);
        for one in self.recorder.exchanges() {
            let labels = [
                ("resource", one.resource.as_str()),
                ("code", &one.code),
                ("rule", &one.rule),
            ];
            family.sample(&labels, one.count);
        }
        let help = "Exchanges that are not finished.";
        text.single(
            "comatrix_exchanges_in_flight",
            Gauge,
            help,
            serving.in_flight,
        );
        let help = "Request bodies of exchanges in flight.";
        text.single("comatrix_request_bodies_bytes", Gauge, help, serving.bodies);
        let help = "Requests answered 5.03 because the bodies in flight are at their bound.";
        let busy = self.recorder.busy();
        text.single("comatrix_request_bodies_refused_total", Counter, help, busy);
        let help = "Open observations.";
        text.single("comatrix_observations", Gauge, help, serving.observations);
        let help = "Accounts that a homeserver is asked for on behalf of observers.";
        text.single("comatrix_polls", Gauge, help, serving.polls);
        let help = "Observations not begun because the polls are at their bound.";
        let refused = serving.polls_refused;
        text.single("comatrix_polls_refused_total", Counter, help, refused);
        let (known, forgotten, _) = self.recorder.devices(0);
        let help = "Devices that are remembered, by address.";
        text.single("comatrix_devices", Gauge, help, known);
        let help = "Devices that were forgotten for others.";
        text.single("comatrix_devices_forgotten_total", Counter, help, forgotten);
    }

    fn upstream(&self, text: &mut Exposition) {
        use Kind::{Counter, Gauge, Histogram};
        let probes = self.probes();
        let configured = probes.homeservers().iter();
        let configured = configured.map(|one| (one.shown(), one.slots(), one.record()));
        let others = probes.others();
        let others = others.map(|(slots, record)| ("other".to_owned(), slots, record));
        let all: Vec<(String, &ConcurrencyLimit, &CallRecord)> = configured.chain(others).collect();

        let help = "How long calls took, long polls aside.";
        let name = "comatrix_upstream_call_duration_seconds";
        let mut family = text.family(name, Histogram, help);
        for (origin, _, record) in &all {
            let durations = record.durations();
            let classes = BOUNDS.into_iter().zip(durations.within);
            let labels = [("homeserver", origin.as_str())];
            family.histogram(&labels, classes, durations.count, durations.seconds);
        }
        let help = "Calls by what they led to: the class of a status, or why there was none.";
        let mut family = text.family("comatrix_upstream_calls_total", Counter, help);
        for (origin, _, record) in &all {
            for (outcome, count) in OUTCOMES.into_iter().zip(record.outcomes()) {
                let labels = [("homeserver", origin.as_str()), ("outcome", outcome)];
                family.sample(&labels, count);
            }
        }
        let help = "Calls in flight.";
        let mut family = text.family("comatrix_upstream_calls_in_flight", Gauge, help);
        for (origin, slots, _) in &all {
            family.sample(&[("homeserver", origin)], slots.used().0);
        }
        let help = "Calls that wait for their turn.";
        let mut family = text.family("comatrix_upstream_calls_queued", Gauge, help);
        for (origin, slots, _) in &all {
            family.sample(&[("homeserver", origin)], slots.used().1);
        }
        let help = "Whether a configured homeserver answers, once it was asked.";
        let mut family = text.family("comatrix_upstream_reachable", Gauge, help);
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
    let help =
        "Which revision serves as a rule: SHA-256 of its component, and its number; always 1.";
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
    let help = "Whether a rule serves: it has a revision, and does not pause.";
    let mut family = text.family("comatrix_rule_serving", Gauge, help);
    for rule in rules {
        let serves = rule.revision.is_some() && rule.paused_seconds.is_none();
        family.sample(&[("rule", &rule.name)], u8::from(serves));
    }
    let help = "Calls of the component that serves.";
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
            "comatrix_rule_exchanges_in_flight",
            Gauge,
            "Exchanges of a rule that wait for a homeserver.",
            |rule| rule.in_flight as u64,
        ),
        (
            "comatrix_rule_traps_total",
            Counter,
            "Calls of a rule that gave no result.",
            |rule| rule.traps,
        ),
        (
            "comatrix_rule_replacements_total",
            Counter,
            "Revisions of a rule that were activated, the first one included.",
            |rule| rule.replaced,
        ),
        (
            "comatrix_rule_refusals_total",
            Counter,
            "Revisions of a rule that could not be activated.",
            |rule| rule.refused,
        ),
        (
            "comatrix_rule_rollbacks_total",
            Counter,
            "How often the revision before came back, by itself or by an operator.",
            |rule| rule.rolled_back,
        ),
    ];
    for (name, kind, help, count) in counts {
        let mut family = text.family(name, kind, help);
        for rule in rules {
            family.sample(&[("rule", &rule.name)], count(rule));
        }
    }
    let help = "How often a rule has hit each of its limits, those that it has.";
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
