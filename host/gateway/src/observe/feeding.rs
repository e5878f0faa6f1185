//! How a feed starts: its account is found before the device gets its first response, and its first poll follows when
//! the device has that response.

use std::time::Instant;

use super::feed::Feed;
use super::observations::Observations;
use super::observer_bytes::bytes_of;
use super::poll_account::PollAccount;
use super::registration::{self, Unobservable, log_unobservable};
use crate::request::{ObserveRequest, Snapshot};
use coap::{ObservationId, code};
use runtime::Revision;

/// A feed that may start: [`ObserveBroker::start_feed`](super::ObserveBroker::start_feed).
pub struct PreparedFeed {
    account: PollAccount,
    request: ObserveRequest,
    bytes: usize,
}

/// Finds the account of a feed. Returns none if the device gets a response without Observe; the log has the reason.
/// `replaced` is the observation of this token, whose room it gets.
pub(super) fn prepare(
    observations: &Observations,
    snapshot: &Snapshot,
    now: Instant,
    request: ObserveRequest,
    replaced: Option<ObservationId>,
) -> Option<PreparedFeed> {
    let bytes = bytes_of(&request);
    match account_of(observations, snapshot, now, &request, (bytes, replaced)) {
        Ok(account) => Some(PreparedFeed {
            account,
            request,
            bytes,
        }),
        Err(error) => {
            log_unobservable(&request.revision, now, &error);
            None
        }
    }
}

/// Starts the feed `id` with its first response; none if the endpoint had no room for it.
pub(super) fn start(
    observations: &mut Observations,
    now: Instant,
    id: Option<ObservationId>,
    prepared: PreparedFeed,
) {
    let Some(id) = id else {
        return;
    };
    let PreparedFeed {
        account,
        request,
        bytes,
    } = prepared;
    let refresh_at = observations.refresh_at(now);
    let owner = request.device.owner;
    let counted = observations.observer_bytes.count(owner, bytes);
    let feed = Feed::new(now, request, account, refresh_at, counted);
    observations.feeds.insert(id, feed);
}

fn account_of(
    observations: &Observations,
    snapshot: &Snapshot,
    now: Instant,
    request: &ObserveRequest,
    (bytes, replaced): (usize, Option<ObservationId>),
) -> Result<PollAccount, Unobservable> {
    let ObserveRequest {
        revision,
        watch,
        device,
        path,
        context,
        ..
    } = request;
    check_state(revision, &watch.state)?;
    let freed = replaced.and_then(|id| observations.feeds.get(id));
    let more = bytes.saturating_sub(freed.map_or(0, Feed::counted_bytes));
    if more > 0 && !observations.observer_bytes.has_room(device.owner, more) {
        return Err(Unobservable::TooManyBytes);
    }
    // The exchange has ended on the configuration on which it began; its feed begins on the present one.
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    if snapshot.find(&path, code::GET).is_none() {
        return Err(Unobservable::Gone);
    }
    let poll = revision.feed_poll(context, &watch.state);
    let account = registration::account_of(snapshot, now, request, poll)?;
    if !observations.has_room_for_poll(device.owner, replaced) {
        return Err(Unobservable::Full);
    }
    Ok(account)
}

fn check_state(revision: &Revision, state: &[u8]) -> Result<(), Unobservable> {
    match state.len() <= revision.limits().state {
        true => Ok(()),
        false => Err(Unobservable::Contract(
            "the watch's state is larger than its limit".to_owned(),
        )),
    }
}
