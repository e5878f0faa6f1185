//! The error of a revision that cannot serve.

use contract::escaping::escaped;

/// Bytes of the reason: a path, and the grants of a rule to copy.
const MAX_REASON: usize = 2000;

/// A revision cannot serve.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct NotReplaced {
    /// The step that failed.
    pub step: &'static str,
    /// The reason and the remedy, in one line.
    pub reason: String,
}

impl NotReplaced {
    pub(super) fn at(step: &'static str, reason: impl ToString) -> Self {
        Self {
            step,
            reason: escaped(&reason.to_string(), MAX_REASON),
        }
    }
}
