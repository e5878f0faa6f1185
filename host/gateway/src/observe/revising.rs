//! What a swap means for observations: at a poll's next call its rule's new revision takes over, with the former one's
//! state. At most two revisions live: what the former one has told is put into words before it goes.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use super::broker::{ObserveBroker, PollId};
use super::long_poll::LongPoll;
use super::notification::{ended, rule_failed};
use super::observer::{Item, Observer};
use crate::request::Snapshot;
use coap::code;
use runtime::Revision;

impl ObserveBroker {
    /// Hands a poll to the revision that serves now, if it is another one. Observations that it does not know end. False
    /// where more than `most` notifications are to be put into words first: the rest of them at the next call.
    pub(super) fn revise(
        &mut self,
        service: &Snapshot,
        now: Instant,
        id: PollId,
        most: usize,
    ) -> bool {
        let Some(poll) = self.polls.get(&id) else {
            return true;
        };
        let mut rules = service.rules.rules().iter().map(|rule| &rule.revision);
        let current = rules.find(|revision| revision.name() == poll.revision.name());
        if current.is_some_and(|current| Arc::ptr_eq(current, &poll.revision)) {
            return true;
        }
        let observers = poll.observers();
        let mut left = most;
        for observer in &observers {
            if let Some(of_id) = self.observers.get_mut(observer) {
                put_into_words(of_id, &mut left);
            }
            if left == 0 {
                return false;
            }
        }
        for observer in observers {
            let of_id = self.observers.get_mut(&observer);
            let is_known = of_id.is_some_and(|of_id| {
                current.is_some_and(|current| relink(service, current, of_id))
            });
            if !is_known {
                let why = "this resource is no longer observable";
                self.finish(observer, ended(code::NOT_FOUND, why));
            }
        }
        let (Some(current), Some(poll)) = (current, self.polls.get_mut(&id)) else {
            return true;
        };
        match current.poll(&poll.state, &poll.topics()) {
            Ok(Some(Ok(_))) => {
                poll.revise(now, current.clone());
                self.drop_twin(id);
            }
            _ => {
                let why = "the translation has changed; observe again";
                self.finish_poll(id, &ended(code::SERVICE_UNAVAILABLE, why));
            }
        }
        true
    }

    /// Ends a poll where another one of its account has begun with the same revision: an exchange of the former revision,
    /// under way during the swap, has made one of the two.
    fn drop_twin(&mut self, id: PollId) {
        let Some(poll) = self.polls.get(&id) else {
            return;
        };
        let is_twin = |other: &LongPoll| {
            Arc::ptr_eq(&other.revision, &poll.revision)
                && other.share == poll.share
                && other.identity.account.is(&poll.identity.account)
        };
        let mut others = self.polls.iter().filter(|(other, _)| **other != id);
        if others.any(|(_, other)| is_twin(other)) {
            let why = "the translation has changed; observe again";
            self.finish_poll(id, &ended(code::SERVICE_UNAVAILABLE, why));
        }
    }
}

/// The former revision makes the notifications that wait, as many as are left.
fn put_into_words(observer: &mut Observer, left: &mut usize) {
    let context = observer.context.clone();
    for item in observer.waiting_mut() {
        if *left == 0 {
            return;
        }
        if matches!(item, Item::Change(_)) {
            let message = item.message(&context).unwrap_or_else(|_| rule_failed());
            *item = Item::Message(Rc::new(message));
            *left -= 1;
        }
    }
}

/// Finds the link of the new revision that the observer's path means; whether there is one.
fn relink(service: &Snapshot, current: &Arc<Revision>, observer: &mut Observer) -> bool {
    let path: Vec<&str> = observer.path.iter().map(String::as_str).collect();
    let Some((revision, found)) = service.find(&path, code::GET) else {
        return false;
    };
    let link = &revision.description().links[usize::from(found.link)];
    let is_observable = Arc::ptr_eq(&revision, current) && link.observable;
    observer.context.link = found.link;
    observer.context.captures = found.captures;
    is_observable && current.observes()
}
