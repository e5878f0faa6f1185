//! How an observation starts: its long poll is found before the device gets its first response, and its observer
//! joins the poll after it.

use std::sync::Arc;
use std::time::Instant;

use super::limits::MAX_TOPIC;
use super::long_poll::{LongPoll, PollId};
use super::observations::Observations;
use super::observer::Observer;
use super::observer_bytes::bytes_of;
use super::poll_account::PollAccount;
use crate::request::{ObserveRequest, Snapshot};
use coap::{ObservationId, code};
use contract::escaping::escaped;
use contract::{HttpRequest, Watch};
use runtime::{MAX_CHANGE, ObserverError, Revision};

/// An observation that may start: [`ObserveBroker::start`](super::ObserveBroker::start).
pub struct Prepared {
    poll: PollId,
    request: ObserveRequest,
    /// Bytes of the observation.
    bytes: usize,
}

impl Prepared {
    pub(super) fn poll(&self) -> PollId {
        self.poll
    }

    pub(super) fn request(&self) -> &ObserveRequest {
        &self.request
    }
}

/// Why a device gets a response without Observe.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unobservable {
    #[error("the rule broke its contract: {0}")]
    Contract(String),
    #[error("{0}")]
    Trap(runtime::Trap),
    #[error("its first poll failed: {0}")]
    Failed(String),
    #[error("its poll was denied, or has no access token")]
    Denied,
    #[error("a reload has removed or disabled its resource")]
    Gone,
    #[error("[limits] polls is reached; raise it, or let devices share accounts")]
    Full,
    #[error(
        "the observations of its host, or of all hosts, have too many bytes of paths and names"
    )]
    TooManyBytes,
}

impl From<ObserverError> for Unobservable {
    fn from(error: ObserverError) -> Self {
        match error {
            ObserverError::Trapped(trap) => Self::Trap(trap),
            ObserverError::Failed(failure) => {
                Self::Failed(escaped(&failure.diagnostic, 200).to_string())
            }
            broken @ (ObserverError::NotExported | ObserverError::Contract(_)) => {
                Self::Contract(broken.to_string())
            }
        }
    }
}

/// Finds the poll for an observation, or creates one. Returns none if the device gets a response without Observe; the
/// log has the reason. `renewed` is the observation of this token.
pub(super) fn prepare(
    observations: &mut Observations,
    snapshot: &Snapshot,
    now: Instant,
    request: ObserveRequest,
    renewed: Option<ObservationId>,
) -> Option<Prepared> {
    let bytes = bytes_of(&request);
    // An observation that is renewed, or replaced, has its room already.
    let replaced = renewed.and_then(|id| observations.observers.get(id));
    let more = bytes.saturating_sub(replaced.map_or(0, |observer| observer.counted.bytes()));
    let has_room = more == 0
        || observations
            .observer_bytes
            .has_room(request.device.owner, more);
    let poll = if has_room {
        poll_of(observations, snapshot, now, &request)
    } else {
        Err(Unobservable::TooManyBytes)
    };
    match poll {
        Ok(poll) => Some(Prepared {
            poll,
            request,
            bytes,
        }),
        Err(error) => {
            log_unobservable(&request.revision, now, &error);
            None
        }
    }
}

/// Logs why there is no observation, at the rate of the rule's own log lines.
pub(super) fn log_unobservable(revision: &Revision, now: Instant, error: &Unobservable) {
    if revision.state().budget.admit_line(now) {
        tracing::warn!("rule {}: no observation: {error}", revision.name());
    }
}

