//! The state of the event loop, as the status page and the metrics show it.

use crate::dispatcher::Dispatcher;
use crate::telemetry::recorder::LoopState;

impl Dispatcher<'_> {
    /// For the status page and the metrics.
    pub(crate) fn state(&self, with_holders: bool) -> LoopState {
        let (observations, polls) = self.observations.size();
        LoopState {
            counters: self.endpoint.counters().clone(),
            holders: match with_holders {
                true => self.endpoint.largest_holders(),
                false => Vec::new(),
            },
            in_flight: self.endpoint.in_flight(),
            held_bytes: self.gateway.held_bytes.in_all(),
            queued_bytes: self.observations.queued_bytes(),
            observations,
            polls,
            polls_refused: self.observations.refused_polls(),
            passed_over: self.observations.passed_over(),
            deferred: self.deferred.deferred,
            deferred_lost: self.deferred.lost,
            draining: self.draining,
            security: self.security_state(),
        }
    }
}
