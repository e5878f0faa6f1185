//! How a revision is judged: by its failed calls, and by whether another one has results where it has none.

use std::time::Instant;

use super::Revision;
use super::accounting::{Alarm, RuleAccounting};
use super::call_input::{CallEnd, CallInput, FailedCall};
use crate::limits::RuleLimits;
use contract::{Effect, Failure, Peer};
use share::Owner;

/// The class of a code that says that the gateway or a homeserver failed (RFC 7252 §5.9.3).
const SERVER_ERROR: u8 = 5;

impl Revision {
    /// Records the last call, which was made for a device, and how it ended. A revision that fails too often raises an
    /// alarm. The host of the device is charged for the time of the call.
    pub fn judge(
        &self,
        now: Instant,
        (peer, owner): (&Peer, Owner),
        input: &CallInput<'_>,
        end: CallEnd<'_>,
    ) {
        self.state.budget.charge(now, owner);
        if matches!(end, CallEnd::Result) {
            self.state.end_pause();
        }
        if let Some(failing) = self.health.record(now, peer, input, end) {
            self.state.alarm(Alarm {
                rule: self.state.name().clone(),
                revision: self.id,
                digest: self.digest,
                nothing_works: failing.nothing_works,
                failed: failing.calls,
                pending: None,
            });
        }
    }

    /// On how many of another revision's failed calls this one has a result, within its limits. A result is compared
    /// with nothing, and has no effect: neither on a homeserver, nor on counts, nor on the log.
    #[must_use]
    pub fn results(&self, failed: &[FailedCall]) -> usize {
        let limits = RuleLimits {
            log_lines_per_second: 0,
            ..*self.limits()
        };
        let accounting = RuleAccounting::new(self.name(), limits, None);
        let trial = self.beside(accounting, self.settings.clone());
        let has_result = |call: &&FailedCall| {
            let result = match call {
                FailedCall::Begin(context, request) => trial.begin(context, request),
                FailedCall::Resume(context, state, outcome) => {
                    trial.resume(context, state, outcome.as_ref())
                }
            };
            result.is_ok_and(|result| is_result(&result))
        };
        failed.iter().filter(has_result).count()
    }
}

fn is_result(result: &Result<Effect, Failure>) -> bool {
    match result {
        Ok(_) => true,
        Err(failure) => failure.code >> 5 < SERVER_ERROR,
    }
}
