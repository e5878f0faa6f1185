//! Limits: defaults, and the ranges of the settings.

use std::time::Duration;

use super::error::ConfigError;
use super::file::{LimitsTable, RuleLimitsTable};
use crate::limits::DataPathLimits;
use contract::escaping::escaped;
use homeserver::UpstreamLimits;
use runtime::{Engine, HOMESERVER_CALLS, MAX_IN_FLIGHT_BYTES, RuleLimits};

/// All limits of the gateway. Each type documents the reasons for its defaults.
pub struct Limits {
    /// Limits of the data path: CoAP endpoint, observations and shutdown.
    pub serve: DataPathLimits,
    /// Limits of rules, unless a rule has its own.
    pub rule: RuleLimits,
    /// Limits of homeserver calls.
    pub upstream: UpstreamLimits,
    /// Time for all steps of a request. Devices wait 45 to 93 s (RFC 7252 §4.8.2), people do not.
    pub exchange: Duration,
}

impl Limits {
    /// Defaults, changed by the settings of the file.
    ///
    /// # Errors
    /// [`ConfigError`] for a value out of its range.
    pub(super) fn from_table(table: &LimitsTable) -> Result<Self, ConfigError> {
        let mut rule = RuleLimits::default();
        let mut upstream = UpstreamLimits {
            in_flight: HOMESERVER_CALLS,
            queued: 1024,
            response: 1 << 20,
            responses: MAX_IN_FLIGHT_BYTES,
        };
        let mut exchange_seconds = 10;
        let DataPathLimits {
            mut coap,
            mut observation,
            drain,
        } = DataPathLimits::default();
        if cfg!(feature = "router") {
            // A thousand devices may cost a router 20 MB. 4 MiB of retained responses hold four minutes of 48 messages
            // per second, or one response for each of 5,400 devices.
            coap.retained_response_bytes = 4 << 20;
        }
        let mut drain_seconds = drain.as_secs();
        let mut call_ms = 20;
        let mut refresh_seconds = observation.refresh.as_secs();

        set(
            "request_body",
            table.request_body,
            1024..=1 << 20,
            &mut coap.request_body,
        )?;
        set(
            "exchanges",
            table.exchanges,
            1..=1 << 20,
            &mut coap.exchanges,
        )?;
        set(
            "exchanges_per_peer",
            table.exchanges_per_peer,
            1..=1 << 16,
            &mut coap.exchanges_per_peer,
        )?;
        set(
            "observations",
            table.observations,
            0..=1 << 20,
            &mut coap.observations,
        )?;
        set(
            "observations_per_peer",
            table.observations_per_peer,
            0..=1 << 16,
            &mut coap.observations_per_peer,
        )?;
        set("polls", table.polls, 0..=1 << 14, &mut observation.polls)?;
        set(
            "observation_refresh_seconds",
            table.observation_refresh_seconds,
            10..=24 * 3600,
            &mut refresh_seconds,
        )?;
        set(
            "datagrams_per_second_per_peer",
            table.datagrams_per_second_per_peer,
            0..=1_000_000,
            &mut coap.datagrams_per_second_per_peer,
        )?;
        set(
            "unproven_bytes",
            table.unproven_bytes,
            136..=65_535,
            &mut coap.unproven_bytes,
        )?;
        set(
            "homeserver_answer",
            table.homeserver_answer,
            1024..=1 << 20,
            &mut upstream.response,
        )?;
        set(
            "calls_per_homeserver",
            table.calls_per_homeserver,
            1..=1 << 16,
            &mut upstream.in_flight,
        )?;
        set(
            "calls_queued_per_homeserver",
            table.calls_queued_per_homeserver,
            0..=1 << 16,
            &mut upstream.queued,
        )?;
        set("rule_state", table.rule_state, 0..=1 << 20, &mut rule.state)?;
        set("rule_steps", table.rule_steps, 1..=100, &mut rule.steps)?;
        set("rule_call_ms", table.rule_call_ms, 1..=10_000, &mut call_ms)?;
        set(
            "rule_memory",
            table.rule_memory,
            1 << 16..=Engine::MAX_MEMORY,
            &mut rule.memory,
        )?;
        set(
            "exchange_seconds",
            table.exchange_seconds,
            1..=120,
            &mut exchange_seconds,
        )?;
        set(
            "drain_seconds",
            table.drain_seconds,
            0..=300,
            &mut drain_seconds,
        )?;

        rule.in_flight = RuleLimits::share_of_calls(upstream.in_flight);
        rule.call_time = Duration::from_millis(call_ms);
        observation.refresh = Duration::from_secs(refresh_seconds);
        coap.non_confirmable_notifications = table.non_confirmable_notifications;
        Ok(Self {
            serve: DataPathLimits {
                coap,
                observation,
                drain: Duration::from_secs(drain_seconds),
            },
            rule,
            upstream,
            exchange: Duration::from_secs(exchange_seconds),
        })
    }
}

