//! The parts of the page, from top to bottom. A part that can change has an id and `data-live`.

use maud::{Markup, html};

use crate::admin::forms::Forms;
use crate::admin::status::{HomeserverStatus, Status};
use crate::admin::wording::{
    ago, before, clock, counted, grouped, megabytes, milliseconds, short, span,
};
use crate::rule_manager::RuleStatus;

/// Why the gateway is not ready; empty where it is.
pub(super) fn missing(status: &Status) -> Markup {
    html! {
        section id="missing" data-live {
            @if !status.missing.is_empty() {
                h2 { "Not ready" }
                ul {
                    @for sentence in &status.missing { li.wrap { (sentence) } }
                }
            }
        }
    }
}

pub(super) fn numbers(status: &Status) -> Markup {
    let traffic = &status.traffic;
    let number = |value: String, name: &str| {
        html! { div.number { b { (value) } span { (name) } } }
    };
    html! {
        section id="numbers" data-live {
            (number(grouped(traffic.exchanges), "exchanges"))
            (number(grouped(traffic.failed), "failed (5.xx)"))
            (number(grouped(traffic.in_flight as u64), "in flight"))
            (number(grouped(traffic.observations as u64), "observations"))
            (number(grouped(status.devices.known as u64), "devices seen"))
            (number(megabytes(status.process.resident_bytes), "memory"))
        }
    }
}

pub(super) fn rules(status: &Status, forms: &Forms) -> Markup {
    html! {
        section id="rules" data-live {
            h2 { "Rules" }
            @for one in &status.rules { (rule(one, forms)) }
        }
    }
}

fn rule(rule: &RuleStatus, forms: &Forms) -> Markup {
    html! {
        div.item {
            div.head {
                h3.wrap { (rule.name) }
                code.soft.wrap { (rule.mount) }
                @match (&rule.revision, rule.paused_seconds) {
                    (None, _) => span.pill.bad { "out of service" },
                    (Some(_), Some(seconds)) => span.pill.warn { "pauses for " (seconds) " s" },
                    (Some(_), None) => span.pill.good { "serves" },
                }
            }
            @if let Some(revision) = &rule.revision {
                p.facts {
                    "revision " code title=(revision) { (short(revision)) }
                    @if rule.number > 0 { " (number " (rule.number) ")" }
                    " from " (rule.source) ", "
                    @match &rule.signer {
                        Some(signer) => { "signed by " (signer) },
                        None => "not signed",
                    }
                    ", for " (span(rule.age_seconds))
                }
                p.facts {
                    (counted(rule.calls, "call")) ", " (counted(rule.traps, "trap")) ", "
                    (rule.in_flight) " waiting for a homeserver"
                    @if rule.rolled_back > 0 { ", rolled back " (rule.rolled_back) "×" }
                }
            }
            @if !rule.limits_hit.is_empty() {
                p.facts {
                    "limits hit: "
                    @for (index, (limit, count)) in rule.limits_hit.iter().enumerate() {
                        @if index > 0 { ", " }
                        code { (limit) } " " (grouped(*count)) "×"
                    }
                }
            }
            @if let Some(failure) = &rule.failure {
                p.facts.alert { "last failure: " (failure) }
            }
            (roll_back(rule, forms))
        }
    }
}

/// Two steps, since one of them is a slip of a finger.
fn roll_back(rule: &RuleStatus, forms: &Forms) -> Markup {
    let previous = rule.previous.as_deref().unwrap_or_default();
    html! {
        @if let Some(token) = forms.token(rule) {
            details {
                summary { "Roll back…" }
                form method="post" action="/rollback" {
                    input type="hidden" name="rule" value=(rule.name);
                    input type="hidden" name="token" value=(token);
                    button type="submit" { "Roll back to " (short(previous)) }
                    span.soft { "Exchanges that run end on the revision that began them." }
                }
            }
        }
    }
}

pub(super) fn homeservers(status: &Status) -> Markup {
    html! {
        section id="homeservers" data-live {
            h2 { "Homeservers" }
            @for one in &status.homeservers { (homeserver(one)) }
        }
    }
}

