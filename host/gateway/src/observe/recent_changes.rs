//! The recent changes of a long poll, for devices whose request is still in progress when the changes come.

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Instant;

use super::limits::{MAX_RECENT, RECENT_LIFETIME};
use super::shared_change::{Changes, SharedChange};

#[derive(Default)]
pub(super) struct RecentChanges {
    changes: VecDeque<(Instant, Rc<SharedChange>)>,
    /// The time of the latest change that was discarded before its lifetime was over.
    discarded: Option<Instant>,
}

impl RecentChanges {
    /// Keeps `changes`, which came at `now`.
    pub(super) fn add(&mut self, now: Instant, changes: &[Rc<SharedChange>]) {
        let changes = changes.iter().cloned();
        self.changes.extend(changes.map(|change| (now, change)));
        let is_old = |at: Instant| at + RECENT_LIFETIME < now;
        while let Some((at, _)) = self.changes.front()
            && (self.changes.len() > MAX_RECENT || is_old(*at))
        {
            if !is_old(*at) {
                self.discarded = Some(*at);
            }
            self.changes.pop_front();
        }
    }

    /// Discards all of them. A device that registers with an earlier request may have missed a change.
    pub(super) fn clear(&mut self, now: Instant) {
        self.changes.clear();
        self.discarded = Some(now);
    }

    /// The changes of a topic since then; incomplete if some of them may have been discarded, the oldest first.
    pub(super) fn since(&self, since: Instant, topic: &str) -> Changes {
        let changes = self.changes.iter();
        let of_topic = changes.filter(|(at, change)| *at >= since && change.topic() == topic);
        Changes {
            found: of_topic.map(|(_, change)| change.clone()).collect(),
            is_complete: self.discarded.is_none_or(|at| at < since),
        }
    }
}
