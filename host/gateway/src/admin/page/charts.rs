//! The charts of the last hour.

use maud::{Markup, html};

use super::chart::{Values, chart, top};
use crate::admin::status::Status;
use crate::admin::wording::{grouped, megabytes, milliseconds};
use crate::telemetry::recorder::Point;

/// Seconds after which the minute in progress has a rate that says something.
const RATED: f64 = 5.0;
/// The upper edge of a chart without values: a request or refusal, a millisecond, a megabyte.
const LEAST: f64 = 1.0;

pub(super) fn charts(status: &Status) -> Markup {
    let values = |of: fn(&Point) -> Option<f64>| -> Values {
        let before = |point: &Point| status.unix_ms.saturating_sub(point.unix_ms);
        let points = status.history.iter();
        points.map(|point| (before(point), of(point))).collect()
    };
    let rates = values(|point| Some(point.requests as f64 / point.seconds.max(RATED)));
    let (p50, p99) = (values(|point| point.p50_ms), values(|point| point.p99_ms));
    let memory = values(|point| Some(point.resident_bytes as f64 / 1e6));
    let refused = values(|point| Some(point.refused as f64));
    let waiting = values(|point| Some(point.waiting as f64));
    let rate = |value: f64| format!("{value:.1}");
    let count = |value: f64| grouped(value as u64);
    let bytes = |megabyte: f64| megabytes((megabyte * 1e6) as u64);
    html! {
        section id="charts" data-live {
            h2 { "The last hour" }
            div.charts {
                (figure("requests per second", &[("line", "", &rates)], rate))
                (figure("duration", &[("line", "p50", &p50), ("line second", "p99", &p99)], milliseconds))
                (figure("memory", &[("line", "", &memory)], bytes))
                (figure("refusals per minute", &[("line third", "", &refused)], count))
                @if status.outbox.is_some() {
                    (figure("messages waiting", &[("line second", "", &waiting)], count))
                }
            }
        }
    }
}

/// A chart with its name, the last value of each line, and the value of its upper edge.
fn figure(name: &str, lines: &[(&str, &str, &Values)], shown: impl Fn(f64) -> String) -> Markup {
    let all: Vec<&Values> = lines.iter().map(|(_, _, values)| *values).collect();
    let top = top(&all, LEAST);
    let last = |values: &Values| values.iter().rev().find_map(|(_, value)| *value);
    let last = |values: &Values| last(values).map_or_else(|| "–".to_owned(), &shown);
    let now: Vec<String> = lines
        .iter()
        .map(|(_, part, values)| format!("{part} {}", last(values)).trim().to_owned())
        .collect();
    let label = format!(
        "{name} in the last hour: now {}, at most {}",
        now.join(", "),
        shown(top)
    );
    let drawn: Vec<(&str, &Values)> = lines
        .iter()
        .map(|(class, _, values)| (*class, *values))
        .collect();
    html! {
        div.chart {
            div.chart-head {
                span.soft { (name) }
                @for ((class, _, _), value) in lines.iter().zip(&now) {
                    b class=(class) { (value) }
                }
            }
            div.edge.soft { (shown(top)) }
            (chart(&label, &drawn, top))
            div.edge.soft { span { "60 min ago" } span { "now" } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::status::OutboxStatus;

    fn status(points: usize) -> Status {
        let point = |minute: usize| Point {
            unix_ms: 60_000 * minute as u64,
            seconds: 60.0,
            requests: 60 * minute as u64,
            p50_ms: Some(1.0),
            p99_ms: Some(17.0),
            resident_bytes: 15_700_000,
            refused: 1200,
            waiting: 300 + minute as u64,
        };
        Status {
            outbox: Some(OutboxStatus::default()),
            unix_ms: 60_000 * points as u64,
            history: (1..=points).map(point).collect(),
            ..Status::default()
        }
    }

    #[test]
    fn each_chart_has_a_name_its_last_values_and_an_edge() {
        let page = charts(&status(61)).into_string();
        assert_eq!(page.matches("<svg role=\"img\"").count(), 5);
        for part in [
            "requests per second in the last hour: now 61.0, at most 100.0",
            "duration in the last hour: now p50 1.0 ms, p99 17 ms, at most 20 ms",
            "memory in the last hour: now 15.7 MB, at most 20.0 MB",
            "refusals per minute in the last hour: now 1,200, at most 2,000",
            "messages waiting in the last hour: now 361, at most 500",
        ] {
            assert!(page.contains(part), "{part:?} is not in {page}");
        }
    }

    #[test]
    fn a_gateway_that_keeps_no_messages_has_no_chart_of_them() {
        let status = Status {
            outbox: None,
            ..status(2)
        };
        let page = charts(&status).into_string();
        assert_eq!(page.matches("<svg role=\"img\"").count(), 4);
        assert!(!page.contains("messages waiting"), "{page}");
    }

    #[test]
    fn a_gateway_that_has_just_started_has_charts() {
        let page = charts(&status(0)).into_string();
        assert_eq!(page.matches("<svg role=\"img\"").count(), 5);
        let page = charts(&status(1)).into_string();
        assert!(page.contains("M300.0"), "{page}");
    }
}
