//! The next poll of a feed that is due.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::feed_result::{on_rule_failure, on_unreadable};
use super::limits::COMPUTE_PAUSE;
use super::notification::last;
use super::observations::Observations;
use super::poll_call::{CallOf, PollCall};
use super::poll_result::{log_fault, not_allowed};
use crate::request::{MAX_HOLD, Snapshot};
use crate::telemetry::denied_call;
use coap::{ObservationId, code};
use runtime::ObserverError;

/// The next call that is due.
pub(super) fn next_feed_poll(
    observations: &mut Observations,
    snapshot: &Snapshot,
    now: Instant,
) -> Option<PollCall> {
    while let Some(id) = observations.feeds.first_due(now) {
        if !take_over(observations, snapshot, id) {
            let why = "this resource is no longer observable";
            observations.end(id, last(code::NOT_FOUND, why));
            continue;
        }
        let unix = observations.clock.now();
        let Some(feed) = observations.feeds.get(id) else {
            continue;
        };
        let (revision, owner) = (feed.revision().clone(), feed.device().owner);
        let rule = revision.state();
        let is_busy = !rule.budget.may_compute(now, owner);
        let pause = rule.paused(now).or(is_busy.then_some(COMPUTE_PAUSE));
        if let Some(pause) = pause {
            observations.feeds.set_due(id, Some(now + pause));
            continue;
        }
        let result = revision.feed_poll(&feed.context(unix, false), feed.state());
        rule.budget.charge(now, owner);
        let request = match result {
            Ok(request) => request,
            Err(ObserverError::Failed(_)) if feed.is_taken_over() => {
                let why = "the translation has changed; observe again";
                observations.end(id, last(code::SERVICE_UNAVAILABLE, why));
                continue;
            }
            Err(ObserverError::Failed(failure)) => {
                on_rule_failure(observations, now, id, failure);
                continue;
            }
            Err(fault) => {
                log_fault(&revision, now, &fault);
                on_unreadable(observations, now, id);
                continue;
            }
        };
        let call = match revision.check_call(request) {
            Ok(call) => call,
            Err(denied) => {
                denied_call::log_denied(&revision, &Err(denied.into()));
                observations.end(id, not_allowed());
                continue;
            }
        };
        observations.feeds.set_due(id, None);
        let feed = observations.feeds.get_mut(id)?;
        let hold = Duration::from_millis(call.request.hold_ms().into()).min(MAX_HOLD);
        return Some(PollCall {
            of: CallOf::Feed(id),
            account: feed.account().clone(),
            call,
            topics: Vec::new(),
            cancelled: feed.start_call(now),
            timeout: snapshot.deadline + hold,
        });
    }
    None
}

/// Hands a feed to the revision that serves, if that is another one. Returns false if it has no such feed.
fn take_over(observations: &mut Observations, snapshot: &Snapshot, id: ObservationId) -> bool {
    let Some(feed) = observations.feeds.get_mut(id) else {
        return true;
    };
    let mut revisions = snapshot.rules.rules().iter().map(|rule| &rule.revision);
    let current = revisions.find(|revision| revision.name() == feed.revision().name());
    if current.is_some_and(|current| Arc::ptr_eq(current, feed.revision())) {
        return true;
    }
    let found = snapshot.find(&feed.path(), code::GET);
    let (Some(current), Some((revision, found))) = (current, found) else {
        return false;
    };
    if !Arc::ptr_eq(&revision, current) || !current.feeds(found.link) {
        return false;
    }
    feed.take_over(revision, found.link, found.captures);
    true
}
