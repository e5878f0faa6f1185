//! All observations: fed with what happened, polled for what is to be done.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Instant;

use super::long_poll::LongPoll;
use super::notification::{ended, keep_fresh};
use super::observer::Observer;
use super::registration::Prepared;
use crate::limits::ObservationLimits;
use crate::request::ObserveRequest;
use coap::{self, Ended, ObservationId, ObserveEvent, code};
use homeserver::Account;

/// Names a poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PollId(u64);

/// The observations of a gateway.
pub struct ObserveBroker {
    pub(super) limits: ObservationLimits,
    pub(super) observers: HashMap<ObservationId, Observer>,
    pub(super) polls: BTreeMap<PollId, LongPoll>,
    next_poll: u64,
    /// Observers for which a notification may leave.
    pub(super) ready: VecDeque<ObservationId>,
    /// Those whose rule has used what it may compute.
    pub(super) held: Vec<ObservationId>,
    /// When they are looked at again.
    pub(super) breathing: Option<Instant>,
    /// Last notifications.
    pub(super) last: VecDeque<(ObservationId, coap::Message)>,
    pub(super) refreshes: BTreeSet<(Instant, ObservationId)>,
    /// Observations that were not begun for want of a poll, ever.
    pub(super) refused_polls: u64,
}

impl ObserveBroker {
    /// One without observations.
    #[must_use]
    pub fn new(limits: ObservationLimits) -> Self {
        Self {
            limits,
            observers: HashMap::new(),
            polls: BTreeMap::new(),
            next_poll: 0,
            ready: VecDeque::new(),
            held: Vec::new(),
            breathing: None,
            last: VecDeque::new(),
            refreshes: BTreeSet::new(),
            refused_polls: 0,
        }
    }

    pub(super) fn add_poll(&mut self, poll: LongPoll) -> PollId {
        let id = PollId(self.next_poll);
        self.next_poll += 1;
        self.polls.insert(id, poll);
        id
    }

    /// What every first answer and notification says about its freshness.
    pub fn keep_fresh(&self, message: &mut coap::Message) {
        keep_fresh(message, self.limits.refresh);
    }

    /// An observation has begun, goes on, or has not begun, where the endpoint had no room. `shown`: what the device was
    /// answered.
    pub fn start(
        &mut self,
        now: Instant,
        id: Option<ObservationId>,
        prepared: Prepared,
        shown: coap::Message,
    ) {
        let Prepared { poll, registration } = prepared;
        let Some(id) = id else {
            return self.drop_unused(poll);
        };
        if self.observers.contains_key(&id) {
            return self.renew(now, id, registration);
        }
        let ObserveRequest {
            watch,
            context,
            device,
            path,
            began,
            ..
        } = registration;
        let topic = watch.topic.clone();
        let refresh_at = now + self.limits.refresh;
        let mut observer = Observer::new(poll, topic, context, device, path, refresh_at);
        observer.show(&watch, shown);
        self.refreshes.insert((refresh_at, id));
        self.observers.insert(id, observer);
        self.join(now, id, began, &watch.state);
    }

    /// Lets an observer hear of what its poll tells, and has told since its request came.
    fn join(&mut self, now: Instant, id: ObservationId, began: Instant, found: &[u8]) {
        let Some(observer) = self.observers.get_mut(&id) else {
            return;
        };
        let Some(poll) = self.polls.get_mut(&observer.poll) else {
            return;
        };
        let told = poll.told_since(began, &observer.topic, found);
        poll.add(now, &observer.topic, id);
        match told.map(|told| observer.tell(&told)) {
            Some(Ok(())) => self.wake(id),
            _ => self.lose(id),
        }
    }

    /// What became of an observation at the endpoint.
    pub fn observed(&mut self, now: Instant, event: ObserveEvent) {
        match event {
            ObserveEvent::Delivered(id) => {
                if let Some(observer) = self.observers.get_mut(&id) {
                    observer.delivered();
                    let refresh_at = now + self.limits.refresh;
                    let before = std::mem::replace(&mut observer.refresh_at, refresh_at);
                    self.refreshes.remove(&(before, id));
                    self.refreshes.insert((refresh_at, id));
                    self.wake(id);
                }
            }
            // Of those that made room the endpoint's report tells how many: a flood must not write the log.
            ObserveEvent::Ended(id, Ended::Replaced | Ended::Deregistered | Ended::Displaced) => {
                self.forget(id);
            }
            ObserveEvent::Ended(id, why) => {
                if let Some(observer) = self.forget(id) {
                    tracing::info!(
                        "the observation of {} ended: {why}",
                        observer.device.peer.ip()
                    );
                }
            }
        }
    }

    pub(super) fn wake(&mut self, id: ObservationId) {
        if self.observers.get(&id).is_some_and(Observer::is_ready) {
            self.ready.push_back(id);
        }
    }

    /// Takes an observer out; a poll that nobody waits for ends.
    pub(super) fn forget(&mut self, id: ObservationId) -> Option<Observer> {
        let observer = self.observers.remove(&id)?;
        self.refreshes.remove(&(observer.refresh_at, id));
        if let Some(poll) = self.polls.get_mut(&observer.poll) {
            poll.remove(&observer.topic, id);
        }
        self.drop_unused(observer.poll);
        Some(observer)
    }

    pub(super) fn drop_unused(&mut self, id: PollId) {
        if self
            .polls
            .get(&id)
            .is_some_and(|poll| poll.topics().is_empty())
        {
            self.polls.remove(&id);
        }
    }

    /// Ends an observation with this as its last notification.
    pub(super) fn finish(&mut self, id: ObservationId, message: coap::Message) {
        if let Some(observer) = self.forget(id) {
            let (address, code) = (observer.device.peer.ip(), code::Dotted(message.code));
            tracing::info!("the observation of {address} ends with {code}");
            self.last.push_back((id, message));
        }
    }

    /// Ends an observation whose device has missed something.
    pub(super) fn lose(&mut self, id: ObservationId) {
        let why = "more has happened than can be told one after the other; observe again";
        self.finish(id, ended(code::SERVICE_UNAVAILABLE, why));
    }

    /// Ends every observation: the gateway stops.
    pub fn finish_all(&mut self) {
        let ids: Vec<_> = self.observers.keys().copied().collect();
        for id in ids {
            let why = "this gateway is shutting down; observe again";
            self.finish(id, ended(code::SERVICE_UNAVAILABLE, why));
        }
    }

    /// Ends the observations of an account whose access token is no longer valid.
    pub fn logged_out(&mut self, account: &Account) {
        let of_account = |poll: &&LongPoll| poll.identity.account.is(account);
        let polls = self.polls.values().filter(of_account);
        let ids: Vec<_> = polls.flat_map(LongPoll::observers).collect();
        for id in ids {
            self.finish(
                id,
                ended(code::UNAUTHORIZED, "the access token was logged out"),
            );
        }
    }

    /// Observations that were not begun for want of a poll.
    #[must_use]
    pub fn refused_polls(&self) -> u64 {
        self.refused_polls
    }

    /// How many observations and polls there are.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        (self.observers.len(), self.polls.len())
    }
}
