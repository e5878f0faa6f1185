//! A swap: at a poll's next call the rule's new revision takes over, with the state of the former one. At most two
//! revisions live: the former one makes the messages of its queued changes before it goes.

use std::sync::Arc;
use std::time::Instant;

use super::limits::MAX_QUEUED;
use super::long_poll::PollId;
use super::notification::last;
use super::observations::Observations;
use super::observer::{Observer, Overflow};
use crate::request::Snapshot;
use coap::code;
use runtime::Revision;

/// Hands a poll to the revision that serves, if that is another one. Observations of links that it does not have end.
/// Returns false if more than `most` messages are to be made first: the rest follow at the next call.
pub(super) fn hand_over(
    observations: &mut Observations,
    snapshot: &Snapshot,
    now: Instant,
    id: PollId,
    most: usize,
) -> bool {
    let Some(poll) = observations.polls.get(id) else {
        return true;
    };
    let mut revisions = snapshot.rules.rules().iter().map(|rule| &rule.revision);
    let current = revisions.find(|revision| revision.name() == poll.revision().name());
    if current.is_some_and(|current| Arc::ptr_eq(current, poll.revision())) {
        return true;
    }
    let ids = poll.topics().observers();
    let mut left = most;
    for id in &ids {
        if let Some(observer) = observations.observers.get_mut(*id) {
            match observer.render(left, &observations.queued_bytes) {
                Ok(made) => left -= made,
                Err(Overflow) => {
                    left = left.saturating_sub(MAX_QUEUED);
                    observations.end_incomplete(*id);
                }
            }
        }
        if left == 0 {
            return false;
        }
    }
    for id in ids {
        let observer = observations.observers.get_mut(id);
        let relinked = current.zip(observer);
        if !relinked.is_some_and(|(current, observer)| relink(snapshot, current, observer)) {
            let why = "this resource is no longer observable";
            observations.end(id, last(code::NOT_FOUND, why));
        }
    }
    let (Some(current), Some(poll)) = (current, observations.polls.get_mut(id)) else {
        return true;
    };
    let can_continue = current.poll(poll.state(), &poll.topics().names()).is_ok();
    if can_continue {
        poll.set_revision(now, current.clone());
    }
    // A request that was in progress during the swap may have started another poll of the account.
    if !can_continue || observations.polls.has_twin(id) {
        let why = "the translation has changed; observe again";
        observations.end_poll(id, &last(code::SERVICE_UNAVAILABLE, why));
    }
    true
}

/// Sets the link of the new revision for the observer's path. Returns whether the revision has an observable one.
fn relink(snapshot: &Snapshot, current: &Arc<Revision>, observer: &mut Observer) -> bool {
    let Some((revision, found)) = snapshot.find(&observer.path(), code::GET) else {
        return false;
    };
    let link = found.link;
    let is_observable = revision.description().links[usize::from(link)].observable
        && Arc::ptr_eq(&revision, current);
    observer.relink(link, found.captures);
    is_observable && current.observes() && !current.feeds(link)
}
