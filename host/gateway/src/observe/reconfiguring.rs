//! What another configuration means for observations: those whose homeserver, account and rule are still there go on, the
//! others end at once, so that their devices begin anew.

use std::sync::Arc;
use std::time::Instant;

use super::broker::{ObserveBroker, PollId};
use super::long_poll::LongPoll;
use super::notification::ended;
use crate::request::Snapshot;
use coap::code;
use runtime::MountTable;

impl ObserveBroker {
    /// Holds every observation against what serves now. Other bounds count for what begins from now on.
    pub fn reconfigure(&mut self, service: &Snapshot, now: Instant) {
        self.limits = service.limits.observation;
        let lost = |poll: &LongPoll| !poll.identity.is_served_by(&service.upstreams);
        for id in self.polls_that(lost) {
            let why = "the gateway's homeservers or access tokens have changed; observe again";
            self.finish_poll(id, &ended(code::SERVICE_UNAVAILABLE, why));
        }
        // A swapped rule takes over at the next call; one that is gone, or at another place, must not keep devices waiting
        // until then.
        for id in self.polls_that(|poll| !serves(&service.rules, poll)) {
            if let Some(poll) = self.polls.get_mut(&id) {
                poll.postpone(now);
            }
        }
    }

    fn polls_that(&self, is: impl Fn(&LongPoll) -> bool) -> Vec<PollId> {
        let polls = self.polls.iter().filter(|(_, poll)| is(poll));
        polls.map(|(id, _)| *id).collect()
    }
}

fn serves(table: &MountTable, poll: &LongPoll) -> bool {
    let mut rules = table.rules().iter();
    rules.any(|rule| Arc::ptr_eq(&rule.revision, &poll.revision))
}
