//! Changes that an operator makes.

use contract::escaping::escaped;
use outbox::{RecordNumber, State, Waiting, short_id};
use store::database::{Batch, Space};

use super::finding::find;
use super::listing::{Found, MAX_TEXT};
use crate::control::Reply;
use crate::outbox::deliveries::Inner;
use crate::outbox::reasons::FailureReason;
use crate::outbox::reviving::NotRevived;
use crate::telemetry::operator::TARGET;

/// Failed messages that are revived by one batch of the store: 1 to 2 MiB of the largest ones.
const AT_A_TIME: usize = 8;

impl Inner {
    /// Ends all pauses; failed messages wait again, in their order.
    pub(super) async fn retry_all(&self) -> Reply {
        let (waiting, failed) = {
            let mut outbox = self.outbox.borrow_mut();
            outbox.set_going();
            let mut waiting = 0_usize;
            let mut failed: Vec<RecordNumber> = Vec::new();
            for (number, record) in outbox.iter() {
                match record.state {
                    State::Waiting => waiting += 1,
                    State::Failed => failed.push(number),
                    State::Sent => {}
                }
            }
            (waiting, failed)
        };
        self.changed.notify_one();
        let mut revived = 0;
        let mut not = None;
        for numbers in failed.chunks(AT_A_TIME) {
            let done = self.revive(numbers).await;
            revived += done.count;
            not = not.or(done.not);
            // Others have no chance.
            if matches!(not, Some(NotRevived::Disk(_))) {
                break;
            }
        }
        let line = format!(
            "the pauses of {waiting} waiting messages have ended; {revived} of {} failed ones wait again",
            failed.len()
        );
        tracing::info!(target: TARGET, "outbox: {line}");
        match not.filter(|_| revived < failed.len()) {
            Some(reason) => Reply::Refused(format!("{line}; the first of the others: {reason}")),
            None => Reply::Done(line),
        }
    }

    /// The same, of one message.
    pub(super) async fn retry_one(&self, id: &str) -> Reply {
        let Found { number, record } = match self.found(id) {
            Ok(found) => found,
            Err(refused) => return refused,
        };
        let short = short_id(record.id);
        match record.state {
            State::Sent => Reply::Refused(format!(
                "message {short} was sent; `comatrix-gateway outbox show {short}` says as what"
            )),
            State::Failed => {
                let revived = self.revive(&[number]).await;
                match revived.not {
                    None => {
                        self.set_going_for(record.id);
                        Reply::Done(format!("message {short} waits again"))
                    }
                    Some(reason) => {
                        Reply::Refused(format!("message {short} does not wait again: {reason}"))
                    }
                }
            }
            State::Waiting => {
                let waits_for = self.outbox.borrow().waiting(number);
                self.set_going_for(record.id);
                Reply::Done(match waits_for {
                    Some(Waiting::InFlight) => format!("message {short} is in flight"),
                    Some(Waiting::Lane) => format!(
                        "message {short} waits for those before it in its lane, whose pause has ended"
                    ),
                    _ => format!("the pause of message {short} has ended"),
                })
            }
        }
    }

    /// Removes a message; says which one it was.
    pub(in crate::outbox) async fn drop_one(&self, id: &str) -> Reply {
        let found = match self.found(id) {
            Ok(found) => found,
            Err(refused) => return refused,
        };
        let whole = self.read_whole(&found).await;
        let line = self.line(&found, whole.as_ref(), MAX_TEXT);
        let Found { number, record } = found;
        let short = short_id(record.id);
        if !self.begin_drop(&Found { number, record }) {
            return Reply::Refused(format!(
                "message {short} is in flight or has just changed; when its attempt has ended without a result, it \
                 can be dropped"
            ));
        }
        self.unrecorded.leave(&[number]);
        let mut batch = Batch::new();
        batch.delete(Space::Waiting, number);
        batch.delete(Space::Ended, number);
        let committed = self.commit(batch).await;
        self.outbox.borrow_mut().drop(number);
        if record.state == State::Waiting {
            self.counters.add_failed(FailureReason::Dropped);
        }
        // Also wakes the event loop: the next one of the lane has its turn.
        self.ended(record.id);
        let what = format!(
            "message {short} of {} to {} at {}",
            line.device.as_deref().unwrap_or("an unreadable device"),
            line.lane.as_deref().unwrap_or("an unreadable room"),
            line.homeserver
                .as_deref()
                .unwrap_or("an unreadable homeserver"),
        );
        tracing::info!(target: TARGET, "outbox: dropped {what}");
        match committed {
            Ok(()) => Reply::Done(format!("dropped {what}")),
            Err(error) => Reply::Refused(format!(
                "dropped {what}, but only until the gateway starts again: {}; then drop it once more",
                escaped(&error.to_string(), 300)
            )),
        }
    }

    /// Whether a message may leave. If it waits, neither it nor those behind it have a turn until the disk says so: a
    /// power cut that brings it back must not find that a later one was attempted.
    fn begin_drop(&self, found: &Found) -> bool {
        let mut outbox = self.outbox.borrow_mut();
        let state = outbox.get(found.number).map(|record| record.state);
        match state {
            Some(State::Waiting) => outbox.begin_leaving(found.number),
            state => state == Some(found.record.state),
        }
    }

    fn found(&self, id: &str) -> Result<Found, Reply> {
        match find(&self.outbox.borrow(), id) {
            Ok((number, record)) => Ok(Found {
                number,
                record: *record,
            }),
            Err(error) => Err(Reply::Refused(error.to_string())),
        }
    }

    /// A record has another number after it was revived: its id finds it.
    fn set_going_for(&self, id: contract::DeliveryId) {
        let mut outbox = self.outbox.borrow_mut();
        let number = outbox.with_prefix(&id.to_string()).and_then(|mut found| {
            let (number, _) = found.next()?;
            Some(number)
        });
        if let Some(number) = number {
            outbox.set_going_for(number);
        }
        self.changed.notify_one();
    }
}
