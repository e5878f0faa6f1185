//! The long poll of one account: its topics, its state, and the time of its next call.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::backoff::pause;
use super::limits::{JOIN_DELAY, MAX_DISCARDED, MAX_UNREADABLE, MIN_POLL_INTERVAL};
use super::poll_account::PollAccount;
use super::queued_bytes::{QueuedBytes, ROOMS};
use super::recent_changes::RecentChanges;
use super::shared_change::{Changes, SharedChange};
use super::topics::Topics;
use coap::ObservationId;
use homeserver::Account;
use runtime::Revision;

/// Identifies a long poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PollId(pub(super) u64);

pub(super) struct LongPoll {
    revision: Arc<Revision>,
    account: Rc<PollAccount>,
    share: String,
    /// The rule's position in the homeserver's events.
    state: Vec<u8>,
    /// When the state became this one.
    state_since: Instant,
    topics: Topics,
    recent: RecentChanges,
    /// Whether the poll waits for another revision, without a call in flight.
    is_suspended: bool,
    /// Dropping it cancels the call in flight.
    in_flight: Option<oneshot::Sender<()>>,
    /// When it calls next, or repeats the call with more topics.
    due: Option<Instant>,
    called_at: Instant,
    failures: u32,
    /// Consecutive responses that the rule could not read.
    unreadable: u32,
    /// Consecutive responses that were requested before a topic joined.
    discarded: u32,
}

impl LongPoll {
    pub(super) fn new(
        revision: Arc<Revision>,
        account: PollAccount,
        share: String,
        state: Vec<u8>,
        now: Instant,
    ) -> Self {
        Self {
            revision,
            account: Rc::new(account),
            share,
            state,
            state_since: now,
            topics: Topics::default(),
            recent: RecentChanges::default(),
            is_suspended: false,
            in_flight: None,
            due: None,
            called_at: now - MIN_POLL_INTERVAL,
            failures: 0,
            unreadable: 0,
            discarded: 0,
        }
    }

    /// The revision that reads the responses.
    pub(super) fn revision(&self) -> &Arc<Revision> {
        &self.revision
    }

    pub(super) fn account(&self) -> &Rc<PollAccount> {
        &self.account
    }

    /// The same account for the next calls, of another device or from another configuration.
    pub(super) fn set_account(&mut self, account: PollAccount) {
        self.account = Rc::new(account);
    }

    pub(super) fn state(&self) -> &[u8] {
        &self.state
    }

    pub(super) fn topics(&self) -> &Topics {
        &self.topics
    }

    /// Whether a watch of this account and `share` belongs to this poll, if the revision does.
    pub(super) fn is_shared_by(&self, account: &Account, share: &str) -> bool {
        self.share == share && self.account.account().is(account)
    }

    /// Whether both read the same account with the same revision and share.
    pub(super) fn is_twin_of(&self, other: &LongPoll) -> bool {
        Arc::ptr_eq(&self.revision, &other.revision)
            && self.is_shared_by(other.account.account(), &other.share)
    }

    /// Adds an observer. If its topic is new, the poll soon repeats its request: other topics may join with it.
    pub(super) fn add(&mut self, now: Instant, topic: &str, id: ObservationId) {
        if !self.topics.add(topic, self.state_since, id) {
            return;
        }
        let is_first = self.topics.len() == 1;
        let soon = if is_first { now } else { now + JOIN_DELAY };
        // After a failure, the pause decides.
        if self.in_flight.is_some() || self.due.is_none() {
            self.due = Some(self.due.map_or(soon, |due| due.min(soon)));
        }
    }

    pub(super) fn remove(&mut self, topic: &str, id: ObservationId) {
        self.topics.remove(topic, id);
    }

    /// When the next call is due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Sets the time of the next call.
    pub(super) fn set_due(&mut self, at: Instant) {
        self.due = Some(at);
    }

    /// Starts a call and cancels the one in flight: its response is not read, and the new call starts from the same
    /// state.
    pub(super) fn start_call(&mut self, now: Instant) -> oneshot::Receiver<()> {
        let (sender, cancelled) = oneshot::channel();
        self.in_flight = Some(sender);
        self.due = None;
        self.called_at = now;
        cancelled
    }

    /// The call has ended, with or without a response.
    pub(super) fn end_call(&mut self) {
        self.in_flight = None;
    }

    /// The rule has read the response: the next call follows.
    pub(super) fn advance(
        &mut self,
        now: Instant,
        state: Vec<u8>,
        changes: &[Rc<SharedChange>],
        account: &QueuedBytes,
    ) {
        self.failures = 0;
        self.unreadable = 0;
        self.discarded = 0;
        if state != self.state {
            self.state_since = now;
        }
        self.state = state;
        self.due = Some(now.max(self.called_at + MIN_POLL_INTERVAL));
        self.recent.add(now, changes);
        if !account.has_spare_room(ROOMS) {
            self.recent.clear(now);
        }
    }

    /// The call failed; returns the pause before the next one. `requested`: the seconds that the rule requests.
    pub(super) fn on_failure(&mut self, now: Instant, requested: Option<u32>) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let pause = pause(self.failures, requested);
        self.due = Some(now + pause);
        pause
    }

    /// The rule could not read the response, which will come again. Returns whether it has come too often.
    pub(super) fn on_unreadable(&mut self, now: Instant) -> bool {
        self.unreadable += 1;
        self.on_failure(now, None);
        self.unreadable >= MAX_UNREADABLE
    }

    /// Whether one more response may be discarded because it was requested without some of the topics.
    pub(super) fn may_discard(&mut self) -> bool {
        self.discarded += 1;
        self.discarded <= MAX_DISCARDED
    }

    /// Cancels the call in flight, so that the revision reads nothing more until another one takes over at the next
    /// call.
    pub(super) fn suspend(&mut self, now: Instant) {
        if !self.is_suspended {
            self.is_suspended = true;
            self.in_flight = None;
            self.recent.clear(now);
        }
        self.due = Some(now);
    }

    /// Another revision reads the responses from now on. The recent changes of the former one are discarded.
    pub(super) fn set_revision(&mut self, now: Instant, revision: Arc<Revision>) {
        self.revision = revision;
        if !self.is_suspended {
            self.recent.clear(now);
        }
        self.is_suspended = false;
    }

    /// The changes of a topic since a request came that found the state `found`; incomplete and without any if some
    /// between them may be missing.
    pub(super) fn changes_since(&self, since: Instant, topic: &str, found: &[u8]) -> Changes {
        // States of two polls cannot be compared, but times can: everything that this poll had read before the request
        // came precedes what the request found.
        let covered_since = self.topics.since(topic).unwrap_or(self.state_since);
        let is_complete = self.topics.is_empty() || covered_since < since || self.state == found;
        match is_complete {
            true => self.recent.since(since, topic),
            false => Changes {
                found: Vec::new(),
                is_complete,
            },
        }
    }
}
