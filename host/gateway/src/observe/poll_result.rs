//! The result of a long poll's call: its changes go into the queues of the observers.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Instant;

use super::long_poll::PollId;
use super::notification::last;
use super::observations::Observations;
use super::poll_call::PollResult;
use super::shared_change::{Changes, SharedChange};
use crate::request::reply;
use crate::telemetry::denied_call;
use coap::{self, code};
use contract::{Failure, Progress};
use runtime::{CallEnd, CallInput, ObserverError, Revision};

/// The result of a call of the poll `id`.
pub(super) fn on_poll_result(
    observations: &mut Observations,
    now: Instant,
    id: PollId,
    result: PollResult,
) {
    let (Some(poll), Some((topics, outcome))) = (observations.polls.get_mut(id), result) else {
        return;
    };
    poll.end_call();
    let revision = poll.revision().clone();
    denied_call::log_denied(&revision, &outcome);
    let response = match outcome {
        Ok(response) => response,
        Err(error) if error.reason == "denied" || error.reason == "no-credential" => {
            return observations.end_poll(id, &not_allowed());
        }
        Err(error) if error.reason == "too-large" => return on_unreadable(observations, now, id),
        Err(_) => {
            poll.on_failure(now, None);
            return;
        }
    };
    let is_success = (200..300).contains(&response.status);
    let joined = match is_success {
        true => poll.topics().observers_beyond(&topics),
        false => Vec::new(),
    };
    // Observers have joined since the request, and the response may lack events of their topics. The poll repeats the
    // request with these topics, but only a few times in a row: the other observers must get their notifications.
    if !joined.is_empty() && poll.may_discard() {
        return poll.set_due(now);
    }
    let read = revision.polled(poll.state(), &topics, &response);
    let input = CallInput::Polled(response.body.len());
    let trap = read.as_ref().err().and_then(ObserverError::trap);
    revision.judge(
        now,
        (&poll.account().device().peer, poll.account().device().owner),
        &input,
        CallEnd::of_trap(trap),
    );
    for observer in joined {
        observations.end_incomplete(observer);
    }
    match read {
        Ok(progress) => on_progress(observations, now, id, progress),
        Err(ObserverError::Failed(_)) if is_success => on_unreadable(observations, now, id),
        Err(ObserverError::Failed(failure)) => on_rule_failure(observations, now, id, failure),
        Err(ObserverError::NotExported) => {}
        Err(fault @ (ObserverError::Trapped(_) | ObserverError::Contract(_))) => {
            log_fault(&revision, now, &fault);
            on_unreadable(observations, now, id);
        }
    }
}

/// Logs a fault of the rule, at the rate of the rule's own log lines.
pub(super) fn log_fault(revision: &Revision, now: Instant, fault: &ObserverError) {
    if !revision.state().budget.admit_line(now) {
        return;
    }
    match fault {
        ObserverError::Contract(violation) => {
            let rule = revision.name();
            tracing::error!("rule {rule} broke its contract: {violation}");
        }
        other => tracing::error!("{other}"),
    }
}

/// The rule's own failure: temporary, or the end of the observations.
pub(super) fn on_rule_failure(
    observations: &mut Observations,
    now: Instant,
    id: PollId,
    failure: Failure,
) {
    let Some(poll) = observations.polls.get_mut(id) else {
        return;
    };
    let is_down = code::class(failure.code) == 5;
    if !is_down && failure.code != code::TOO_MANY_REQUESTS {
        let message = reply::failed(failure).unwrap_or_else(|error| error.response());
        return observations.end_poll(id, &message);
    }
    // A homeserver that is down can only guess when it is back; one that limits the rate of requests is exact.
    let requested = failure.max_age.filter(|_| !is_down);
    let pause = poll.on_failure(now, requested);
    let revision = poll.revision();
    if revision.state().budget.admit_line(now) {
        let (rule, code, seconds) = (revision.name(), code::Dotted(failure.code), pause.as_secs());
        tracing::warn!("rule {rule}: a poll failed with {code}; the next is in {seconds} s");
    }
}

/// The last notification of observations whose poll is not allowed.
pub(super) fn not_allowed() -> coap::Message {
    last(
        code::INTERNAL_SERVER_ERROR,
        "the rule may not poll; the gateway's log has the reason",
    )
}

/// The rule could not read the response. The poll makes the same request again, in case the reason is temporary; then
/// the observations end.
fn on_unreadable(observations: &mut Observations, now: Instant, id: PollId) {
    let Some(poll) = observations.polls.get_mut(id) else {
        return;
    };
    if poll.on_unreadable(now) {
        let rule = poll.revision().name();
        tracing::warn!(
            "rule {rule}: it cannot read the responses to a poll; the poll's observations end"
        );
        observations.end_poll_incomplete(id);
    }
}

/// The rule has read the response.
fn on_progress(observations: &mut Observations, now: Instant, id: PollId, progress: Progress) {
    let Some(poll) = observations.polls.get_mut(id) else {
        return;
    };
    let Progress {
        state,
        changes,
        lost,
    } = progress;
    let revision = poll.revision().clone();
    let account = &observations.queued_bytes;
    let shared = |change| Rc::new(SharedChange::new(&revision, change, account));
    let changes: Vec<_> = changes.into_iter().map(shared).collect();
    poll.advance(now, state, &changes, account);
    let none = |is_complete| Changes {
        found: Vec::new(),
        is_complete,
    };
    let mut by_topic: BTreeMap<&str, Changes> = BTreeMap::new();
    for topic in &lost {
        by_topic.insert(topic, none(false));
    }
    for change in &changes {
        let of_topic = by_topic.entry(change.topic()).or_insert_with(|| none(true));
        of_topic.found.push(change.clone());
    }
    let topics = poll.topics();
    let queues: Vec<_> = by_topic
        .into_iter()
        .map(|(topic, changes)| (topics.observers_of(topic), changes))
        .collect();
    for (observers, changes) in queues {
        for observer in observers {
            observations.queue(observer, &changes);
        }
    }
}
