//! Which notification leaves next, and when the last one is sent again.

use std::time::Instant;

use super::broker::ObserveBroker;
use super::limits::BREATH;
use super::long_poll::LongPoll;
use super::notification::{keep_fresh, rule_failed};
use super::observer::Item;
use coap::{self, ObservationId, code};

impl ObserveBroker {
    /// The next notification to send.
    pub fn poll_notification(&mut self, now: Instant) -> Option<(ObservationId, coap::Message)> {
        if let Some(last) = self.last.pop_front() {
            return Some(last);
        }
        if self.breathing.is_some_and(|until| until <= now) {
            self.breathing = None;
            self.ready.extend(self.held.drain(..));
        }
        while let Some(id) = self.ready.pop_front() {
            let Some(observer) = self
                .observers
                .get_mut(&id)
                .filter(|observer| observer.is_ready())
            else {
                continue;
            };
            if let Some(Item::Change(told)) = observer.next()
                && !told.revision.state().budget.may_compute(now)
            {
                // Those of other rules go on.
                self.held.push(id);
                self.breathing.get_or_insert(now + BREATH);
                continue;
            }
            let Some(item) = observer.send() else {
                continue;
            };
            let result = item.message(&observer.context);
            if let Item::Change(told) = &item {
                told.revision
                    .judge(observer.device.peer.ip(), result.is_err());
                if let Err(trap) = &result
                    && told.revision.state().budget.admit_line(now)
                {
                    tracing::error!("{trap}");
                }
            }
            let message = result.unwrap_or_else(|_| rule_failed());
            if code::class(message.code) != 2 {
                self.finish(id, message);
                return self.last.pop_front();
            }
            let mut message = message;
            keep_fresh(&mut message, self.limits.refresh);
            return Some((id, message));
        }
        None
    }

    /// When [`handle_timeout`](Self::handle_timeout), [`next_long_poll`](Self::next_long_poll) or
    /// [`poll_notification`](Self::poll_notification) has something to do.
    pub fn next_timeout(&self) -> Option<Instant> {
        let polls = self.polls.values().filter_map(LongPoll::due).min();
        let refresh = self.refreshes.first().map(|(at, _)| *at);
        [polls, refresh, self.breathing].into_iter().flatten().min()
    }

    /// Whether notifications wait that could leave at once.
    pub fn has_ready(&self) -> bool {
        !self.last.is_empty() || !self.ready.is_empty()
    }

    /// Sends again what was sent last where nothing new has come for long.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some((at, id)) = self.refreshes.first().copied().filter(|(at, _)| *at <= now) {
            self.refreshes.remove(&(at, id));
            let Some(observer) = self.observers.get_mut(&id) else {
                continue;
            };
            observer.refresh_at = now + self.limits.refresh;
            self.refreshes.insert((observer.refresh_at, id));
            if let Some(last) = observer.last.clone().filter(|_| observer.is_idle()) {
                let _ = observer.push(last);
                self.wake(id);
            }
        }
    }
}
