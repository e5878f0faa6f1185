//! Another configuration: observations whose homeserver, account and rule are still there continue. The others end at
//! once, so that their devices register again.

use std::sync::Arc;
use std::time::Instant;

use super::long_poll::LongPoll;
use super::notification::last;
use super::observations::Observations;
use crate::request::Snapshot;
use coap::code;
use runtime::MountTable;

/// Ends the observations that the configuration no longer serves. New limits apply to new observations.
pub(super) fn reconfigure(observations: &mut Observations, snapshot: &Snapshot, now: Instant) {
    observations.limits = snapshot.limits.observation;
    let is_lost = |poll: &LongPoll| !poll.account().is_served_by(&snapshot.upstreams);
    for id in observations.polls.find_all(is_lost) {
        let why = "the gateway's homeservers or access tokens have changed; observe again";
        observations.end_poll(id, &last(code::SERVICE_UNAVAILABLE, why));
    }
    // The new revision of a rule takes over at the next call. If a rule is gone or has another mount, its devices must
    // not wait until then.
    let is_replaced = |poll: &LongPoll| !serves(&snapshot.rules, poll);
    for id in observations.polls.find_all(is_replaced) {
        if let Some(poll) = observations.polls.get_mut(id) {
            poll.set_due(now);
        }
    }
}

fn serves(table: &MountTable, poll: &LongPoll) -> bool {
    let mut rules = table.rules().iter();
    rules.any(|rule| Arc::ptr_eq(&rule.revision, poll.revision()))
}
