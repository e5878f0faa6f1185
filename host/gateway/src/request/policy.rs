//! The log line of a call that a rule may not make.

use std::time::Instant;

use homeserver::Outcome;
use runtime::Revision;

/// Logs that a call was denied: by the rule's limits and needs, or by the homeserver client.
pub fn log_denied(revision: &Revision, outcome: &Outcome) {
    // Method and path are the rule's text: a password could stand in them.
    if matches!(outcome, Err(error) if error.reason == "denied")
        && revision.state().budget.admit_line(Instant::now())
    {
        tracing::warn!(
            "rule {}: a call was denied: it must be among the description's needs, with a method, headers and sizes that the contract allows; `comatrix-gateway rule run` shows it",
            revision.name(),
        );
    }
}
