//! The topics of a long poll and the observers of each.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use coap::ObservationId;

struct Topic {
    /// Every response that moved the poll's state after this moment was requested for this topic as well.
    since: Instant,
    observers: BTreeSet<ObservationId>,
}

#[derive(Default)]
pub(super) struct Topics {
    by_name: BTreeMap<String, Topic>,
}

impl Topics {
    /// Adds an observer. Returns whether its topic is new; a new one is covered since `since`.
    pub(super) fn add(&mut self, topic: &str, since: Instant, id: ObservationId) -> bool {
        if let Some(topic) = self.by_name.get_mut(topic) {
            topic.observers.insert(id);
            return false;
        }
        let observers = BTreeSet::from([id]);
        let joined = Topic { since, observers };
        self.by_name.insert(topic.to_owned(), joined);
        true
    }

    /// Removes an observer, and its topic with the last one.
    pub(super) fn remove(&mut self, topic: &str, id: ObservationId) {
        if let Some(of_topic) = self.by_name.get_mut(topic) {
            of_topic.observers.remove(&id);
            if of_topic.observers.is_empty() {
                self.by_name.remove(topic);
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.by_name.len()
    }

    /// The moment since which a topic is covered.
    pub(super) fn since(&self, topic: &str) -> Option<Instant> {
        self.by_name.get(topic).map(|topic| topic.since)
    }

    /// The names, sorted.
    pub(super) fn names(&self) -> Vec<String> {
        self.by_name.keys().cloned().collect()
    }

    /// The observers of all topics.
    pub(super) fn observers(&self) -> Vec<ObservationId> {
        let topics = self.by_name.values();
        topics.flat_map(|topic| &topic.observers).copied().collect()
    }

    /// The observers of a topic.
    pub(super) fn observers_of(&self, topic: &str) -> Vec<ObservationId> {
        let topic = self.by_name.get(topic).into_iter();
        topic.flat_map(|topic| &topic.observers).copied().collect()
    }

    /// The observers of all topics that are not among `requested`, which is sorted.
    pub(super) fn observers_beyond(&self, requested: &[String]) -> Vec<ObservationId> {
        let topics = self.by_name.iter();
        let beyond = topics.filter(|(topic, _)| requested.binary_search(topic).is_err());
        let observers = beyond.flat_map(|(_, topic)| &topic.observers);
        observers.copied().collect()
    }
}