/// The limits of one rule: `default`, changed by its own table.
///
/// # Errors
/// [`ConfigError`] for a value out of its range.
pub(super) fn of_rule(
    rule: &str,
    table: &RuleLimitsTable,
    default: RuleLimits,
) -> Result<RuleLimits, ConfigError> {
    let mut limits = default;
    let mut call_ms = u64::try_from(default.call_time.as_millis()).unwrap_or(u64::MAX);
    let RuleLimits {
        cpu_percent,
        memory,
        memories,
        state,
        body,
        headers,
        steps,
        in_flight,
        in_flight_bytes,
        per_second,
        log_lines_per_second,
        ..
    } = &mut limits;
    set("call_ms", table.call_ms, 1..=10_000, &mut call_ms)
        .and_then(|()| set("cpu_percent", table.cpu_percent, 1..=100, cpu_percent))
        .and_then(|()| set("memory", table.memory, 1 << 16..=Engine::MAX_MEMORY, memory))
        .and_then(|()| {
            set(
                "memories",
                table.memories,
                1..=Engine::MAX_MEMORIES,
                memories,
            )
        })
        .and_then(|()| set("state", table.state, 0..=1 << 20, state))
        // As much as the endpoint sends.
        .and_then(|()| set("body", table.body, 0..=1 << 20, body))
        .and_then(|()| set("headers", table.headers, 0..=16, headers))
        .and_then(|()| set("steps", table.steps, 1..=100, steps))
        .and_then(|()| set("in_flight", table.in_flight, 1..=1 << 16, in_flight))
        .and_then(|()| {
            set(
                "in_flight_bytes",
                table.in_flight_bytes,
                1 << 16..=MAX_IN_FLIGHT_BYTES,
                in_flight_bytes,
            )
        })
        .and_then(|()| set("per_second", table.per_second, 1..=1_000_000, per_second))
        .and_then(|()| {
            set(
                "log_lines_per_second",
                table.log_lines_per_second,
                0..=1000,
                log_lines_per_second,
            )
        })
        .map_err(|error| ConfigError(format!("rule {}: {error}", escaped(rule, 64))))?;
    limits.call_time = Duration::from_millis(call_ms);
    Ok(limits)
}

fn set<T: Copy + PartialOrd + std::fmt::Display>(
    name: &str,
    value: Option<T>,
    range: std::ops::RangeInclusive<T>,
    place: &mut T,
) -> Result<(), ConfigError> {
    set_in("limits", name, value, range, place)
}

/// Replaces a default by the value of a table, if it has one.
///
/// # Errors
/// [`ConfigError`] for a value out of its range.
pub(super) fn set_in<T: Copy + PartialOrd + std::fmt::Display>(
    table: &str,
    name: &str,
    value: Option<T>,
    range: std::ops::RangeInclusive<T>,
    place: &mut T,
) -> Result<(), ConfigError> {
    let Some(value) = value else { return Ok(()) };
    if !range.contains(&value) {
        let (least, most) = range.into_inner();
        return Err(
            format!("[{table}] {name} = {value} is out of range; use {least} to {most}").into(),
        );
    }
    *place = value;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The calls at one homeserver, and a rule's share of them.
    fn calls(table: &LimitsTable) -> (usize, usize) {
        let limits = Limits::from_table(table).unwrap_or_else(|error| panic!("{error}"));
        let rule = of_rule("a", &RuleLimitsTable::default(), limits.rule);
        let rule = rule.unwrap_or_else(|error| panic!("{error}"));
        (limits.upstream.in_flight, rule.in_flight)
    }

    #[test]
    fn a_rule_may_have_half_of_the_calls_that_the_build_has() {
        let expected = match cfg!(feature = "router") {
            true => (64, 32),
            false => (512, 256),
        };
        assert_eq!(calls(&LimitsTable::default()), expected);
        assert_eq!(RuleLimits::default().in_flight, expected.1);
    }

    #[test]
    fn a_rules_share_follows_the_operators_number_of_calls() {
        for (set, share) in [(1, 1), (2, 1), (100, 50)] {
            let table = LimitsTable {
                calls_per_homeserver: Some(set),
                ..LimitsTable::default()
            };
            assert_eq!(calls(&table), (set, share));
        }
    }
}
