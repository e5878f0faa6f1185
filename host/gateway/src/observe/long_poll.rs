//! The poll of one account: who waits for what, where it stands, and when it asks next.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::limits::{GATHERING, LEAST_INTERVAL, MAX_PASSED_OVER, MAX_RECENT, MAX_UNREAD, RECENT};
use super::pause::pause;
use super::shared_change::SharedChange;
use coap::ObservationId;
use contract::{Call, Credential, Upstream};
use homeserver::{Account, Caller, Upstreams};
use runtime::Revision;

/// In whose name a poll asks. All its observers have the same account.
pub(super) struct Identity {
    pub(super) account: Account,
    pub(super) device: Caller,
    /// What the account was found by: the upstream and credential of the rule's request.
    found_by: (Upstream, Credential),
}

impl Identity {
    /// A device's, as a request of its rule has it.
    pub(super) fn new(account: Account, device: Caller, call: Call) -> Self {
        Self {
            account,
            device,
            found_by: (call.upstream, call.credential),
        }
    }

    /// Whether the same request would still be made in the same name.
    pub(super) fn is_served_by(&self, upstreams: &Upstreams) -> bool {
        let (upstream, credential) = &self.found_by;
        let account = upstreams.account(&self.device, upstream, *credential);
        account.is_ok_and(|account| account.is(&self.account))
    }
}

/// Who waits for a topic.
struct Topic {
    /// Since this moment every answer that moved the poll on was asked for this topic as well.
    since: Instant,
    observers: BTreeSet<ObservationId>,
}

pub(super) struct LongPoll {
    pub(super) revision: Arc<Revision>,
    pub(super) identity: Rc<Identity>,
    pub(super) share: String,
    pub(super) state: Vec<u8>,
    topics: BTreeMap<String, Topic>,
    /// What was told lately, and when.
    recent: VecDeque<(Instant, Rc<SharedChange>)>,
    /// When something was told that is no longer among them.
    forgotten: Option<Instant>,
    /// Dropping it ends the call that is under way.
    in_flight: Option<oneshot::Sender<()>>,
    /// When it asks next, or asks anew.
    due: Option<Instant>,
    asked: Instant,
    /// When its state became what it is.
    moved: Instant,
    failures: u32,
    /// Answers in a row that nobody could read.
    unread: u32,
    /// Answers in a row that came too early for a topic.
    passed_over: u32,
}

impl LongPoll {
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
            moved: now,
            failures: 0,
            unread: 0,
            passed_over: 0,
        }
    }

    /// Another observer. One of a new topic makes the poll ask anew, soon: others may come with it.
    pub(super) fn add(&mut self, now: Instant, topic: &str, id: ObservationId) {
        if let Some(topic) = self.topics.get_mut(topic) {
            topic.observers.insert(id);
            return;
        }
        let (since, observers) = (self.moved, BTreeSet::from([id]));
        let joined = Topic { since, observers };
        self.topics.insert(topic.to_owned(), joined);
        let is_first = self.topics.len() == 1;
        let soon = if is_first { now } else { now + GATHERING };
        // After a failure, its pause is what counts.
        if self.in_flight.is_some() || self.due.is_none() {
            self.due = Some(self.due.map_or(soon, |due| due.min(soon)));
        }
    }

    /// One observer less; whether there are others.
    pub(super) fn remove(&mut self, topic: &str, id: ObservationId) -> bool {
        if let Some(of_topic) = self.topics.get_mut(topic) {
            of_topic.observers.remove(&id);
            if of_topic.observers.is_empty() {
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
        let topic = self.topics.get(topic).into_iter();
        topic.flat_map(|topic| &topic.observers).copied().collect()
    }

    /// All of them.
    pub(super) fn observers(&self) -> Vec<ObservationId> {
        let topics = self.topics.values();
        topics.flat_map(|topic| &topic.observers).copied().collect()
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
        self.passed_over = 0;
        if state != self.state {
            self.moved = now;
        }
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
    pub(super) fn remember(&mut self, now: Instant, changes: &[Rc<SharedChange>]) {
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

    /// The observers of topics that a call for these lacked: what its answer passes over of them would never be told.
    pub(super) fn lacking(&self, asked: &[String]) -> Vec<ObservationId> {
        let topics = self.topics.iter();
        let lacking = topics.filter(|(topic, _)| asked.binary_search(topic).is_err());
        lacking
            .flat_map(|(_, topic)| &topic.observers)
            .copied()
            .collect()
    }

    /// Whether one more answer may be left unread.
    pub(super) fn may_pass_over(&mut self) -> bool {
        self.passed_over += 1;
        self.passed_over <= MAX_PASSED_OVER
    }

    /// Whether the answers since `began` tell all of a topic that comes after `position`. One poll's positions say nothing
    /// about another's, so only time does: what was reached before a request came lies before what that request found.
    fn continues(&self, began: Instant, topic: &str, position: &[u8]) -> bool {
        let since = self
            .topics
            .get(topic)
            .map_or(self.moved, |topic| topic.since);
        self.topics.is_empty() || since < began || self.state == position
    }

    /// What was told of a topic since a request came that found `position`; none where something may be missing.
    pub(super) fn told_since(
        &self,
        since: Instant,
        topic: &str,
        position: &[u8],
    ) -> Option<Vec<Rc<SharedChange>>> {
        if self.forgotten.is_some_and(|at| at >= since) || !self.continues(since, topic, position) {
            return None;
        }
        let recent = self.recent.iter();
        let told = recent.filter(|(at, told)| *at >= since && told.change.topic == topic);
        Some(told.map(|(_, told)| told.clone()).collect())
    }
}
