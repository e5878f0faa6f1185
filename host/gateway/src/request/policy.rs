//! Whether a rule may make a call: within its limits, and among what it said that it needs.

use std::time::Instant;

use contract::{CallError, HttpRequest};
use homeserver::Outcome;
use runtime::{Limit, Revision};

/// Checks a call before it is made.
///
/// # Errors
/// `denied`.
pub fn permit(revision: &Revision, request: &HttpRequest) -> Result<(), CallError> {
    let limits = revision.limits();
    let body = request.body.as_ref().map_or(0, Vec::len);
    let beyond = if body > limits.body {
        Some(Limit::Body)
    } else {
        (request.headers.len() > limits.headers).then_some(Limit::Headers)
    };
    if let Some(limit) = beyond {
        revision.state().budget.count(limit);
    }
    if beyond.is_none() && revision.needs(request) {
        return Ok(());
    }
    Err(CallError {
        reason: "denied".into(),
        sent: false,
    })
}

/// Says that a call was denied, here or by egress.
pub fn tell_denied(revision: &Revision, outcome: &Outcome) {
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
