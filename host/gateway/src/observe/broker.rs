//! The observations of a gateway, for the event loop: it reports events, and asks for calls and notifications.

use std::time::Instant;

use super::delivery;
use super::feed_result;
use super::feeding::{self, PreparedFeed};
use super::next_feed_poll::next_feed_poll;
use super::next_long_poll::next_long_poll;
use super::notification::{last, set_max_age};
use super::observations::Observations;
use super::poll_call::{CallOf, PollCall, PollResult};
use super::poll_result::on_poll_result;
use super::reconfiguration::reconfigure;
use super::registration::{self, Prepared};
use super::renewal;
use crate::limits::ObservationLimits;
use crate::request::{ObserveRequest, Snapshot};
use coap::{Ended, ObservationId, ObserveEvent, code};
use homeserver::Account;

/// The observations of a gateway.
pub struct ObserveBroker {
    observations: Observations,
}

impl ObserveBroker {
    /// A broker without observations.
    #[must_use]
    pub fn new(limits: ObservationLimits) -> Self {
        let observations = Observations::new(limits);
        Self { observations }
    }

    /// Finds the long poll for an observation that a rule requests, or creates one. Returns none if the device gets a
    /// response without Observe; the log has the reason. `renewed` is the observation that it may renew.
    pub fn prepare(
        &mut self,
        snapshot: &Snapshot,
        now: Instant,
        request: ObserveRequest,
        renewed: Option<ObservationId>,
    ) -> Option<Prepared> {
        registration::prepare(&mut self.observations, snapshot, now, request, renewed)
    }

    /// Starts or renews an observation after its first response, `response`. `id` is none if the endpoint had no room
    /// for it.
    pub fn start(
        &mut self,
        now: Instant,
        id: Option<ObservationId>,
        prepared: Prepared,
        response: coap::Message,
    ) {
        registration::start(&mut self.observations, now, id, prepared, response);
    }

    /// Finds the account of a feed that a rule requests. Returns none if the device gets a response without Observe;
    /// the log has the reason. `replaced` is the observation of its token.
    #[must_use]
    pub fn prepare_feed(
        &self,
        snapshot: &Snapshot,
        now: Instant,
        request: ObserveRequest,
        replaced: Option<ObservationId>,
    ) -> Option<PreparedFeed> {
        feeding::prepare(&self.observations, snapshot, now, request, replaced)
    }

    /// Starts a feed with its first response. `id` is none if the endpoint had no room for it. Its first poll follows
    /// when the endpoint reports the response as delivered.
    pub fn start_feed(&mut self, now: Instant, id: Option<ObservationId>, prepared: PreparedFeed) {
        feeding::start(&mut self.observations, now, id, prepared);
    }

    /// Whether a request renews an existing observation (RFC 7641 §4.1), which then keeps its queue. An observation
    /// with nothing queued and no retained response starts from the beginning, which is the same for its device.
    #[must_use]
    pub fn can_renew(&self, id: ObservationId, prepared: &Prepared) -> bool {
        renewal::can_renew(&self.observations, id, prepared)
    }

    /// The response to a request that renews an observation: the last message that the device got. Changes may have
    /// come since then, and the request has found only the newest; they follow in their order.
    #[must_use]
    pub fn last_message(&self, id: ObservationId) -> Option<coap::Message> {
        renewal::last_message(&self.observations, id)
    }

    /// Sets the Max-Age of a first response, as notifications have it.
    pub fn set_max_age(&self, message: &mut coap::Message) {
        set_max_age(message, self.observations.limits.refresh);
    }

    /// The next call that is due.
    pub fn next_long_poll(&mut self, snapshot: &Snapshot, now: Instant) -> Option<PollCall> {
        let of_feed = next_feed_poll(&mut self.observations, snapshot, now);
        of_feed.or_else(|| next_long_poll(&mut self.observations, snapshot, now))
    }

    /// The result of a [`PollCall`].
    pub fn on_poll_result(&mut self, now: Instant, of: CallOf, result: PollResult) {
        let observations = &mut self.observations;
        match (of, result) {
            (CallOf::Poll(id), result) => on_poll_result(observations, now, id, result),
            (CallOf::Feed(id), Some((_, outcome))) => {
                feed_result::on_feed_result(observations, now, id, outcome);
            }
            (CallOf::Feed(_), None) => {}
        }
    }

