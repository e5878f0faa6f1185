//! Attempts of deliveries that wait, and what their outcomes lead to.

use std::rc::Rc;
use std::time::{Duration, Instant};

use contract::Outcome;
use contract::secret::AccessToken;
use futures_util::future::{LocalBoxFuture, join_all};
use homeserver::{Caller, SentEvent};
use outbox::{Attempt, RecordNumber, Retry, Search};
use store::database::Space;

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

/// Messages of a lane that were sent before one that is searched for: the last ones, as equal ones follow each other.
const MOST_OTHERS: usize = 64;

/// Makes an attempt. What it leads to is in the outbox when this ends.
async fn make(inner: &Rc<Inner>, attempt: Attempt) {
    let Attempt { number, search } = attempt;
    let Some((header, content)) = inner.load(number).await else {
        return;
    };
    let snapshot = inner.snapshots.load().clone();
    let caller = inner.caller(&snapshot, &header, &content);
    let deadline = tokio::time::Instant::now() + TIME;
    // Homeservers recognise an attempt that comes again by its access token too.
    let is_due = |search: &Search| search.is_forgotten || has_other_token(&caller, &content);
    if let Some(search) = search.filter(is_due) {
        let found = inner.search(number, &snapshot, &caller, &content, search, deadline);
        match found.await {
            Searched::Outcome(outcome) => {
                let token = caller.token.as_ref();
                return conclude(inner, number, (&header, &content), token, outcome).await;
            }
            Searched::NotFound => inner.outbox.borrow_mut().not_sent(number),
            Searched::Impossible => {}
        }
    }
    let outcome = inner
        .calls
        .send(&snapshot, &caller, &content.call, deadline)
        .await;
    let token = caller.token.as_ref();
    conclude(inner, number, (&header, &content), token, outcome).await;
}

/// The result of a search.
enum Searched {
    /// The outcome that the attempt would have.
    Outcome(Outcome),
    /// The event is not there.
    NotFound,
    /// The homeserver has no such request: the attempt is made.
    Impossible,
}

/// Whether the user has got another access token since the delivery was stored.
fn has_other_token(caller: &Caller, content: &Content) -> bool {
    let stored = content.token.as_ref().map(|token| token.0.digest());
    stored != caller.token.as_ref().map(AccessToken::digest)
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
        let token = content.token.as_ref().map(|token| &token.0);
        conclude(inner, number, (&header, &content), token, outcome).await;
    }
}

/// `token`: the device's, with which the attempt was made.
async fn conclude(
    inner: &Rc<Inner>,
    number: RecordNumber,
    (header, content): (&Header, &Content),
    token: Option<&AccessToken>,
    outcome: Outcome,
) {
    let verdict = judge(&outcome);
    let ending = match verdict {
        Verdict::Retry(retry) => {
            inner.retry(number, retry);
            match &outcome {
                _ if retry == Retry::Token => inner.token_refused(header, token, &outcome),
                // Only the operator can help.
                Err(error) if matches!(&*error.reason, "denied" | "no-credential") => {
                    inner.warn_of_token(header, &outcome);
                }
                _ => {}
            }
            return;
        }
        Verdict::Sent | Verdict::Refused => {
            inner.outbox.borrow_mut().record(inner.now(), number);
            inner.changed.notify_one();
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

    /// Searches a room for the event of an earlier attempt.
    async fn search(
        &self,
        number: RecordNumber,
        snapshot: &Snapshot,
        caller: &Caller,
        content: &Content,
        search: Search,
        deadline: tokio::time::Instant,
    ) -> Searched {
        self.counters.searches.add();
        let others = self.sent_before(number).await;
        let found =
            self.calls
                .find_sent(snapshot, caller, &content.call, search, &others, deadline);
        match found.await {
            Ok(SentEvent::Found(response)) => {
                self.counters.found.add();
                Searched::Outcome(Ok(response))
            }
            Ok(SentEvent::NotFound) => Searched::NotFound,
            // Whoever may not read the room may not write in it. If it can be read again, the event may be there.
            Err(Ok(response)) if response.status == 403 => Searched::Outcome(Ok(response)),
            Err(outcome) if judge(&outcome) == Verdict::Refused => Searched::Impossible,
            Err(outcome) => Searched::Outcome(outcome),
        }
    }

    /// The ids of events that messages of the same lane have got: an event with the same content may be one of them.
    async fn sent_before(&self, number: RecordNumber) -> Vec<String> {
        let numbers = self.outbox.borrow().sent_of_lane(number, MOST_OTHERS);
        let rows = numbers
            .into_iter()
            .map(|number| self.database.read(Space::Ended, number));
        let rows = join_all(rows).await.into_iter().flatten().flatten();
        rows.filter_map(|row| resuming::event_id_in(&row)).collect()
    }
}
