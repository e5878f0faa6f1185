//! All feeds, the times of their next polls, and the queue of those with a message to send.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Instant;

use super::feed::Feed;
use coap::ObservationId;

#[derive(Default)]
pub(super) struct FeedTable {
    feeds: HashMap<ObservationId, Entry>,
    due: BTreeSet<(Instant, ObservationId)>,
    /// Feeds that have a message to send.
    ready: VecDeque<ObservationId>,
}

struct Entry {
    feed: Feed,
    /// Its place in `due`.
    due: Option<Instant>,
}

impl FeedTable {
    pub(super) fn insert(&mut self, id: ObservationId, feed: Feed) {
        self.feeds.insert(id, Entry { feed, due: None });
    }

    pub(super) fn remove(&mut self, id: ObservationId) -> Option<Feed> {
        self.set_due(id, None);
        Some(self.feeds.remove(&id)?.feed)
    }

    pub(super) fn get(&self, id: ObservationId) -> Option<&Feed> {
        self.feeds.get(&id).map(|entry| &entry.feed)
    }

    pub(super) fn get_mut(&mut self, id: ObservationId) -> Option<&mut Feed> {
        self.feeds.get_mut(&id).map(|entry| &mut entry.feed)
    }

    pub(super) fn len(&self) -> usize {
        self.feeds.len()
    }

    /// Those for which `is` holds.
    pub(super) fn find_all(&self, is: impl Fn(&Feed) -> bool) -> Vec<ObservationId> {
        let feeds = self.feeds.iter().filter(|(_, entry)| is(&entry.feed));
        feeds.map(|(id, _)| *id).collect()
    }

    /// The number of those, except `but`, for which `is` holds.
    pub(super) fn count(&self, but: Option<ObservationId>, is: impl Fn(&Feed) -> bool) -> usize {
        let feeds = self.feeds.iter();
        let feeds = feeds.filter(|(id, entry)| Some(**id) != but && is(&entry.feed));
        feeds.count()
    }

    /// Sets the time of the next poll; none: it waits for something else.
    pub(super) fn set_due(&mut self, id: ObservationId, at: Option<Instant>) {
        let Some(entry) = self.feeds.get_mut(&id) else {
            return;
        };
        if let Some(before) = entry.due.take() {
            self.due.remove(&(before, id));
        }
        if let Some(at) = at {
            entry.due = Some(at);
            self.due.insert((at, id));
        }
    }

    /// A feed whose poll is due.
    pub(super) fn first_due(&self, now: Instant) -> Option<ObservationId> {
        let (at, id) = self.due.first()?;
        (*at <= now).then_some(*id)
    }

    /// When the next poll is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Puts a feed that has a message into the queue.
    pub(super) fn wake(&mut self, id: ObservationId) {
        self.ready.push_back(id);
    }

    /// The next message to send.
    pub(super) fn next_message(&mut self) -> Option<(ObservationId, coap::Message)> {
        while let Some(id) = self.ready.pop_front() {
            if let Some(message) = self.get_mut(id).and_then(Feed::send) {
                return Some((id, message));
            }
        }
        None
    }

    /// Whether a message may leave at once.
    pub(super) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }
}
