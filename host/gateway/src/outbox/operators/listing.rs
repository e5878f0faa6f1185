//! The list of messages, and the line of each.

use contract::escaping::escaped;
use futures_util::StreamExt;
use futures_util::stream;
use outbox::{Record, RecordNumber, State, short_id};
use store::database::Space;

use super::request::{Listing, Only, RecordLine};
use crate::outbox::deliveries::Inner;
use crate::outbox::row::{Ending, Whole};

/// Messages of one list: with names full of quotation marks each takes 1,280 bytes, and they fit into a reply.
pub(super) const MOST: usize = 400;
/// Rows that are read at a time: the store has them together, and they take 4 MiB at most.
const READS: usize = 16;
/// Bytes of a text in a line.
pub(super) const MAX_TEXT: usize = 100;

/// A message of the outbox, as it was when a command came.
#[derive(Clone, Copy)]
pub(super) struct Found {
    pub(super) number: RecordNumber,
    pub(super) record: Record,
}

impl Inner {
    /// The oldest messages.
    pub(super) async fn list(&self, only: Option<Only>, limit: usize) -> Listing {
        let limit = limit.min(MOST);
        let totals = {
            let outbox = self.outbox.borrow();
            outbox.totals(self.now())
        };
        let (waiting, failed) = (totals.waiting.0, totals.failed.0);
        let all = match only {
            None => waiting + failed,
            Some(Only::Waiting) => waiting,
            Some(Only::Failed) => failed,
        };
        let is_wanted = |state| match state {
            State::Waiting => only != Some(Only::Failed),
            State::Failed => only != Some(Only::Waiting),
            State::Sent => false,
        };
        let found: Vec<Found> = {
            let outbox = self.outbox.borrow();
            let records = outbox.iter().filter(|(_, record)| is_wanted(record.state));
            let found = records.map(|(number, record)| Found {
                number,
                record: *record,
            });
            found.take(limit).collect()
        };
        let lines = found.into_iter().map(|found| async move {
            let whole = self.read_whole(&found).await;
            self.line(&found, whole.as_ref(), MAX_TEXT)
        });
        let records: Vec<RecordLine> = stream::iter(lines).buffered(READS).collect().await;
        Listing {
            left_out: all.saturating_sub(records.len()),
            records,
            waiting,
            waiting_bytes: totals.waiting.1,
            oldest_seconds: totals.oldest.map(|age| age.as_secs()),
            in_flight: totals.in_flight,
            failed,
        }
    }

    /// The row of a message, or why it cannot be read.
    pub(super) async fn read_whole(&self, found: &Found) -> Result<Whole, String> {
        let space = match found.record.state {
            State::Waiting => Space::Waiting,
            State::Sent | State::Failed => Space::Ended,
        };
        match self.database.read(space, found.number).await {
            Ok(Some(row)) => Whole::read(space, &row).map_err(|error| error.to_string()),
            Ok(None) => Err("it has changed while it was read".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// The line of a message, with texts of at most `max` bytes.
    pub(super) fn line(
        &self,
        found: &Found,
        whole: Result<&Whole, &String>,
        max: usize,
    ) -> RecordLine {
        let Found { number, record } = found;
        let age = record.age(self.now(), self.clock.now());
        let text = |text: &str| escaped(text, max);
        let header = whole.ok().map(|whole| &whole.header);
        let content = whole.ok().and_then(|whole| whole.content.as_ref());
        let end = whole.ok().and_then(|whole| whole.end.as_ref());
        let device = header.map(|header| match &header.principal {
            Some(principal) => text(principal),
            None => header.ip.to_canonical().to_string(),
        });
        let failure = match end.map(|end| &end.ending) {
            Some(Ending::Failed { reason }) => Some(text(reason)),
            _ => None,
        };
        let unreadable = whole
            .err()
            .map(|error| text(&format!("its record cannot be read: {error}")));
        let waits_for = self.outbox.borrow().waiting(*number).map(Into::into);
        RecordLine {
            id: short_id(record.id),
            state: record.state.into(),
            age_seconds: age.as_secs(),
            device,
            rule: content.map(|content| text(&content.rule)),
            homeserver: header.map(|header| text(header.origin.trim_end_matches('/'))),
            lane: header.map(|header| text(&header.lane)),
            attempts: record.attempts(),
            waits_for,
            reason: failure.or(unreadable),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::request::{RecordState, WaitsFor};
    use super::*;
    use crate::control::Reply;
    use crate::control::protocol::MAX_REPLY;

    #[test]
    fn the_longest_list_of_the_worst_names_fits_into_a_reply() {
        let name = || Some(escaped(&"\"".repeat(300), MAX_TEXT));
        let line = RecordLine {
            id: "0123456789ab".to_owned(),
            state: RecordState::Waiting,
            age_seconds: u64::MAX,
            device: name(),
            rule: name(),
            homeserver: name(),
            lane: name(),
            attempts: u32::MAX,
            waits_for: Some(WaitsFor::Homeserver),
            reason: name(),
        };
        let records = vec![line; MOST];
        let listing = Listing {
            records,
            ..Listing::default()
        };
        let reply = serde_json::to_vec(&Reply::Records(listing)).unwrap();
        assert!(reply.len() < MAX_REPLY as usize, "{}", reply.len());
    }
}
