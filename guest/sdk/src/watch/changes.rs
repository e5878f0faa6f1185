//! From a poll's response to the contract's progress, within its bounds.

use super::position::Position;
use super::timeline::{SyncItem, read};
use crate::bindings::{Change, HttpResponse, Progress};
use crate::error_response::ErrorResponse;
use crate::homeserver_error::check_status;
use crate::payload::Format;
use crate::text_message::TextMessage;

/// Changes of a response (`types.progress` in `wit/types.wit`).
pub const MAX_CHANGES: usize = 1024;

/// Bytes of a change's payload (`types.change` in `wit/types.wit`).
pub const MAX_PAYLOAD: usize = 16 * 1024;

/// Bytes of all changes: with a response of a mebibyte they must fit into an instance's 2 MiB.
const MAX_BYTES: usize = 384 * 1024;

/// The changes in a response.
///
/// A topic with more changes than there may be, or with one that is too large, is lost: it has no changes. Its
/// devices observe again, and get the latest message whole in the first response.
#[derive(Debug, Default)]
pub struct Changes {
    changes: Vec<Change>,
    /// In ascending order.
    lost: Vec<String>,
    bytes: usize,
}

impl Changes {
    /// Adds one.
    pub fn push(&mut self, topic: &str, payload: Vec<u8>) {
        self.bytes += topic.len() + payload.len();
        let fits = payload.len() <= MAX_PAYLOAD
            && self.bytes <= MAX_BYTES
            && self.changes.len() < MAX_CHANGES;
        if fits {
            self.changes.push(Change {
                topic: topic.to_owned(),
                payload,
            });
        } else {
            // Before anything else is allocated: only then its memory is used again (`allocator`).
            drop(payload);
            self.lose(topic);
        }
    }

    /// Marks a topic as one with missing changes.
    pub fn lose(&mut self, topic: &str) {
        if let Err(place) = self.lost.binary_search_by(|lost| lost.as_str().cmp(topic)) {
            self.lost.insert(place, topic.to_owned());
        }
    }

    fn progress(mut self, position: &Position) -> Progress {
        let lost = &self.lost;
        self.changes
            .retain(|change| lost.binary_search(&change.topic).is_err());
        Progress {
            state: position.state(),
            changes: self.changes,
            lost: self.lost,
        }
    }
}

/// The progress that a response leads to. `found` adds the changes of a room's message, or loses the topics of a room
/// of which messages are missing: there were too many, or the account has left.
pub fn polled(
    position: Position,
    response: &HttpResponse,
    found: &mut dyn FnMut(&mut Changes, &str, Option<TextMessage<'_>>),
) -> Result<Progress, ErrorResponse> {
    // JSON is text, which a failure's diagnostic needs.
    check_status(Format::Json, response)?;
    let mut changes = Changes::default();
    let since = read(&response.body, &mut |item| match item {
        SyncItem::Message(room, message) => found(&mut changes, room, Some(message)),
        SyncItem::Joined { limited: false, .. } => {}
        SyncItem::Joined { room, .. } | SyncItem::Left(room) => found(&mut changes, room, None),
    })?;
    Ok(changes.progress(&Position { since, ..position }))
}
