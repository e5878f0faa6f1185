//! The log line of a denied call.

use std::time::Instant;

use homeserver::Outcome;
use runtime::Revision;

/// Logs that the rule's limits and needs, or the homeserver client, denied a call.
pub(crate) fn log_denied(revision: &Revision, outcome: &Outcome) {
    // Without method and path: the rule writes them, and they could hold a password.
    if matches!(outcome, Err(error) if error.reason == "denied")
        && revision.state().budget.admit_line(Instant::now())
    {
        tracing::warn!(
            "rule {}: a call was denied: it must be among the description's needs, with a method, headers and sizes \
             that the contract allows; `comatrix-gateway rule run` shows it",
            revision.name(),
        );
    }
}
