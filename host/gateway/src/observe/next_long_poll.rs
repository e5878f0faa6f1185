//! The next call of a long poll that is due.

use std::time::{Duration, Instant};

use super::handover::hand_over;
use super::limits::{COMPUTE_PAUSE, RENDERED_PER_TURN};
use super::notification::last;
use super::observations::Observations;
use super::poll_call::{CallOf, PollCall};
use super::poll_result::{log_fault, not_allowed, on_rule_failure};
use crate::request::{MAX_HOLD, Snapshot};
use crate::telemetry::denied_call;
use coap::code;
use runtime::ObserverError;

/// The next call that is due.
pub(super) fn next_long_poll(
    observations: &mut Observations,
    snapshot: &Snapshot,
    now: Instant,
) -> Option<PollCall> {
    while let Some(id) = observations.polls.first_due(now) {
        if !hand_over(observations, snapshot, now, id, RENDERED_PER_TURN) {
            return None;
        }
        let Some(poll) = observations.polls.get_mut(id) else {
            continue;
        };
        let (rule, owner) = (poll.revision().state(), poll.account().device().owner);
        if let Some(left) = rule.paused(now) {
            poll.set_due(now + left);
            continue;
        }
        if !rule.budget.may_compute(now, owner) {
            poll.set_due(now + COMPUTE_PAUSE);
            continue;
        }
        let topics = poll.topics().names();
        let result = poll.revision().poll(poll.state(), &topics);
        rule.budget.charge(now, owner);
        let request = match result {
            Ok(request) => request,
            Err(ObserverError::Failed(failure)) => {
                on_rule_failure(observations, now, id, failure);
                continue;
            }
            Err(ObserverError::NotExported) => {
                let why = "the translation rule no longer observes";
                observations.end_poll(id, &last(code::NOT_FOUND, why));
                continue;
            }
            Err(fault @ (ObserverError::Trapped(_) | ObserverError::Contract(_))) => {
                log_fault(poll.revision(), now, &fault);
                poll.on_failure(now, None);
                continue;
            }
        };
        let call = match poll.revision().check_call(request) {
            Ok(call) => call,
            Err(denied) => {
                denied_call::log_denied(poll.revision(), &Err(denied.into()));
                observations.end_poll(id, &not_allowed());
                continue;
            }
        };
        let hold = Duration::from_millis(call.request.hold_ms().into()).min(MAX_HOLD);
        return Some(PollCall {
            of: CallOf::Poll(id),
            account: poll.account().clone(),
            call,
            topics,
            cancelled: poll.start_call(now),
            timeout: snapshot.deadline + hold,
        });
    }
    None
}
