//! Another configuration: each observation is judged as a new request of its device would be. Those that are still
//! served continue; the others end at once, with the response that such a request gets.

use std::sync::Arc;
use std::time::Instant;

use super::long_poll::{LongPoll, PollId};
use super::notification::last;
use super::observations::Observations;
use super::poll_account::PollAccount;
use crate::request::{GatewayError, Snapshot};
use coap::{ObservationId, code};
use homeserver::Caller;
use runtime::MountTable;

/// Ends the observations that the configuration no longer serves. New limits apply to new observations.
pub(super) fn reconfigure(observations: &mut Observations, snapshot: &Snapshot, now: Instant) {
    observations.limits = snapshot.limits.observation;
    let bytes = observations.limits.bytes;
    observations.observer_bytes.set_bound(bytes);
    for id in observations.polls.find_all(|_| true) {
        judge_observers(observations, snapshot, id);
    }
    for id in observations.feeds.find_all(|_| true) {
        judge_feed(observations, snapshot, now, id);
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

/// Judges each observer of a poll: they share an account, but one of them may have lost the right to use it. The poll
/// continues in the name of one that has the right.
fn judge_observers(observations: &mut Observations, snapshot: &Snapshot, id: PollId) {
    let Some(poll) = observations.polls.get(id) else {
        return;
    };
    let former = poll.account().clone();
    let mut account = None;
    for id in observations.observers_of(id) {
        let Some(observer) = observations.observers.get(id) else {
            continue;
        };
        match judge(snapshot, &former, &observer.path(), observer.device()) {
            Ok(same) => account = account.or(Some(same)),
            Err(message) => observations.end(id, message),
        }
    }
    if let Some((poll, account)) = observations.polls.get_mut(id).zip(account) {
        poll.set_account(account);
    }
}

/// Judges a feed. If a rule is gone, its devices must not wait until the present poll ends.
fn judge_feed(
    observations: &mut Observations,
    snapshot: &Snapshot,
    now: Instant,
    id: ObservationId,
) {
    let Some(feed) = observations.feeds.get_mut(id) else {
        return;
    };
    match judge(snapshot, feed.account(), &feed.path(), feed.device()) {
        Ok(account) => feed.set_account(account),
        Err(message) => return observations.end(id, message),
    }
    let mut rules = snapshot.rules.rules().iter();
    if !rules.any(|rule| Arc::ptr_eq(&rule.revision, feed.revision())) && feed.is_idle() {
        feed.set_due();
        observations.feeds.set_due(id, Some(now));
    }
}

/// The observer's account, which must be the former one.
///
/// # Errors
/// The last notification.
fn judge(
    snapshot: &Snapshot,
    former: &PollAccount,
    path: &[&str],
    device: &Caller,
) -> Result<PollAccount, coap::Message> {
    if snapshot.find(path, code::GET).is_none() {
        return Err(GatewayError::NotFound.response());
    }
    let rights = &snapshot.rights;
    let granted = rights.check(&device.peer, code::GET, path);
    granted.map_err(|error| error.response())?;
    if let Some(requested) = &device.requested {
        let found = snapshot.upstreams.find(requested.origin());
        found.map_err(|reason| GatewayError::ProxyingNotSupported(reason).response())?;
    }
    match former.of(device, &snapshot.upstreams) {
        Ok(account) if account.account().is(former.account()) => Ok(account),
        Err(error) if error.reason == "no-credential" => Err(last(
            code::UNAUTHORIZED,
            "send an access token in option 256: the gateway's is not for you",
        )),
        Ok(_) | Err(_) => Err(last(
            code::SERVICE_UNAVAILABLE,
            "observe again: homeservers or access tokens have changed",
        )),
    }
}