/// Starts or renews the observation `id` after its first response; none if the endpoint had no room for it.
pub(super) fn start(
    observations: &mut Observations,
    now: Instant,
    id: Option<ObservationId>,
    prepared: Prepared,
    response: coap::Message,
) {
    let Prepared {
        poll,
        request,
        bytes,
    } = prepared;
    let Some(id) = id else {
        return observations.polls.remove_if_unused(poll);
    };
    let refresh_at = observations.refresh_at(now);
    if let Some(observer) = observations.observers.get_mut(id) {
        observer.renew(request, bytes);
        return observations.observers.set_refresh(id, refresh_at);
    }
    let Some(of_observer) = observations.polls.get_mut(poll) else {
        return;
    };
    // The poll may have read changes while the request was in progress.
    let Watch { topic, state, .. } = &request.watch;
    let missed = of_observer.changes_since(request.began, topic, state);
    of_observer.add(now, topic, id);
    let account = &observations.queued_bytes;
    let counted = observations
        .observer_bytes
        .count(request.device.owner, bytes);
    let observer = Observer::new(poll, request, response, refresh_at, (account, counted));
    observations.observers.insert(id, observer);
    observations.queue(id, &missed);
}

fn poll_of(
    observations: &mut Observations,
    snapshot: &Snapshot,
    now: Instant,
    request: &ObserveRequest,
) -> Result<PollId, Unobservable> {
    let ObserveRequest {
        revision,
        watch,
        device,
        path,
        ..
    } = request;
    check(revision, watch)?;
    // The exchange has ended on the configuration on which it began; its observation begins on the present one.
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    if snapshot.find(&path, code::GET).is_none() {
        return Err(Unobservable::Gone);
    }
    let poll = revision.poll(&watch.state, std::slice::from_ref(&watch.topic));
    let account = account_of(snapshot, now, request, poll)?;
    let is_shared = |poll: &LongPoll| poll.is_shared_by(account.account(), &watch.share);
    let same = |poll: &LongPoll| is_shared(poll) && Arc::ptr_eq(poll.revision(), revision);
    if let Some(id) = observations.polls.find(same) {
        return Ok(id);
    }
    // After a swap, a poll of the former revision gets this one at its next call, which is due at once, and stays the
    // only poll of its account. The former revision must read nothing more: it does not have this observer's link.
    let former = |poll: &LongPoll| is_shared(poll) && poll.revision().name() == revision.name();
    if serves(snapshot, revision)
        && let Some(id) = observations.polls.find(former)
        && let Some(poll) = observations.polls.get_mut(id)
    {
        poll.suspend(now);
        return Ok(id);
    }
    // A device has as many accounts as it likes. A poll counts for the host that began it.
    if !observations.has_room_for_poll(device.owner, None) {
        observations.refused_polls += 1;
        return Err(Unobservable::Full);
    }
    let (share, state) = (watch.share.clone(), watch.state.clone());
    let poll = LongPoll::new(revision.clone(), account, share, state, now);
    Ok(observations.polls.insert(poll))
}

/// The account of a first poll, whose CPU time counts for the host.
pub(super) fn account_of(
    snapshot: &Snapshot,
    now: Instant,
    request: &ObserveRequest,
    poll: Result<HttpRequest, ObserverError>,
) -> Result<PollAccount, Unobservable> {
    let ObserveRequest {
        revision, device, ..
    } = request;
    revision.state().budget.charge(now, device.owner);
    let call = revision
        .check_call(poll?)
        .map_err(|_| Unobservable::Denied)?;
    let account = snapshot
        .upstreams
        .account(device, &call.upstream, call.credential)
        .map_err(|_| Unobservable::Denied)?;
    Ok(PollAccount::new(account, device.clone(), call))
}

/// Whether new requests reach this revision. If not, a swap has replaced it while the request was in progress.
fn serves(snapshot: &Snapshot, revision: &Arc<Revision>) -> bool {
    let mut rules = snapshot.rules.rules().iter();
    rules.any(|rule| Arc::ptr_eq(&rule.revision, revision))
}

fn check(revision: &Revision, watch: &Watch) -> Result<(), Unobservable> {
    let is_large = |shown: &Vec<u8>| shown.len() > MAX_CHANGE;
    let problem = if watch.topic.len() > MAX_TOPIC || watch.share.len() > MAX_TOPIC {
        "the watch's topic or share is larger than 512 bytes"
    } else if watch.state.len() > revision.limits().state {
        "the watch's state is larger than its limit"
    } else if watch.shown.as_ref().is_some_and(is_large) {
        "the watch's shown is larger than 16 KiB"
    } else {
        return Ok(());
    };
    Err(Unobservable::Contract(problem.to_owned()))
}
