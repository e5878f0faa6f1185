//! Asking homeservers on behalf of the devices: calls that are due, and what their answers lead to.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::broker::{ObserveBroker, PollId};
use super::limits::{BREATH, MAX_CHANGE, MAX_CHANGES, WORDS_PER_TURN};
use super::long_poll::{Identity, LongPoll};
use super::notification::ended;
use super::shared_change::SharedChange;
use crate::request::{MAX_HOLD, Snapshot, policy, reply};
use coap::{self, code};
use contract::{Call, Change, Failure, Outcome, Progress};
use homeserver::Upstreams;
use runtime::Trap;

/// A call to make: [`ObserveBroker::polled`] gets its outcome.
pub struct PollCall {
    /// Of which poll.
    pub id: PollId,
    pub(super) identity: Rc<Identity>,
    pub(super) call: Call,
    pub(super) topics: Vec<String>,
    pub(super) cancelled: oneshot::Receiver<()>,
    pub(super) patience: Duration,
}

/// What a poll's call has led to; none where it was given up.
pub type Polled = Option<(Vec<String>, Outcome)>;

impl PollCall {
    /// Makes it.
    pub async fn make(self, upstreams: &Upstreams) -> (PollId, Polled) {
        let Identity {
            account, device, ..
        } = &*self.identity;
        let deadline = tokio::time::Instant::now() + self.patience;
        let call = async {
            let call = upstreams.prepare(device, self.call)?;
            upstreams.poll(account, device, &call, deadline).await
        };
        let polled = tokio::select! {
            biased;
            // It is dropped with the poll, or with another call in its place.
            _ = self.cancelled => None,
            outcome = call => Some((self.topics, outcome)),
        };
        (self.id, polled)
    }
}

impl ObserveBroker {
    /// The next call that is due.
    pub fn next_long_poll(&mut self, service: &Snapshot, now: Instant) -> Option<PollCall> {
        loop {
            let is_due = |poll: &LongPoll| poll.due().is_some_and(|due| due <= now);
            let (id, _) = self.polls.iter().find(|(_, poll)| is_due(poll))?;
            let id = *id;
            if !self.revise(service, now, id, WORDS_PER_TURN) {
                return None;
            }
            let Some(poll) = self.polls.get_mut(&id) else {
                continue;
            };
            if let Some(left) = poll.revision.state().paused(now) {
                poll.postpone(now + left);
                continue;
            }
            if !poll.revision.state().budget.may_compute(now) {
                poll.postpone(now + BREATH);
                continue;
            }
            let topics = poll.topics();
            let request = match poll.revision.poll(&poll.state, &topics) {
                Ok(Some(Ok(request))) => request,
                Ok(Some(Err(failure))) => {
                    self.failed(now, id, failure);
                    continue;
                }
                Ok(None) => {
                    let why = "the translation rule no longer observes";
                    self.finish_poll(id, &ended(code::NOT_FOUND, why));
                    continue;
                }
                Err(trap) => {
                    self.trapped(now, id, &trap);
                    continue;
                }
            };
            let call = match poll.revision.check_call(request) {
                Ok(call) => call,
                Err(denied) => {
                    policy::log_denied(&poll.revision, &Err(denied.into()));
                    self.finish_poll(id, &not_allowed());
                    continue;
                }
            };
            let hold = Duration::from_millis(call.request.hold_ms().into()).min(MAX_HOLD);
            return Some(PollCall {
                id,
                identity: poll.identity.clone(),
                call,
                topics,
                cancelled: poll.ask(now),
                patience: service.deadline + hold,
            });
        }
    }

    /// The outcome of a [`PollCall`].
    pub fn polled(&mut self, now: Instant, id: PollId, polled: Polled) {
        let (Some(poll), Some((topics, outcome))) = (self.polls.get_mut(&id), polled) else {
            return;
        };
        poll.ended();
        let revision = poll.revision.clone();
        policy::log_denied(&revision, &outcome);
        let answer = match outcome {
            Ok(answer) => answer,
            Err(error) if error.reason == "denied" || error.reason == "no-credential" => {
                return self.finish_poll(id, &not_allowed());
            }
            Err(error) if error.reason == "too-large" => return self.unreadable(now, id),
            Err(_) => {
                poll.failed(now, None);
                return;
            }
        };
        let is_success = (200..300).contains(&answer.status);
        let lacking = match is_success {
            true => poll.lacking(&topics),
            false => Vec::new(),
        };
        // Its end lies behind what a topic that has joined since is to be told of. Asked for at once, with that topic; but
        // where they join without end, the others must be told as well.
        if !lacking.is_empty() && poll.may_pass_over() {
            return poll.postpone(now);
        }
        let result = revision.polled(&poll.state, &topics, &answer);
        revision.judge(poll.identity.device.peer.ip(), result.is_err());
        lacking.into_iter().for_each(|observer| self.lose(observer));
        match result {
            Ok(Some(Ok(progress))) => self.proceed(now, id, progress),
            Ok(Some(Err(_))) if is_success => self.unreadable(now, id),
            Ok(Some(Err(failure))) => self.failed(now, id, failure),
            Ok(None) => {}
            Err(trap) => {
                if revision.state().budget.admit_line(now) {
                    tracing::error!("{trap}");
                }
                self.unreadable(now, id);
            }
        }
    }

