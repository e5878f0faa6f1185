//! The parts of the page, from top to bottom. A part that can change has an id and `data-live`.

use maud::{Markup, html};

use super::chart;

use crate::admin::status::{HomeserverStatus, Status};
use crate::admin::wording::{
    abilities, ago, before, clock, counted, grouped, megabytes, milliseconds, named, security, span,
};

/// Why the gateway is not ready; empty if it is ready.
pub(super) fn not_ready(status: &Status) -> Markup {
    html! {
        section id="not-ready" data-live {
            @if !status.not_ready.is_empty() {
                h2 { "Not ready" }
                ul {
                    @for sentence in &status.not_ready { li.wrap { (sentence) } }
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
            (number(grouped(traffic.requests), "requests"))
            (number(grouped(traffic.failed), "failed (5.xx)"))
            (number(grouped(traffic.in_flight as u64), "in progress"))
            (number(grouped(traffic.observations as u64), "observations"))
            (number(grouped(status.devices.recorded as u64), "devices"))
            (number(megabytes(status.process.resident_bytes), "memory"))
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
                @match homeserver.reachable {
                    Some(true) => span.pill.good { "reachable" },
                    Some(false) => span.pill.bad { "not reachable" },
                    None => span.pill.warn { "no call yet" },
                }
            }
            @if homeserver.reachable.is_some() {
                p.facts {
                    "last response: " (homeserver.outcome)
                    @if let Some(latency) = homeserver.latency_ms { " in " (milliseconds(latency)) }
                    ", " (before(homeserver.age_seconds)) "; unchanged for " (span(homeserver.unchanged_seconds))
                }
            }
            p.facts {
                (counted(homeserver.in_flight as u64, "call")) " in progress, "
                (homeserver.queued) " in the queue"
            }
        }
    }
}

/// Success, an error of the device, or one of the gateway or a homeserver.
fn class(code: &str) -> &'static str {
    match code.as_bytes().first() {
        Some(b'2') => "code good",
        Some(b'4') => "code warn",
        _ => "code bad",
    }
}

pub(super) fn requests(status: &Status) -> Markup {
    html! {
        section id="requests" data-live {
            h2 { "Last requests" }
            @if status.recent_requests.is_empty() {
                p.empty { "No device has sent a request yet." }
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
                                th scope="col" { "response" }
                                th.right scope="col" { "duration" }
                            }
                        }
                        tbody {
                            @for one in &status.recent_requests {
                                tr {
                                    td.time.fixed.soft { (clock(one.unix_ms)) }
                                    td.device { (named(one.peer.ip(), one.principal.as_deref())) }
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
                                    td.response.fixed { span class=(class(&one.code)) { (one.code) } }
                                    td.duration.right.soft { (milliseconds(one.ms)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn severity(level: &str) -> &'static str {
    match level {
        "ERROR" => "code bad",
        _ => "code warn",
    }
}

pub(super) fn warnings(status: &Status) -> Markup {
    html! {
        section id="warnings" data-live {
            h2 { "Last warnings and errors" }
            @if status.recent_warnings.is_empty() {
                p.empty { "None since the gateway started." }
            } @else {
                div.long {
                    table {
                        tbody {
                            @for warning in &status.recent_warnings {
                                tr {
                                    td.fixed {
                                        span class=(severity(&warning.level)) { (warning.level) }
                                    }
                                    td {
                                        (warning.message)
                                        " " span.soft.small {
                                            (ago(status.unix_ms, warning.unix_ms))
                                            @if warning.count > 1 { ", " (grouped(warning.count)) " times" }
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
            h2 { "Last devices" }
            @if let Some(secured) = status.security.as_ref().filter(|one| one.enrolled > 0) {
                p.facts { (security(secured)) }
            }
            @if devices.latest.is_empty() {
                p.empty { "None yet." }
            } @else {
                table {
                    thead {
                        tr {
                            th scope="col" { "address" }
                            th scope="col" { "response" }
                            th scope="col" { "what it can do" }
                            th.right scope="col" { "requests" }
                            th.right scope="col" { "last request" }
                        }
                    }
                    tbody {
                        @for device in &devices.latest {
                            tr {
                                td { (named(device.address, device.name.as_deref())) }
                                td.fixed { span class=(class(&device.code)) { (device.code) } }
                                td { (abilities(device)) }
                                td.right { (grouped(device.requests)) }
                                td.right.soft { (ago(status.unix_ms, device.unix_ms)) }
                            }
                        }
                    }
                }
                @if devices.recorded > devices.latest.len() || devices.evicted > 0 {
                    p.facts {
                        "of " (grouped(devices.recorded as u64)) " with statistics"
                        @if devices.evicted > 0 { "; " (grouped(devices.evicted)) " removed to make room for others" }
                    }
                }
            }
        }
    }
}

pub(super) fn limits_and_faults(status: &Status) -> Markup {
    html! {
        section id="limits-and-faults" data-live {
            h2 { "Limits reached and messages rejected, by kind" }
            @if status.limits_and_faults.is_empty() {
                p.empty { "None since the gateway started." }
            } @else {
                @let most = status.limits_and_faults.iter().map(|(_, count)| *count).max().unwrap_or(1);
                table {
                    tbody {
                        @for (name, count) in &status.limits_and_faults {
                            tr {
                                td { (name) (chart::bar(*count, most)) }
                                td.right { (grouped(*count)) }
                            }
                        }
                    }
                }
            }
        }
    }
}
