//! All long polls.

use std::collections::BTreeMap;
use std::time::Instant;

use super::long_poll::{LongPoll, PollId};

#[derive(Default)]
pub(super) struct PollTable {
    polls: BTreeMap<PollId, LongPoll>,
    next_id: u64,
}

impl PollTable {
    pub(super) fn insert(&mut self, poll: LongPoll) -> PollId {
        let id = PollId(self.next_id);
        self.next_id += 1;
        self.polls.insert(id, poll);
        id
    }

    pub(super) fn get(&self, id: PollId) -> Option<&LongPoll> {
        self.polls.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: PollId) -> Option<&mut LongPoll> {
        self.polls.get_mut(&id)
    }

    pub(super) fn len(&self) -> usize {
        self.polls.len()
    }

    /// The first poll for which `is` holds.
    pub(super) fn find(&self, is: impl Fn(&LongPoll) -> bool) -> Option<PollId> {
        let mut polls = self.polls.iter();
        polls.find(|(_, poll)| is(poll)).map(|(id, _)| *id)
    }

    /// All polls for which `is` holds.
    pub(super) fn find_all(&self, is: impl Fn(&LongPoll) -> bool) -> Vec<PollId> {
        let polls = self.polls.iter().filter(|(_, poll)| is(poll));
        polls.map(|(id, _)| *id).collect()
    }

    /// The number of polls for which `is` holds.
    pub(super) fn count(&self, is: impl Fn(&LongPoll) -> bool) -> usize {
        self.polls.values().filter(|poll| is(poll)).count()
    }

    /// Whether another poll reads the same account with the same revision and share.
    pub(super) fn has_twin(&self, id: PollId) -> bool {
        let Some(poll) = self.polls.get(&id) else {
            return false;
        };
        let mut others = self.polls.iter().filter(|(other, _)| **other != id);
        others.any(|(_, other)| other.is_twin_of(poll))
    }

    /// A poll whose call is due.
    pub(super) fn first_due(&self, now: Instant) -> Option<PollId> {
        self.find(|poll| poll.due().is_some_and(|due| due <= now))
    }

    /// When the next call is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.polls.values().filter_map(LongPoll::due).min()
    }

    /// Removes a poll without observers, which ends its call.
    pub(super) fn remove_if_unused(&mut self, id: PollId) {
        if self
            .polls
            .get(&id)
            .is_some_and(|poll| poll.topics().is_empty())
        {
            self.polls.remove(&id);
        }
    }
}