    /// An answer came and could not be read. It is asked for again, in case it was for a while; then the observers are told
    /// that they miss something.
    fn unreadable(&mut self, now: Instant, id: PollId) {
        let Some(poll) = self.polls.get_mut(&id) else {
            return;
        };
        if poll.was_unreadable(now) {
            let rule = poll.revision.name();
            tracing::warn!(
                "rule {rule}: the answers to a poll cannot be read; its observations end"
            );
            let observers = poll.observers();
            observers
                .into_iter()
                .for_each(|observer| self.lose(observer));
        }
    }

    fn trapped(&mut self, now: Instant, id: PollId, trap: &Trap) {
        if let Some(poll) = self.polls.get_mut(&id) {
            if poll.revision.state().budget.admit_line(now) {
                tracing::error!("{trap}");
            }
            poll.failed(now, None);
        }
    }

    /// The rule's own failure: for a while, or for good.
    fn failed(&mut self, now: Instant, id: PollId, failure: Failure) {
        let Some(poll) = self.polls.get_mut(&id) else {
            return;
        };
        let is_down = code::class(failure.code) == 5;
        if is_down || failure.code == code::TOO_MANY_REQUESTS {
            // How long a homeserver that is down wants to be left alone is a guess; how much it takes is not.
            let wanted = failure.max_age.filter(|_| !is_down);
            let pause = poll.failed(now, wanted);
            if poll.revision.state().budget.admit_line(now) {
                let (rule, code) = (poll.revision.name(), code::Dotted(failure.code));
                let seconds = pause.as_secs();
                tracing::warn!(
                    "rule {rule}: a poll failed with {code}; the next is in {seconds} s"
                );
            }
            return;
        }
        let message = reply::failed(failure).unwrap_or_else(|refusal| refusal.response());
        self.finish_poll(id, &message);
    }

    pub(super) fn finish_poll(&mut self, id: PollId, message: &coap::Message) {
        let observers = self
            .polls
            .get(&id)
            .map(LongPoll::observers)
            .unwrap_or_default();
        for observer in observers {
            self.finish(observer, message.clone());
        }
    }

    /// What a poll has told goes into the queues of its observers.
    fn proceed(&mut self, now: Instant, id: PollId, progress: Progress) {
        let Some(poll) = self.polls.get_mut(&id) else {
            return;
        };
        let Progress {
            state,
            changes,
            lost,
        } = progress;
        let large = |change: &Change| change.payload.len() > MAX_CHANGE;
        if state.len() > poll.revision.limits().state
            || changes.len() > MAX_CHANGES
            || changes.iter().any(large)
        {
            if poll.revision.state().budget.admit_line(now) {
                let rule = poll.revision.name();
                tracing::error!(
                    "rule {rule} broke its contract: state or changes of a poll above their bounds"
                );
            }
            return self.unreadable(now, id);
        }
        poll.succeeded(now, state);
        let revision = poll.revision.clone();
        let mut by_topic: BTreeMap<String, Vec<Rc<SharedChange>>> = BTreeMap::new();
        let mut all = Vec::with_capacity(changes.len());
        for change in changes {
            let told = Rc::new(SharedChange::new(&revision, change));
            let of_topic = by_topic.entry(told.change.topic.clone()).or_default();
            of_topic.push(told.clone());
            all.push(told);
        }
        poll.remember(now, &all);
        let told: Vec<_> = by_topic
            .into_iter()
            .map(|(topic, changes)| (poll.observers_of(&topic), changes))
            .collect();
        let lost: Vec<_> = lost
            .iter()
            .flat_map(|topic| poll.observers_of(topic))
            .collect();
        for (observers, changes) in told {
            for observer in observers {
                let of_id = self.observers.get_mut(&observer);
                match of_id.map(|observer| observer.tell(&changes)) {
                    Some(Err(_)) => self.lose(observer),
                    _ => self.wake(observer),
                }
            }
        }
        lost.into_iter().for_each(|id| self.lose(id));
    }
}

fn not_allowed() -> coap::Message {
    ended(
        code::INTERNAL_SERVER_ERROR,
        "the rule may not poll; its operator finds the reason in the gateway's log",
    )
}
