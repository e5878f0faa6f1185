//! Attempts of deliveries that wait, and what their outcomes lead to.

use std::rc::Rc;
use std::time::{Duration, Instant};

use contract::Outcome;
use futures_util::future::LocalBoxFuture;
use homeserver::{Caller, SentEvent};
use outbox::{Attempt, RecordNumber, Retry, Search};

use super::deliveries::{Deliveries, Inner};
use super::outcome::{Verdict, judge};
use super::reasons::FailureReason;
use super::resuming::{self, Resumed};
use super::row::{Content, End, Ending, Header};
use crate::request::Snapshot;

/// Time for one attempt, its search included. Nobody waits for it.
const TIME: Duration = Duration::from_secs(30);

impl Deliveries {
    /// Work that is due: attempts whose turn it is, and those that go on after their exchange. The event loop makes
    /// them.
    pub(crate) fn next_work(&self) -> Option<LocalBoxFuture<'static, ()>> {
        if let Some(begun) = self.0.background.borrow_mut().pop() {
            return Some(begun);
        }
        let (now, unix) = (self.0.now(), self.0.clock.now());
        let attempt = self.0.outbox.borrow_mut().next_attempt(now, unix)?;
        self.0.counters.attempts.add();
        let inner = self.0.clone();
        Some(Box::pin(async move { make(&inner, attempt).await }))
    }

    /// When to ask for work again.
    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        let due = self.0.outbox.borrow().next_timeout();
        due.map(|due| self.0.instant_of(due))
    }

    /// Ends the pauses that are over.
    pub(crate) fn handle_timeout(&self, now: Instant) {
        let now = self.0.time_of(now);
        self.0.outbox.borrow_mut().handle_timeout(now);
    }

    /// Completes when there may be work.
    pub(crate) async fn changed(&self) {
        self.0.changed.notified().await;
    }
}

/// Makes an attempt. What it leads to is in the outbox when this ends.
async fn make(inner: &Rc<Inner>, attempt: Attempt) {
    let Attempt { number, search } = attempt;
    let Some((header, content)) = inner.load(number).await else {
        return;
    };
    let snapshot = inner.snapshots.load().clone();
    let caller = inner.caller(&snapshot, &header, &content);
    let deadline = tokio::time::Instant::now() + TIME;
    if let Some(search) = search
        && let Some(found) = inner
            .search(&snapshot, &caller, &content, search, deadline)
            .await
    {
        return match found {
            Ok(event) => conclude(inner, number, &header, &content, Ok(event)).await,
            Err(retry) => inner.retry(number, retry),
        };
    }
    let upstreams = &snapshot.upstreams;
    let outcome = upstreams.send(&caller, &content.call, deadline).await;
    conclude(inner, number, &header, &content, outcome).await;
}

/// The outcome of an attempt that went on after its exchange.
pub(super) async fn concluded(inner: &Rc<Inner>, number: RecordNumber, outcome: Outcome) {
    let still_waits = inner.outbox.borrow().waiting(number).is_some();
    if !still_waits {
        return;
    }
    match judge(&outcome) {
        // The log says whose token it is.
        Verdict::Retry(Retry::Token) | Verdict::Sent | Verdict::Refused => {}
        Verdict::Retry(retry) => return inner.retry(number, retry),
    }
    if let Some((header, content)) = inner.load(number).await {
        conclude(inner, number, &header, &content, outcome).await;
    }
}

async fn conclude(
    inner: &Rc<Inner>,
    number: RecordNumber,
    header: &Header,
    content: &Content,
    outcome: Outcome,
) {
    let verdict = judge(&outcome);
    let ending = match verdict {
        Verdict::Retry(retry) => {
            if retry == Retry::Token {
                inner.warn_of_token(header);
            }
            return inner.retry(number, retry);
        }
        Verdict::Sent | Verdict::Refused => {
            let resumed = resuming::resume(inner, header, content, &outcome).await;
            match (verdict, resumed) {
                (Verdict::Sent, Resumed::Replied(details)) => Ending::Sent { details },
                // The homeserver has the message, whatever the rule makes of that.
                (Verdict::Sent, _) => Ending::Sent {
                    details: resuming::event_id(&outcome),
                },
                (_, Resumed::Failed(reason)) => Ending::Failed { reason },
                (_, _) => Ending::Failed {
                    reason: resuming::status(&outcome),
                },
            }
        }
    };
    let end = End {
        at: inner.clock.now(),
        ending,
    };
    if inner.end(number, header, content, &end).await {
        match end.ending {
            Ending::Sent { .. } => inner.counters.sent.add(),
            Ending::Failed { .. } => {
                let reason = FailureReason::of(&outcome);
                inner.counters.add_failed(reason);
            }
        }
    }
    inner.ended(header.id());
}

impl Inner {
    /// The attempt has no final result.
    pub(super) fn retry(&self, number: RecordNumber, retry: Retry) {
        self.counters.add_without_result(retry);
        self.outbox.borrow_mut().retry(self.now(), number, retry);
        self.changed.notify_one();
    }

    /// Searches a room for the event of an earlier attempt; none if it is not there, or if there is nothing to search.
    async fn search(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        content: &Content,
        search: Search,
        deadline: tokio::time::Instant,
    ) -> Option<Result<contract::HttpResponse, Retry>> {
        self.counters.searches.add();
        let upstreams = &snapshot.upstreams;
        let found = upstreams.find_sent(caller, &content.call, search.since, deadline);
        match found.await {
            Ok(SentEvent::Found(response)) => {
                self.counters.found.add();
                Some(Ok(response))
            }
            Ok(SentEvent::NotFound) => None,
            Err(outcome) => match judge(&outcome) {
                Verdict::Retry(retry) => Some(Err(retry)),
                // The room cannot be read: the attempt says why.
                Verdict::Sent | Verdict::Refused => None,
            },
        }
    }
}