    /// The endpoint has delivered a notification or ended an observation.
    pub fn on_observe_event(&mut self, now: Instant, event: ObserveEvent) {
        let observations = &mut self.observations;
        match event {
            ObserveEvent::Delivered(id) => {
                delivery::on_delivered(observations, now, id);
                feed_result::on_delivered(observations, now, id);
            }
            ObserveEvent::Unfetched(id) => feed_result::on_unfetched(observations, id),
            // The endpoint counts those that made room for others: a flood must not fill the log.
            ObserveEvent::Ended(id, Ended::Replaced | Ended::Deregistered | Ended::Displaced) => {
                observations.remove(id);
                observations.feeds.remove(id);
            }
            ObserveEvent::Ended(id, why) => {
                let observer = observations.remove(id);
                let observer = observer.map(|observer| observer.device().peer.ip());
                let feed = || Some(observations.feeds.remove(id)?.device().peer.ip());
                if let Some(address) = observer.or_else(feed) {
                    tracing::info!("the observation of {address} ended: {why}");
                }
            }
        }
    }

    /// The next notification to send.
    pub fn next_notification(&mut self, now: Instant) -> Option<(ObservationId, coap::Message)> {
        let observations = &mut self.observations;
        let of_feed = observations
            .next_last()
            .or_else(|| observations.feeds.next_message());
        of_feed.or_else(|| delivery::next_notification(observations, now))
    }

    /// Whether a notification may leave at once.
    #[must_use]
    pub fn has_ready(&self) -> bool {
        self.observations.has_ready()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), [`next_long_poll`](Self::next_long_poll) and
    /// [`next_notification`](Self::next_notification) again.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Instant> {
        let polls = self.observations.polls.next_due();
        let observers = self.observations.observers.next_timeout();
        let feeds = self.observations.feeds.next_due();
        [polls, observers, feeds].into_iter().flatten().min()
    }

    /// Queues the refreshes that are due.
    pub fn handle_timeout(&mut self, now: Instant) {
        delivery::refresh(&mut self.observations, now);
    }

    /// Applies another configuration. Each observation continues if a new request of its device would be served, and
    /// would use the same account; the others end at once. New limits apply to new observations.
    pub fn reconfigure(&mut self, snapshot: &Snapshot, now: Instant) {
        reconfigure(&mut self.observations, snapshot, now);
    }

    /// Ends the observations of an account whose access token is no longer valid.
    pub fn on_logout(&mut self, account: &Account) {
        let polls = &self.observations.polls;
        for id in polls.find_all(|poll| poll.account().account().is(account)) {
            let why = "the access token was logged out";
            self.observations
                .end_poll(id, &last(code::UNAUTHORIZED, why));
        }
        let feeds = &self.observations.feeds;
        for id in feeds.find_all(|feed| feed.account().account().is(account)) {
            let why = "the access token was logged out";
            self.observations.end(id, last(code::UNAUTHORIZED, why));
        }
    }

    /// Ends every observation, because the gateway stops.
    pub fn end_all(&mut self) {
        let mut ids = self.observations.observers.ids();
        ids.extend(self.observations.feeds.find_all(|_| true));
        for id in ids {
            let why = "this gateway is shutting down; observe again";
            self.observations
                .end(id, last(code::SERVICE_UNAVAILABLE, why));
        }
    }

    /// Observations that were not started because too many long polls run.
    #[must_use]
    pub fn refused_polls(&self) -> u64 {
        self.observations.refused_polls
    }

    /// Changes that observers did not get because newer ones took their place.
    #[must_use]
    pub fn passed_over(&self) -> u64 {
        self.observations.passed_over
    }

    /// The bytes of the changes and notifications that wait for observers.
    #[must_use]
    pub fn queued_bytes(&self) -> usize {
        self.observations.queued_bytes.in_all()
    }

    /// The number of observations, and of long polls.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        let observations = &self.observations;
        let (observers, feeds) = (observations.observers.len(), observations.feeds.len());
        (observers + feeds, observations.polls.len() + feeds)
    }
}
