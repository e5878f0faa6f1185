//! Which notification leaves next, and when the last one is sent again.

use std::time::Instant;

use super::notification::{Notification, rule_failed, set_max_age};
use super::observations::Observations;
use super::poll_result::log_fault;
use coap::{ObservationId, code};
use runtime::{CallEnd, CallInput, ObserverError};

/// The next notification to send.
pub(super) fn next_notification(
    observations: &mut Observations,
    now: Instant,
) -> Option<(ObservationId, coap::Message)> {
    if let Some(last) = observations.next_last() {
        return Some(last);
    }
    while let Some(id) = observations.observers.next_ready(now) {
        let Some(observer) = observations.observers.get_mut(id) else {
            continue;
        };
        if let Some(Notification::Change(change)) = observer.next()
            && !change
                .revision()
                .state()
                .budget
                .may_compute(now, observer.device().owner)
        {
            observations.observers.defer(now, id);
            continue;
        }
        let Some(notification) = observer.send(&observations.queued_bytes) else {
            continue;
        };
        let result = observer.message(&notification);
        if let Notification::Change(change) = &notification {
            let revision = change.revision();
            let input = CallInput::Notify(change.change().payload.len());
            let trap = result.as_ref().err().and_then(ObserverError::trap);
            let device = (&observer.device().peer, observer.device().owner);
            revision.judge(now, device, &input, CallEnd::of_trap(trap));
            if let Err(fault) = &result {
                log_fault(revision, now, fault);
            }
        }
        let mut message = result.unwrap_or_else(|_| rule_failed());
        if code::class(message.code) != 2 {
            observations.end(id, message);
            return observations.next_last();
        }
        set_max_age(&mut message, observations.limits.refresh);
        return Some((id, message));
    }
    None
}

/// The device has acknowledged its notification: the next one may leave.
pub(super) fn on_delivered(observations: &mut Observations, now: Instant, id: ObservationId) {
    let refresh_at = observations.refresh_at(now);
    if let Some(observer) = observations.observers.get_mut(id) {
        observer.on_delivered();
        observations.observers.set_refresh(id, refresh_at);
        observations.observers.wake(id);
    }
}

/// Queues the last notification again for observers that have not had one for the refresh time.
pub(super) fn refresh(observations: &mut Observations, now: Instant) {
    let refresh_at = observations.refresh_at(now);
    while let Some(id) = observations.observers.first_refresh(now) {
        observations.observers.set_refresh(id, refresh_at);
        let Some(observer) = observations.observers.get_mut(id) else {
            continue;
        };
        if let Some(last) = observer.last().cloned().filter(|_| observer.is_idle()) {
            // An empty queue has room.
            let _ = observer.queue(last, &observations.queued_bytes);
            observations.observers.wake(id);
        }
    }
}
