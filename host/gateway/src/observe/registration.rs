//! How an observation begins: which poll it belongs to, before the device is answered.

use std::sync::Arc;
use std::time::Instant;

use super::broker::{ObserveBroker, PollId};
use super::limits::{MAX_CHANGE, MAX_TOPIC};
use super::long_poll::{Identity, LongPoll};
use crate::request::{ObserveRequest, Snapshot};
use contract::Watch;
use runtime::Revision;

/// An observation that may begin: [`ObserveBroker::start`].
pub struct Prepared {
    pub(super) poll: PollId,
    pub(super) registration: ObserveRequest,
}

/// Why a device is answered once.
#[derive(Debug, thiserror::Error)]
enum Unobservable {
    #[error("it broke its contract: {0}")]
    Contract(&'static str),
    #[error("{0}")]
    Trap(#[from] runtime::Trap),
    #[error("its poll failed at once: {0}")]
    Failed(String),
    #[error("a call was denied or has no access token")]
    Denied,
    #[error("[limits] polls is reached; raise it, or let devices share accounts")]
    Full,
}

impl ObserveBroker {
    /// Finds the poll for what a rule wants watched, or makes one. None where the device is to be answered once; the log
    /// says why.
    pub fn prepare(
        &mut self,
        service: &Snapshot,
        now: Instant,
        registration: ObserveRequest,
    ) -> Option<Prepared> {
        match self.poll_of(service, now, &registration) {
            Ok(poll) => Some(Prepared { poll, registration }),
            Err(error) => {
                let revision = &registration.revision;
                if revision.state().budget.admit_line(now) {
                    tracing::warn!("rule {}: no observation: {error}", revision.name());
                }
                None
            }
        }
    }

    fn poll_of(
        &mut self,
        service: &Snapshot,
        now: Instant,
        registration: &ObserveRequest,
    ) -> Result<PollId, Unobservable> {
        let ObserveRequest {
            revision,
            watch,
            device,
            ..
        } = registration;
        check(revision, watch)?;
        let request = revision
            .poll(&watch.state, std::slice::from_ref(&watch.topic))?
            .ok_or(Unobservable::Contract("it does not export observer"))?
            .map_err(|failure| {
                Unobservable::Failed(contract::escaping::escaped(&failure.diagnostic, 200))
            })?;
        let call = revision
            .check_call(request)
            .map_err(|_| Unobservable::Denied)?;
        let account = service
            .upstreams
            .account(device, &call.upstream, call.credential)
            .map_err(|_| Unobservable::Denied)?;
        let wanted =
            |poll: &LongPoll| poll.share == watch.share && poll.identity.account.is(&account);
        let same = |poll: &LongPoll| wanted(poll) && Arc::ptr_eq(&poll.revision, revision);
        let former = |poll: &LongPoll| {
            let is_former = !Arc::ptr_eq(&poll.revision, revision);
            wanted(poll) && is_former && poll.revision.name() == revision.name()
        };
        // One that waits since before a swap goes over to the new revision now, and stays the only one of its account.
        if let Some((id, _)) = self.polls.iter().find(|(_, poll)| former(poll)) {
            let id = *id;
            self.revise(service, now, id, usize::MAX);
            if let Some(poll) = self.polls.get_mut(&id) {
                poll.postpone(now);
            }
        }
        if let Some((id, _)) = self.polls.iter().find(|(_, poll)| same(poll)) {
            return Ok(*id);
        }
        if self.polls.len() >= self.limits.polls {
            self.refused_polls += 1;
            return Err(Unobservable::Full);
        }
        let identity = Identity::new(account, device.clone(), call);
        let (share, state) = (watch.share.clone(), watch.state.clone());
        let poll = LongPoll::new(revision.clone(), identity, share, state, now);
        Ok(self.add_poll(poll))
    }
}

fn check(revision: &Revision, watch: &Watch) -> Result<(), Unobservable> {
    if watch.topic.len() > MAX_TOPIC || watch.share.len() > MAX_TOPIC {
        Err(Unobservable::Contract(
            "the watch's topic or share is above 512 bytes",
        ))
    } else if watch.state.len() > revision.limits().state {
        Err(Unobservable::Contract(
            "the watch's state is above its limit",
        ))
    } else if watch
        .shown
        .as_ref()
        .is_some_and(|shown| shown.len() > MAX_CHANGE)
    {
        Err(Unobservable::Contract("the watch's shown is above 16 KiB"))
    } else {
        Ok(())
    }
}
