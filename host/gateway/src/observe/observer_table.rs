//! All observers: the queue of those with a notification to send, and the times of their refreshes.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Instant;

use super::limits::COMPUTE_PAUSE;
use super::observer::Observer;
use coap::ObservationId;

#[derive(Default)]
pub(super) struct ObserverTable {
    observers: HashMap<ObservationId, Observer>,
    /// Observers for which a notification may leave.
    ready: VecDeque<ObservationId>,
    /// Observers whose rule has used its computing time.
    deferred: Vec<ObservationId>,
    /// When the deferred ones are ready again.
    deferred_until: Option<Instant>,
    refreshes: BTreeSet<(Instant, ObservationId)>,
}

impl ObserverTable {
    pub(super) fn insert(&mut self, id: ObservationId, observer: Observer) {
        self.refreshes.insert((observer.refresh_at(), id));
        self.observers.insert(id, observer);
    }

    pub(super) fn remove(&mut self, id: ObservationId) -> Option<Observer> {
        let observer = self.observers.remove(&id)?;
        self.refreshes.remove(&(observer.refresh_at(), id));
        Some(observer)
    }

    pub(super) fn get(&self, id: ObservationId) -> Option<&Observer> {
        self.observers.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: ObservationId) -> Option<&mut Observer> {
        self.observers.get_mut(&id)
    }

    pub(super) fn len(&self) -> usize {
        self.observers.len()
    }

    pub(super) fn ids(&self) -> Vec<ObservationId> {
        self.observers.keys().copied().collect()
    }

    /// Puts an observer into the ready queue if a notification can leave.
    pub(super) fn wake(&mut self, id: ObservationId) {
        if self.observers.get(&id).is_some_and(Observer::is_ready) {
            self.ready.push_back(id);
        }
    }

    /// The next observer for which a notification can leave.
    pub(super) fn next_ready(&mut self, now: Instant) -> Option<ObservationId> {
        if self.deferred_until.is_some_and(|until| until <= now) {
            self.deferred_until = None;
            self.ready.append(&mut self.deferred.drain(..).collect());
        }
        while let Some(id) = self.ready.pop_front() {
            if self.observers.get(&id).is_some_and(Observer::is_ready) {
                return Some(id);
            }
        }
        None
    }

    /// Makes an observer ready again later, when its rule may compute. Observers of other rules are not delayed.
    pub(super) fn defer(&mut self, now: Instant, id: ObservationId) {
        self.deferred.push(id);
        self.deferred_until.get_or_insert(now + COMPUTE_PAUSE);
    }

    /// Whether a notification may leave at once.
    pub(super) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Sets the time of an observer's refresh.
    pub(super) fn set_refresh(&mut self, id: ObservationId, at: Instant) {
        if let Some(observer) = self.observers.get_mut(&id) {
            self.refreshes.remove(&(observer.refresh_at(), id));
            self.refreshes.insert((at, id));
            observer.set_refresh_at(at);
        }
    }

    /// An observer whose refresh is due.
    pub(super) fn first_refresh(&self, now: Instant) -> Option<ObservationId> {
        let (at, id) = self.refreshes.first()?;
        (*at <= now).then_some(*id)
    }

    /// When a refresh is due, or a deferred observer is ready again.
    pub(super) fn next_timeout(&self) -> Option<Instant> {
        let refresh = self.refreshes.first().map(|(at, _)| *at);
        [refresh, self.deferred_until].into_iter().flatten().min()
    }
}
