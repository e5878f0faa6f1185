//! The response to a feed's poll, and the acknowledgement of the message that it led to.

use std::time::{Duration, Instant};

use super::notification::{Notification, last, rule_failed, set_max_age};
use super::observations::Observations;
use super::poll_result::{log_fault, not_allowed};
use crate::request::reply::{failed, to_coap};
use crate::telemetry::denied_call;
use coap::{ObservationId, code};
use contract::{Failure, FeedProgress, Outcome};
use runtime::{CallEnd, CallInput, ObserverError};

/// The result of a call of the feed `id`.
pub(super) fn on_feed_result(
    observations: &mut Observations,
    now: Instant,
    id: ObservationId,
    outcome: Outcome,
) {
    let unix = observations.clock.now();
    let Some(feed) = observations.feeds.get(id) else {
        return;
    };
    let revision = feed.revision().clone();
    denied_call::log_denied(&revision, &outcome);
    let response = match outcome {
        Ok(response) => response,
        Err(error) if error.reason == "denied" || error.reason == "no-credential" => {
            return observations.end(id, not_allowed());
        }
        Err(error) if error.reason == "too-large" => return on_unreadable(observations, now, id),
        Err(_) => return on_failure(observations, now, id, None),
    };
    let is_success = (200..300).contains(&response.status);
    let context = feed.context(unix, feed.needs_refresh(now));
    let read = revision.feed_polled(&context, feed.state(), &response);
    let input = CallInput::Polled(response.body.len());
    let trap = read.as_ref().err().and_then(ObserverError::trap);
    let device = (&feed.device().peer, feed.device().owner);
    revision.judge(now, device, &input, CallEnd::of_trap(trap));
    match read {
        Ok(progress) => on_progress(observations, now, id, progress),
        Err(ObserverError::Failed(failure)) if is_success && code::class(failure.code) == 5 => {
            on_unreadable(observations, now, id);
        }
        Err(ObserverError::Failed(failure)) => on_rule_failure(observations, now, id, failure),
        Err(fault) => {
            log_fault(&revision, now, &fault);
            on_unreadable(observations, now, id);
        }
    }
}

fn on_progress(
    observations: &mut Observations,
    now: Instant,
    id: ObservationId,
    progress: FeedProgress,
) {
    let refresh = observations.limits.refresh;
    let Some(feed) = observations.feeds.get_mut(id) else {
        return;
    };
    let FeedProgress { state, message } = progress;
    let Some(message) = message else {
        if feed.needs_refresh(now) {
            let why = "observe again: nothing has changed for long";
            return observations.end(id, last(code::SERVICE_UNAVAILABLE, why));
        }
        feed.advance(state);
        let at = feed.next_call(now);
        return observations.feeds.set_due(id, Some(at));
    };
    let mut message = match to_coap(message) {
        Ok(message) if code::class(message.code) == 2 => message,
        other => {
            let revision = feed.revision();
            if revision.state().budget.admit_line(now) {
                let (rule, fault) = (revision.name(), other.err());
                tracing::error!(
                    "rule {rule}: a feed's message is no response of class 2: {fault:?}"
                );
            }
            return observations.end(id, rule_failed());
        }
    };
    set_max_age(&mut message, refresh);
    let (owner, account) = (feed.device().owner, &observations.queued_bytes);
    let message = Notification::of_message(message, account, owner);
    if account.is_full(owner) {
        // The state has not moved, so nothing is lost.
        drop(message);
        return on_unreadable(observations, now, id);
    }
    feed.set_ready(message, state);
    observations.feeds.wake(id);
}

/// The device has the first response or the last message: the position moves, and the next poll follows.
pub(super) fn on_delivered(observations: &mut Observations, now: Instant, id: ObservationId) {
    let refresh_at = observations.refresh_at(now);
    if let Some(feed) = observations.feeds.get_mut(id)
        && feed.on_delivered(refresh_at)
    {
        let at = feed.next_call(now);
        observations.feeds.set_due(id, Some(at));
    }
}

/// The device has not fetched all blocks of a message, so the position must not move. It may not know that it lacks
/// something: it registers again, and says where it is.
pub(super) fn on_unfetched(observations: &mut Observations, id: ObservationId) {
    let why = "observe again: not all blocks of a message were fetched";
    observations.end(id, last(code::SERVICE_UNAVAILABLE, why));
}

/// There is no response, or no use in it: the next poll is the same, after a pause.
fn on_failure(
    observations: &mut Observations,
    now: Instant,
    id: ObservationId,
    requested: Option<u32>,
) {
    if let Some(feed) = observations.feeds.get_mut(id) {
        let pause = feed.on_failure(requested);
        observations.feeds.set_due(id, Some(now + pause));
    }
}

/// The rule's own failure: temporary, or the end of the feed.
pub(super) fn on_rule_failure(
    observations: &mut Observations,
    now: Instant,
    id: ObservationId,
    failure: Failure,
) {
    let is_down = code::class(failure.code) == 5;
    if is_down || failure.code == code::TOO_MANY_REQUESTS {
        // A homeserver that is down can only guess when it is back; one that limits the rate of requests is exact.
        let requested = failure.max_age.filter(|_| !is_down);
        return on_failure(observations, now, id, requested);
    }
    let message = failed(failure).unwrap_or_else(|error| error.response());
    observations.end(id, message);
}

/// The response gave no message that can be sent. The same one may come again, so this ends soon.
pub(super) fn on_unreadable(observations: &mut Observations, now: Instant, id: ObservationId) {
    let Some(feed) = observations.feeds.get_mut(id) else {
        return;
    };
    let pause: Option<Duration> = feed.on_unreadable();
    match pause {
        Some(pause) => observations.feeds.set_due(id, Some(now + pause)),
        None => {
            let rule = feed.revision().name();
            tracing::warn!("rule {rule}: no message can be made of what a feed has found; it ends");
            let why = "observe again: what came was too large for a notification";
            observations.end(id, last(code::SERVICE_UNAVAILABLE, why));
        }
    }
}
