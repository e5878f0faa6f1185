//! The poll of one account: who waits for what, where it stands, and when it asks next.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::change::Told;
use super::limits::{GATHERING, LEAST_INTERVAL, MAX_RECENT, MAX_UNREAD, RECENT};
use super::pause::pause;
use crate::coap::ObservationId;
use crate::rule::Revision;
use crate::upstream::{Account, Device};

/// In whose name a poll asks. All its observers have the same account.
pub(super) struct Identity {
    pub(super) account: Account,
    pub(super) device: Device,
}

pub(super) struct Poll {
    pub(super) revision: Arc<Revision>,
    pub(super) identity: Rc<Identity>,
    pub(super) share: String,
    pub(super) state: Vec<u8>,
    topics: BTreeMap<String, BTreeSet<ObservationId>>,
    /// What was told lately, and when.
    recent: VecDeque<(Instant, Rc<Told>)>,
    /// When something was told that is no longer among them.
    forgotten: Option<Instant>,
    /// Dropping it ends the call that is under way.
    in_flight: Option<oneshot::Sender<()>>,
    /// When it asks next, or asks anew.
    due: Option<Instant>,
    asked: Instant,
    failures: u32,
    /// Answers in a row that nobody could read.
    unread: u32,
}

impl Poll {
    pub(super) fn new(
        revision: Arc<Revision>,
        identity: Identity,
        share: String,
        state: Vec<u8>,
        now: Instant,
    ) -> Self {
        Self {
            revision,
            identity: Rc::new(identity),
            share,
            state,
            topics: BTreeMap::new(),
            recent: VecDeque::new(),
            forgotten: None,
            in_flight: None,
            due: None,
            asked: now - LEAST_INTERVAL,
            failures: 0,
            unread: 0,
        }
    }

    /// Another observer. One of a new topic makes the poll ask anew, soon: others may come with it.
    pub(super) fn add(&mut self, now: Instant, topic: &str, id: ObservationId) {
        if let Some(observers) = self.topics.get_mut(topic) {
            observers.insert(id);
            return;
        }
        self.topics.insert(topic.to_owned(), BTreeSet::from([id]));
        let is_first = self.topics.len() == 1;
        let soon = if is_first { now } else { now + GATHERING };
        // After a failure, its pause is what counts.
        if self.in_flight.is_some() || self.due.is_none() {
            self.due = Some(self.due.map_or(soon, |due| due.min(soon)));
        }
    }

    /// One observer less; whether there are others.
    pub(super) fn remove(&mut self, topic: &str, id: ObservationId) -> bool {
        if let Some(observers) = self.topics.get_mut(topic) {
            observers.remove(&id);
            if observers.is_empty() {
                self.topics.remove(topic);
            }
        }
        !self.topics.is_empty()
    }

    /// What is observed.
    pub(super) fn topics(&self) -> Vec<String> {
        self.topics.keys().cloned().collect()
    }

    /// The observers of a topic.
    pub(super) fn observers_of(&self, topic: &str) -> Vec<ObservationId> {
        let observers = self.topics.get(topic).into_iter().flatten();
        observers.copied().collect()
    }

    /// All of them.
    pub(super) fn observers(&self) -> Vec<ObservationId> {
        self.topics.values().flatten().copied().collect()
    }

    /// When it is to ask, if it is.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// It asks later.
    pub(super) fn postpone(&mut self, until: Instant) {
        self.due = Some(until);
    }

    /// It asks. What is under way is given up: nobody has heard of it yet, and the new call begins where that one did.
    pub(super) fn ask(&mut self, now: Instant) -> oneshot::Receiver<()> {
        let (sender, cancelled) = oneshot::channel();
        self.in_flight = Some(sender);
        self.due = None;
        self.asked = now;
        cancelled
    }

    /// The call has ended, one way or the other.
    pub(super) fn ended(&mut self) {
        self.in_flight = None;
    }

    /// The answer was read: the next call may follow.
    pub(super) fn succeeded(&mut self, now: Instant, state: Vec<u8>) {
        self.failures = 0;
        self.unread = 0;
        self.state = state;
        self.due = Some(now.max(self.asked + LEAST_INTERVAL));
    }

    /// There was none that could be read. `wanted`: seconds.
    pub(super) fn failed(&mut self, now: Instant, wanted: Option<u32>) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let pause = pause(self.failures, wanted);
        self.due = Some(now + pause);
        pause
    }

    /// There was an answer, and nobody could read it. It will come again; whether it has come too often.
    pub(super) fn was_unreadable(&mut self, now: Instant) -> bool {
        self.unread += 1;
        self.failed(now, None);
        self.unread >= MAX_UNREAD
    }

    /// From now on another revision reads the answers. What the former one has told is forgotten with it.
    pub(super) fn revise(&mut self, now: Instant, revision: Arc<Revision>) {
        self.revision = revision;
        self.recent.clear();
        self.forgotten = Some(now);
    }

    /// Keeps what was told for devices whose request is under way.
    pub(super) fn remember(&mut self, now: Instant, changes: &[Rc<Told>]) {
        for told in changes {
            self.recent.push_back((now, told.clone()));
        }
        let is_old = |at: Instant| at + RECENT < now;
        while let Some((at, _)) = self.recent.front()
            && (self.recent.len() > MAX_RECENT || is_old(*at))
        {
            if !is_old(*at) {
                self.forgotten = Some(*at);
            }
            self.recent.pop_front();
        }
    }

    /// What was told of a topic since then; none where something may be missing.
    pub(super) fn told_since(&self, since: Instant, topic: &str) -> Option<Vec<Rc<Told>>> {
        if self.forgotten.is_some_and(|at| at >= since) {
            return None;
        }
        let recent = self.recent.iter();
        let told = recent.filter(|(at, told)| *at >= since && told.change.topic == topic);
        Some(told.map(|(_, told)| told.clone()).collect())
    }
}
