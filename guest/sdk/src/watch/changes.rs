//! From a poll's response to the contract's progress, within its bounds.

use super::position::Position;
use super::timeline::{SyncItem, read};
use crate::bindings::{Change, HttpResponse, Progress};
use crate::error_response::ErrorResponse;
use crate::homeserver_error::{Repetition, check_status};
use crate::payload::Format;
use crate::text_message::TextMessage;

/// Changes of a response (`types.progress` in `wit/types.wit`).
pub const MAX_CHANGES: usize = 1024;

/// Bytes of a change's payload (`types.change` in `wit/types.wit`).
pub const MAX_PAYLOAD: usize = 16 * 1024;

/// Bytes of all changes: with a response of a mebibyte they must fit into an instance's 2 MiB.
const MAX_BYTES: usize = 384 * 1024;

/// What a response says about a room.
#[derive(Debug, Clone, Copy)]
pub enum Found<'a> {
    /// It has this message.
    Message(TextMessage<'a>),
    /// It had more messages, before those in the response.
    Gap,
    /// The account has left it.
    Left,
}

/// The changes in a response.
///
/// A topic of which changes are missing is lost, and has only the changes after them. If it has none, because the last
/// one is too large, for example, its devices observe again and get the latest message whole in the first response.
#[derive(Debug, Default)]
pub struct Changes {
    changes: Vec<Change>,
    /// In ascending order.
    lost: Vec<String>,
    /// Those that get no more changes, in ascending order.
    ended: Vec<String>,
    bytes: usize,
    /// Whether there is no room for another change of any topic.
    is_full: bool,
}

impl Changes {
    /// Adds one.
    pub fn push(&mut self, topic: &str, payload: Vec<u8>) {
        let is_large = payload.len() > MAX_PAYLOAD;
        if !is_large {
            self.bytes += topic.len() + payload.len();
            self.is_full |= self.bytes > MAX_BYTES || self.changes.len() >= MAX_CHANGES;
        }
        if !is_large && !self.is_full {
            self.changes.push(Change {
                topic: topic.to_owned(),
                payload,
            });
            return;
        }
        // Before anything else is allocated: only then its memory is used again (`allocator`).
        drop(payload);
        // When it is full, no topic gets another change: each is searched through once.
        if is_large || insert(&mut self.ended, topic) {
            self.lose(topic);
        }
    }

    /// Marks a topic as one with missing changes after those that it has, which it loses.
    pub fn lose(&mut self, topic: &str) {
        self.changes.retain(|change| change.topic != topic);
        self.miss(topic);
    }

    /// Marks a topic as one with missing changes before those that it has.
    pub fn miss(&mut self, topic: &str) {
        insert(&mut self.lost, topic);
    }

    fn progress(self, position: &Position) -> Progress {
        Progress {
            state: position.state(),
            changes: self.changes,
            lost: self.lost,
        }
    }
}

/// Inserts a topic in its place; false if it is there.
fn insert(topics: &mut Vec<String>, topic: &str) -> bool {
    match topics.binary_search_by(|other| other.as_str().cmp(topic)) {
        Ok(_) => false,
        Err(place) => {
            topics.insert(place, topic.to_owned());
            true
        }
    }
}

/// The progress that a response leads to. `each` adds the changes of a room's message, or marks its topics.
pub fn polled(
    position: Position,
    response: &HttpResponse,
    each: &mut dyn FnMut(&mut Changes, &str, Found<'_>),
) -> Result<Progress, ErrorResponse> {
    // JSON is text, which a failure's diagnostic needs.
    check_status(Format::Json, || Repetition::Harmless, response)?;
    let mut changes = Changes::default();
    let since = read(&response.body, &mut |item| match item {
        SyncItem::Message(room, message) => each(&mut changes, room, Found::Message(message)),
        SyncItem::Joined { limited: false, .. } => {}
        SyncItem::Joined { room, .. } => each(&mut changes, room, Found::Gap),
        SyncItem::Left(room) => each(&mut changes, room, Found::Left),
    })?;
    Ok(changes.progress(&Position { since, ..position }))
}
