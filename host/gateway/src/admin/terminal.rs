//! The status as text for a terminal.

use std::fmt::Write;

use super::status::{HomeserverStatus, OutboxStatus, Status};
use super::wording::{
    abilities, ago, before, clock, counted, grouped, megabytes, milliseconds, named, security, span,
};
use crate::rule_manager::command::shown;

/// Requests, devices and warnings that are shown: one screen in all.
const LINES: usize = 10;

/// A status for a terminal. Text from other systems has no control characters: the gateway escapes it when it receives
/// it.
pub(super) fn text(status: &Status) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write(&mut text, status);
    text
}

fn write(text: &mut String, status: &Status) -> std::fmt::Result {
    let Status {
        version,
        address,
        uptime_seconds,
        traffic,
        process,
        devices,
        ..
    } = status;
    let is_ready = status.not_ready.is_empty();
    let ready = if is_ready { "ready" } else { "NOT READY" };
    let up = span(*uptime_seconds);
    writeln!(
        text,
        "comatrix-gateway {version} at {address}, up {up}: {ready}"
    )?;
    for sentence in &status.not_ready {
        writeln!(text, "  {sentence}")?;
    }
    writeln!(
        text,
        "  {} requests, {} of them failed (5.xx), {} in progress; {} observations; {} devices; {}, {} threads",
        grouped(traffic.requests),
        grouped(traffic.failed),
        traffic.in_flight,
        traffic.observations,
        devices.recorded,
        megabytes(process.resident_bytes),
        process.threads,
    )?;
    heading(text, "Homeservers", false)?;
    for one in &status.homeservers {
        homeserver(text, one)?;
    }
    heading(text, "Rules", status.rules.is_empty())?;
    for rule in &status.rules {
        writeln!(text, "  {}", shown(rule).replace('\n', "\n  "))?;
    }
    outbox(text, status.outbox.as_ref())?;
    heading(text, "Last requests", status.recent_requests.is_empty())?;
    for one in status.recent_requests.iter().take(LINES) {
        let upstream = one.upstream.as_deref().unwrap_or("-");
        let rule = if one.rule.is_empty() { "-" } else { &one.rule };
        writeln!(
            text,
            "  {} {} {} {} rule={rule} upstream={upstream} {} {}",
            clock(one.unix_ms),
            named(one.peer.ip(), one.principal.as_deref()),
            one.method,
            one.resource,
            one.code,
            milliseconds(one.ms),
        )?;
    }
    heading(text, "Last devices", devices.latest.is_empty())?;
    if let Some(secured) = status.security.as_ref().filter(|one| one.enrolled > 0) {
        writeln!(text, "  {}", security(secured))?;
    }
    for device in devices.latest.iter().take(LINES) {
        let last = ago(status.unix_ms, device.unix_ms);
        let requests = counted(device.requests, "request");
        let address = named(device.address, device.name.as_deref());
        writeln!(
            text,
            "  {address}: {requests}, the last {} {last}; {}",
            device.code,
            abilities(device)
        )?;
    }
    if !status.limits_and_faults.is_empty() {
        heading(text, "Limits reached and messages rejected", false)?;
        for (name, count) in &status.limits_and_faults {
            writeln!(text, "  {name}: {}", grouped(*count))?;
        }
    }
    if !status.recent_warnings.is_empty() {
        heading(text, "Last warnings and errors", false)?;
        for warning in status.recent_warnings.iter().take(LINES) {
            let when = ago(status.unix_ms, warning.unix_ms);
            let (level, count) = (&warning.level, grouped(warning.count));
            writeln!(text, "  {level} ({when}, {count}×) {}", warning.message)?;
        }
    }
    Ok(())
}

fn heading(text: &mut String, name: &str, is_empty: bool) -> std::fmt::Result {
    writeln!(text, "\n{name}{}", if is_empty { ": none" } else { "" })
}

