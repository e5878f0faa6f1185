//! Attempts: which delivery is next, and what an attempt without a final result leaves behind.

use std::time::Duration;

use crate::outbox::Outbox;
use crate::record::{RecordNumber, Uncertain, seconds};
use crate::retry::Retry;

/// Homeservers forget transaction ids: Synapse those without a device after 30 to 60 minutes. A later attempt is
/// preceded by a search. Ten minutes less, since the homeserver counts from the first attempt: an attempt of the same
/// message at once, of which this outbox has no record, can have been a lifetime of a message ID earlier.
const REMEMBERED: Duration = Duration::from_secs(20 * 60);

/// A delivery to attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Its record.
    pub number: RecordNumber,
    /// None if no earlier attempt can have had an effect.
    pub search: Option<Search>,
}

/// What to search for: the effect of an earlier attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Search {
    /// Unix time of the first attempt that can have had an effect; none if it is unknown.
    pub since: Option<u64>,
    /// Whether the homeserver may have forgotten the transaction id since then. While it remembers it, another attempt
    /// with the same access token is no other message.
    pub is_forgotten: bool,
}

impl Outbox {
    /// The next delivery to attempt. It is in flight until [`Outbox::ended`] or [`Outbox::retry`].
    pub fn next_attempt(&mut self, now: Duration, unix: Option<u64>) -> Option<Attempt> {
        let number = self.scheduler.next(now)?;
        let record = self.records.get_mut(number)?;
        record.attempts = record.attempts.saturating_add(1);
        let uncertain = record.uncertain_for(now);
        let search = uncertain.map(|ago| Search {
            since: record.uncertain_since(now, unix),
            is_forgotten: ago >= REMEMBERED,
        });
        Some(Attempt { number, search })
    }

    /// The device has repeated a delivery that waits, and that was attempted.
    pub fn attempted_again(&mut self, now: Duration, number: RecordNumber) {
        if let Some(record) = self.records.get_mut(number)
            && record.uncertain == Uncertain::No
        {
            record.uncertain = Uncertain::Since(seconds(now));
        }
    }

    /// Access tokens have changed. A homeserver recognises an attempt that comes again by its token as well.
    pub fn tokens_changed(&mut self) {
        for record in self.records.iter_mut() {
            if let Uncertain::Since(_) = record.uncertain {
                record.uncertain = Uncertain::Forgotten;
            }
        }
    }

    /// A search has not found the effect of an earlier attempt: there was none.
    pub fn not_sent(&mut self, number: RecordNumber) {
        if let Some(record) = self.records.get_mut(number) {
            record.uncertain = Uncertain::No;
        }
    }

    /// The homeserver has responded to the attempt. Call [`Outbox::ended`] as soon as the store has the result.
    pub fn record(&mut self, now: Duration, number: RecordNumber) {
        if let Some(record) = self.records.get(number)
            && self.scheduler.has_turn(record.origin.lane, number)
        {
            self.scheduler.record(now, record.origin.lane);
        }
    }

    /// The attempt has no final result.
    pub fn retry(&mut self, now: Duration, number: RecordNumber, why: Retry) {
        let Some(record) = self.records.get_mut(number) else {
            return;
        };
        let lane = record.origin.lane;
        match why {
            Retry::TimedOut | Retry::Server if record.uncertain == Uncertain::No => {
                record.uncertain = Uncertain::Since(seconds(now));
            }
            _ => {}
        }
        if self.scheduler.has_turn(lane, number) {
            self.scheduler.retry(now, lane, why);
        } else {
            self.scheduler.end_early_attempt(lane, number);
        }
    }
}
