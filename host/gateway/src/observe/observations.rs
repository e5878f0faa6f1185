//! The state of all observations: their observers, their long polls, and the last notifications to send.

use std::collections::VecDeque;
use std::time::Instant;

use super::feed::Feed;
use super::feed_table::FeedTable;
use super::long_poll::{LongPoll, PollId};
use super::notification::last;
use super::observer::{Observer, Overflow};
use super::observer_bytes::ObserverBytes;
use super::observer_table::ObserverTable;
use super::poll_table::PollTable;
use super::queued_bytes::QueuedBytes;
use super::shared_change::Changes;
use crate::limits::ObservationLimits;
use coap::{ObservationId, code};
use contract::clock::Clock;
use share::{Bounds, Owner};

pub(super) struct Observations {
    pub(super) limits: ObservationLimits,
    pub(super) observers: ObserverTable,
    pub(super) polls: PollTable,
    pub(super) feeds: FeedTable,
    /// The time of day that feeds get.
    pub(super) clock: Clock,
    /// The bytes of what waits for observers.
    pub(super) queued_bytes: QueuedBytes,
    /// The bytes of the observations themselves.
    pub(super) observer_bytes: ObserverBytes,
    /// The last notifications of observations that have ended.
    last: VecDeque<(ObservationId, coap::Message)>,
    /// Observations that were not started because too many polls run.
    pub(super) refused_polls: u64,
    /// Changes that observers did not get because newer ones took their place.
    pub(super) passed_over: u64,
}

impl Observations {
    pub(super) fn new(limits: ObservationLimits) -> Self {
        Self {
            limits,
            observers: ObserverTable::default(),
            polls: PollTable::default(),
            feeds: FeedTable::default(),
            clock: Clock::system(),
            queued_bytes: QueuedBytes::default(),
            observer_bytes: ObserverBytes::new(limits.bytes),
            last: VecDeque::new(),
            refused_polls: 0,
            passed_over: 0,
        }
    }

    /// When an observer that hears from its gateway now gets its last notification again.
    pub(super) fn refresh_at(&self, now: Instant) -> Instant {
        now + self.limits.refresh
    }

    /// Whether one more long poll may run for this host. `replaced` is a feed that ends for it.
    pub(super) fn has_room_for_poll(&self, owner: Owner, replaced: Option<ObservationId>) -> bool {
        let holder = owner.holder();
        let of_host = |poll: &LongPoll| poll.account().device().owner.holder() == holder;
        let feeds_of_host = |feed: &Feed| feed.device().owner.holder() == holder;
        let bound = Bounds::of_pieces(self.limits.polls).pieces;
        let in_all = self.polls.len() + self.feeds.count(replaced, |_| true);
        let host = self.polls.count(of_host) + self.feeds.count(replaced, feeds_of_host);
        in_all < bound.in_all && host < bound.host
    }

    /// Removes an observer, and its poll with the last one.
    pub(super) fn remove(&mut self, id: ObservationId) -> Option<Observer> {
        let observer = self.observers.remove(id)?;
        if let Some(poll) = self.polls.get_mut(observer.poll()) {
            poll.remove(observer.topic(), id);
        }
        self.polls.remove_if_unused(observer.poll());
        Some(observer)
    }

    /// Ends an observation with `message` as its last notification.
    pub(super) fn end(&mut self, id: ObservationId, message: coap::Message) {
        let observer = self.remove(id).map(|observer| observer.device().peer.ip());
        let feed = || Some(self.feeds.remove(id)?.device().peer.ip());
        if let Some(address) = observer.or_else(feed) {
            let code = code::Dotted(message.code);
            tracing::info!("the observation of {address} ends with {code}");
            self.last.push_back((id, message));
        }
    }

    /// Ends the observations of a poll, and so the poll.
    pub(super) fn end_poll(&mut self, id: PollId, message: &coap::Message) {
        for observer in self.observers_of(id) {
            self.end(observer, message.clone());
        }
    }

    /// Ends an observation whose device has missed a change.
    pub(super) fn end_incomplete(&mut self, id: ObservationId) {
        let why = "observe again: too much has changed for notifications";
        self.end(id, last(code::SERVICE_UNAVAILABLE, why));
    }

    /// Ends the observations of a poll whose devices have missed a change.
    pub(super) fn end_poll_incomplete(&mut self, id: PollId) {
        for observer in self.observers_of(id) {
            self.end_incomplete(observer);
        }
    }

    /// The observers of a poll.
    pub(super) fn observers_of(&self, id: PollId) -> Vec<ObservationId> {
        let poll = self.polls.get(id);
        poll.map(|poll| poll.topics().observers())
            .unwrap_or_default()
    }

    /// Queues changes for an observer. If its device would not get the latest state, its observation ends.
    pub(super) fn queue(&mut self, id: ObservationId, changes: &Changes) {
        if changes.found.is_empty() && !changes.is_complete {
            return self.end_incomplete(id);
        }
        let Some(observer) = self.observers.get_mut(id) else {
            return;
        };
        let account = &self.queued_bytes;
        match observer.queue_changes(changes, account) {
            Ok(passed_over) => {
                self.passed_over += passed_over;
                self.observers.wake(id);
            }
            Err(Overflow) => self.end_incomplete(id),
        }
    }

    /// The last notification of an observation that has ended.
    pub(super) fn next_last(&mut self) -> Option<(ObservationId, coap::Message)> {
        self.last.pop_front()
    }

    /// Whether a notification may leave at once.
    pub(super) fn has_ready(&self) -> bool {
        !self.last.is_empty() || self.observers.has_ready() || self.feeds.has_ready()
    }
}