fn outbox(text: &mut String, outbox: Option<&OutboxStatus>) -> std::fmt::Result {
    let Some(outbox) = outbox else {
        return writeln!(
            text,
            "\nMessages that wait: none are kept, without a state folder that can be used (--state-dir)"
        );
    };
    heading(text, "Messages that wait", false)?;
    for warning in &outbox.warnings {
        writeln!(text, "  {warning}")?;
    }
    let oldest = outbox
        .oldest_seconds
        .map_or_else(String::new, |age| format!(", the oldest for {}", span(age)));
    writeln!(
        text,
        "  {} of {} wait ({} of {}){oldest}; {} in flight; {} failed",
        grouped(outbox.waiting as u64),
        grouped(outbox.most_waiting as u64),
        megabytes(outbox.bytes as u64),
        megabytes(outbox.most_bytes as u64),
        outbox.in_flight,
        grouped(outbox.failed as u64),
    )?;
    for (reason, count) in &outbox.failures {
        writeln!(
            text,
            "  failed since the start, {reason}: {}",
            grouped(*count)
        )?;
    }
    Ok(())
}

fn homeserver(text: &mut String, homeserver: &HomeserverStatus) -> std::fmt::Result {
    let reachable = match homeserver.reachable {
        Some(true) => "reachable",
        Some(false) => "NOT REACHABLE",
        None => "no call yet",
    };
    write!(text, "  {}: {reachable}", homeserver.origin)?;
    if homeserver.reachable.is_some() {
        let age = before(homeserver.age_seconds);
        let latency = homeserver.latency_ms;
        let latency = latency.map_or_else(String::new, |ms| format!(" in {}", milliseconds(ms)));
        let since = span(homeserver.unchanged_seconds);
        let outcome = &homeserver.outcome;
        write!(
            text,
            ", last {outcome}{latency} {age}, unchanged for {since}"
        )?;
    }
    let (calls, queued) = (
        counted(homeserver.in_flight as u64, "call"),
        homeserver.queued,
    );
    writeln!(text, "; {calls} in progress, {queued} in the queue")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule_manager::RuleStatus;
    use crate::telemetry::recorder::RecentExchange;

    #[test]
    fn the_first_lines_say_whether_the_gateway_is_ready_and_why_not() {
        let mut status = Status {
            version: "1.2.3".into(),
            address: "coap://[::]:5683".into(),
            uptime_seconds: 3700,
            ..Status::default()
        };
        let line = |status: &Status| text(status).lines().next().map(str::to_owned);
        let at = "comatrix-gateway 1.2.3 at coap://[::]:5683, up 1 h 1 min";
        assert_eq!(line(&status), Some(format!("{at}: ready")));
        status
            .not_ready
            .push("the homeserver is not reachable".into());
        assert_eq!(line(&status), Some(format!("{at}: NOT READY")));
        assert!(text(&status).contains("\n  the homeserver is not reachable\n"));
    }

    #[test]
    fn messages_that_wait_have_a_line_and_a_gateway_that_keeps_none_says_so() {
        let mut status = Status::default();
        assert!(text(&status).contains("\nMessages that wait: none are kept"));
        status.outbox = Some(OutboxStatus {
            warnings: vec!["the outbox is full".to_owned()],
            waiting: 3,
            most_waiting: 20_000,
            bytes: 1_200,
            most_bytes: 16_777_216,
            oldest_seconds: Some(200),
            failed: 1,
            failures: vec![("403".to_owned(), 1)],
            ..OutboxStatus::default()
        });
        let expected = "\nMessages that wait\n  the outbox is full\n  3 of 20,000 wait (0.0 MB of 16.8 MB), the oldest \
            for 3 min; 0 in flight; 1 failed\n  failed since the start, 403: 1\n";
        let text = text(&status);
        assert!(text.contains(expected), "{text}");
    }

    #[test]
    fn rules_and_requests_have_their_lines() {
        let mut status = Status::default();
        status.rules.push(RuleStatus {
            name: "senml".into(),
            mount: "/sensors".into(),
            ..RuleStatus::default()
        });
        status.recent_requests.push(RecentExchange {
            unix_ms: 1_763_769_603_999,
            principal: None,
            peer: "[fe80::1]:5683".parse().unwrap(),
            method: "PUT".into(),
            resource: "/send/*".into(),
            rule: "comatrix".into(),
            upstream: Some("200".into()),
            code: "2.04".into(),
            ms: 41.7,
        });
        let text = text(&status);
        assert!(
            text.contains("\nRules\n  senml at /sensors: out of service\n"),
            "{text}"
        );
        let request = "  00:00:03 fe80::1 PUT /send/* rule=comatrix upstream=200 2.04 42 ms\n";
        assert!(text.contains(request), "{text}");
    }
}
