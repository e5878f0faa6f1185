//! Homeservers that are not configured.

use std::sync::Arc;

use super::concurrency_limit::ConcurrencyLimit;
use super::limits::UpstreamLimits;
use super::record::CallRecord;

/// The homeservers that are not configured have one concurrency limit and one record together, since devices choose
/// their names.
#[derive(Clone)]
pub struct Others {
    pub(super) slots: ConcurrencyLimit,
    pub(super) record: Arc<CallRecord>,
}

impl Others {
    /// No calls yet.
    #[must_use]
    pub fn new(limits: UpstreamLimits) -> Self {
        Self {
            slots: ConcurrencyLimit::new(limits.in_flight, limits.queued),
            record: Arc::default(),
        }
    }
}
