//! The outbox, as the page and the terminal show it.

use super::state::Admin;
use super::status::OutboxStatus;
use super::wording::{grouped, megabytes};

/// Bytes of a small record. Without room for one the outbox counts as full.
const SMALL: usize = 1024;

impl Admin {
    /// The outbox; none without one.
    pub(super) fn outbox(&self) -> Option<OutboxStatus> {
        let deliveries = self.deliveries.as_ref()?;
        let (totals, limits) = (deliveries.totals(), deliveries.limits());
        let counters = deliveries.counters();
        let failures = counters.failed().filter(|(_, count)| *count > 0);
        let mut status = OutboxStatus {
            warnings: Vec::new(),
            waiting: totals.waiting.0,
            most_waiting: limits.messages,
            bytes: totals.waiting.1,
            most_bytes: limits.bytes,
            oldest_seconds: totals.oldest.map(|age| age.as_secs()),
            in_flight: totals.in_flight,
            failed: totals.failed.0,
            accepted: counters.accepted.get(),
            sent: counters.sent.get(),
            failures: failures
                .map(|(reason, count)| (reason.to_owned(), count))
                .collect(),
        };
        status.warnings = warnings(&status, deliveries.disk_failure().as_deref());
        Some(status)
    }
}

/// What is wrong. It does not make the gateway unready: what needs no store goes on.
fn warnings(status: &OutboxStatus, disk_failure: Option<&str>) -> Vec<String> {
    let mut warnings = Vec::new();
    if status.waiting >= status.most_waiting || status.bytes + SMALL > status.most_bytes {
        warnings.push(format!(
            "the outbox is full ({} messages, {}): devices get 5.03 until some have left; raise [outbox] messages and \
             bytes, or remove some with `comatrix-gateway outbox drop`",
            grouped(status.waiting as u64),
            megabytes(status.bytes as u64)
        ));
    }
    if let Some(failure) = disk_failure {
        warnings.push(format!(
            "the outbox cannot be written, and no message is taken over until it can: {failure}"
        ));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_outbox_and_a_failing_disk_are_warnings_with_a_remedy() {
        let status = OutboxStatus {
            waiting: 10,
            most_waiting: 20,
            bytes: 10_000,
            most_bytes: 20_000,
            ..OutboxStatus::default()
        };
        assert!(warnings(&status, None).is_empty());
        for (waiting, bytes) in [(20, 10_000), (10, 19_500)] {
            let full = OutboxStatus {
                waiting,
                bytes,
                ..status.clone()
            };
            let warnings = warnings(&full, None);
            assert!(
                matches!(&warnings[..], [one] if one.contains("outbox drop")),
                "{warnings:?}"
            );
        }
        let failing = warnings(&status, Some("the disk is full; make room"));
        assert!(
            matches!(&failing[..], [one] if one.ends_with("make room")),
            "{failing:?}"
        );
    }
}
