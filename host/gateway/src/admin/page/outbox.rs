//! The part of the page about messages that wait for their homeserver.

use maud::{Markup, html};

use crate::admin::status::{OutboxStatus, Status};
use crate::admin::wording::{grouped, megabytes, span};

pub(super) fn outbox(status: &Status) -> Markup {
    html! {
        section id="outbox" data-live {
            h2 { "Messages that wait" }
            @match &status.outbox {
                Some(outbox) => (kept(outbox)),
                None => p.empty {
                    "This gateway keeps no messages for a homeserver that does not respond: it has no state folder "
                    "that it can use. Set " code { "--state-dir" } ", or look into its log."
                },
            }
        }
    }
}

fn kept(outbox: &OutboxStatus) -> Markup {
    let count = |count: usize| grouped(count as u64);
    let bytes = |bytes: usize| megabytes(bytes as u64);
    let waiting = format!(
        "{} of {}",
        count(outbox.waiting),
        count(outbox.most_waiting)
    );
    let size = format!("{} of {}", bytes(outbox.bytes), bytes(outbox.most_bytes));
    let oldest = outbox.oldest_seconds.map_or_else(|| "–".to_owned(), span);
    let rows = [
        ("waiting", waiting),
        ("their size", size),
        ("the oldest has waited for", oldest),
        ("in flight", count(outbox.in_flight)),
        ("failed and kept", count(outbox.failed)),
        ("taken over since the start", grouped(outbox.accepted)),
        ("sent since the start", grouped(outbox.sent)),
    ];
    html! {
        @for warning in &outbox.warnings { p.facts.alert { (warning) } }
        table {
            tbody {
                @for (name, value) in &rows {
                    tr {
                        td { (name) }
                        td.right { (value) }
                    }
                }
                @for (reason, count) in &outbox.failures {
                    tr {
                        td { "failed since the start: " (reason) }
                        td.right { (grouped(*count)) }
                    }
                }
            }
        }
        @if outbox.waiting > 0 || outbox.failed > 0 {
            p.facts { code { "comatrix-gateway outbox list" } " shows them" }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_size_age_and_failures_have_their_rows_and_no_outbox_is_said() {
        let mut status = Status::default();
        let none = outbox(&status).into_string();
        assert!(none.contains("keeps no messages") && none.contains("--state-dir"));
        status.outbox = Some(OutboxStatus {
            warnings: vec!["the outbox is full".to_owned()],
            waiting: 1_234,
            most_waiting: 20_000,
            bytes: 500_000,
            most_bytes: 16_777_216,
            oldest_seconds: Some(90_000),
            in_flight: 16,
            failed: 2,
            failures: vec![("403".to_owned(), 2)],
            ..OutboxStatus::default()
        });
        let page = outbox(&status).into_string();
        for part in [
            "the outbox is full",
            "1,234 of 20,000",
            "0.5 MB of 16.8 MB",
            "1 d 1 h",
            "failed since the start: 403",
            "outbox list",
        ] {
            assert!(page.contains(part), "{part:?} is not in {page}");
        }
    }
}