fn homeserver(homeserver: &HomeserverStatus) -> Markup {
    html! {
        div.item {
            div.head {
                h3.wrap { (homeserver.origin) }
                @match homeserver.is_there {
                    Some(true) => span.pill.good { "answers" },
                    Some(false) => span.pill.bad { "does not answer" },
                    None => span.pill.warn { "not asked yet" },
                }
            }
            @if homeserver.is_there.is_some() {
                p.facts {
                    "last answer: " (homeserver.outcome)
                    @if let Some(latency) = homeserver.latency_ms { " in " (milliseconds(latency)) }
                    ", " (before(homeserver.age_seconds)) "; like this for " (span(homeserver.for_seconds))
                }
            }
            p.facts { (counted(homeserver.in_flight as u64, "call")) " in flight, " (homeserver.queued) " waiting" }
        }
    }
}

/// Good, the device's mistake, or the gateway's or a homeserver's.
fn class(code: &str) -> &'static str {
    match code.as_bytes().first() {
        Some(b'2') => "code good",
        Some(b'4') => "code warn",
        _ => "code bad",
    }
}

pub(super) fn exchanges(status: &Status) -> Markup {
    html! {
        section id="exchanges" data-live {
            h2 { "Last exchanges" }
            @if status.recent.is_empty() {
                p.empty { "No device has asked for anything yet." }
            } @else {
                div.long {
                    table {
                        thead {
                            tr {
                                th scope="col" { "time" }
                                th scope="col" { "device" }
                                th scope="col" { "request" }
                                th.wide scope="col" { "rule" }
                                th.wide scope="col" { "homeserver" }
                                th scope="col" { "answer" }
                                th.right scope="col" { "took" }
                            }
                        }
                        tbody {
                            @for one in &status.recent {
                                tr {
                                    td.time.fixed.soft { (clock(one.unix_ms)) }
                                    td.device { (one.peer.ip()) }
                                    td.request {
                                        b { (one.method) } " "
                                        @if one.resource == "unknown" {
                                            span.soft { "no such resource" }
                                        } @else {
                                            (one.resource)
                                        }
                                    }
                                    td.wide.soft { (one.rule) }
                                    td.wide.soft { (one.upstream.as_deref().unwrap_or("")) }
                                    td.answer.fixed { span class=(class(&one.code)) { (one.code) } }
                                    td.took.right.soft { (milliseconds(one.ms)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

pub(super) fn problems(status: &Status) -> Markup {
    html! {
        section id="problems" data-live {
            h2 { "Last warnings and errors" }
            @if status.problems.is_empty() {
                p.empty { "None since the gateway has started." }
            } @else {
                div.long {
                    table {
                        tbody {
                            @for problem in &status.problems {
                                tr {
                                    td.fixed {
                                        span class=(if problem.level == "ERROR" { "code bad" } else { "code warn" }) { (problem.level) }
                                    }
                                    td {
                                        (problem.message)
                                        " " span.soft.small {
                                            (ago(status.unix_ms, problem.unix_ms))
                                            @if problem.count > 1 { ", " (grouped(problem.count)) " times" }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

pub(super) fn devices(status: &Status) -> Markup {
    let devices = &status.devices;
    html! {
        section id="devices" data-live {
            h2 { "Devices heard of last" }
            @if devices.latest.is_empty() {
                p.empty { "None yet." }
            } @else {
                table {
                    thead {
                        tr {
                            th scope="col" { "address" }
                            th scope="col" { "answer" }
                            th.right scope="col" { "exchanges" }
                            th.right scope="col" { "heard" }
                        }
                    }
                    tbody {
                        @for device in &devices.latest {
                            tr {
                                td { (device.address) }
                                td.fixed { span class=(class(&device.code)) { (device.code) } }
                                td.right { (grouped(device.exchanges)) }
                                td.right.soft { (ago(status.unix_ms, device.unix_ms)) }
                            }
                        }
                    }
                }
                @if devices.known > devices.latest.len() || devices.forgotten > 0 {
                    p.facts {
                        "of " (grouped(devices.known as u64)) " that are remembered"
                        @if devices.forgotten > 0 { "; " (grouped(devices.forgotten)) " were forgotten for others" }
                    }
                }
            }
        }
    }
}

pub(super) fn bounds(status: &Status) -> Markup {
    html! {
        section id="bounds" data-live {
            h2 { "Bounds hit and messages refused" }
            @if status.bounds_hit.is_empty() {
                p.empty { "None since the gateway has started." }
            } @else {
                table {
                    tbody {
                        @for (name, count) in &status.bounds_hit {
                            tr { td { (name) } td.right { (grouped(*count)) } }
                        }
                    }
                }
            }
        }
    }
}
