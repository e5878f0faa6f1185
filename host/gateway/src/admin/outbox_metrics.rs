//! The metrics of the outbox; none without one. Labels come from fixed lists.

use super::exposition::{Exposition, Kind};
use crate::outbox::Deliveries;

/// All of them.
pub(super) fn write(text: &mut Exposition, deliveries: &Deliveries) {
    use Kind::{Counter, Gauge};
    let totals = deliveries.totals();
    let counters = deliveries.counters();
    let (messages, bytes) = totals.waiting;
    let help = "Messages that wait for their homeserver.";
    text.single("comatrix_outbox_messages", Gauge, help, messages);
    let help = "Their records, in bytes.";
    text.single("comatrix_outbox_bytes", Gauge, help, bytes);
    let help = "How long the oldest of them has waited, in seconds; 0 if none waits.";
    let oldest = totals.oldest.map_or(0, |age| age.as_secs());
    text.single("comatrix_outbox_oldest_age_seconds", Gauge, help, oldest);
    let help = "Attempts in progress of messages that wait.";
    let in_flight = totals.in_flight;
    text.single("comatrix_outbox_in_flight", Gauge, help, in_flight);
    let help = "Failed messages that are kept for the operator.";
    let failed = totals.failed.0;
    text.single("comatrix_outbox_failed_messages", Gauge, help, failed);
    for (name, help, count) in [
        (
            "comatrix_outbox_accepted_total",
            "Messages that the gateway has taken over.",
            counters.accepted.get(),
        ),
        (
            "comatrix_outbox_duplicates_total",
            "Repetitions of messages that had been taken over: they got the same response.",
            counters.duplicates.get(),
        ),
        (
            "comatrix_outbox_refused_total",
            "Messages not taken over because the outbox, or the share of their device, was full.",
            counters.refused.get(),
        ),
        (
            "comatrix_outbox_sent_total",
            "Messages that were sent after they had waited.",
            counters.sent.get(),
        ),
        (
            "comatrix_outbox_attempts_total",
            "Attempts to send messages that had been taken over.",
            counters.attempts.get(),
        ),
        (
            "comatrix_outbox_searches_total",
            "Searches of a room for a message whose earlier attempt had an unknown outcome.",
            counters.searches.get(),
        ),
        (
            "comatrix_outbox_searches_found_total",
            "Searches that found the message: it was not sent again.",
            counters.found.get(),
        ),
        (
            "comatrix_outbox_disk_errors_total",
            "Changes that the disk of the state folder did not take.",
            deliveries.disk_errors(),
        ),
    ] {
        text.single(name, Counter, help, count);
    }
    let help = "Messages that failed, by reason: the HTTP status, or what happened to them here.";
    let mut family = text.family("comatrix_outbox_failed_total", Counter, help);
    for (reason, count) in counters.failed() {
        family.sample(&[("reason", reason)], count);
    }
    let help = "Attempts that will be repeated, by reason.";
    let name = "comatrix_outbox_attempts_without_result_total";
    let mut family = text.family(name, Counter, help);
    for (reason, count) in counters.without_result() {
        family.sample(&[("reason", reason)], count);
    }
}
