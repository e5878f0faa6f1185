//! The rooms in a response of `/sync`.

use crate::error_response::ErrorResponse;
use crate::extract::{Item, extract};
use crate::history::MAX_POSITION;
use crate::homeserver_json::not_json;
use crate::room::MAX_IDENTIFIER;
use crate::text_message::{BoundedText, Reader, TextMessage, message_paths};

/// An item of the response about a room, by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncItem<'a> {
    /// A text message. Those of a room come in their order.
    Message(&'a str, TextMessage<'a>),
    /// A room that the account has joined, after its messages.
    Joined {
        /// Its id.
        room: &'a str,
        /// Whether there were more messages before those in the response.
        limited: bool,
        /// Where they are (`prev_batch`).
        earlier: Option<&'a str>,
    },
    /// A room that the account has left.
    Left(&'a str),
}

/// Reads a response and returns its `next_batch`. After an error (5.02), the items passed to `found` must not be used.
pub fn read(response: &[u8], found: &mut dyn FnMut(SyncItem<'_>)) -> Result<String, ErrorResponse> {
    let paths = message_paths!(
        "rooms.join.*.timeline.events.*",
        "rooms.join.*",
        "rooms.join.*.timeline.limited",
        "rooms.join.*.timeline.prev_batch",
        "rooms.leave.*",
        "next_batch"
    );
    let (mut next_batch, mut reader) = (BoundedText::new(MAX_POSITION), Reader::default());
    let (mut room, mut earlier) = (
        BoundedText::new(MAX_IDENTIFIER),
        BoundedText::new(MAX_POSITION),
    );
    let mut limited = false;
    extract(response, &paths, &mut |path, item| match (path, item) {
        (6, Item::Key(_)) => {
            room.set(item);
            earlier.clear();
            limited = false;
        }
        (6, _) => {
            if let Some(room) = room.text() {
                let earlier = earlier.text();
                found(SyncItem::Joined {
                    room,
                    limited,
                    earlier,
                });
            }
        }
        (7, item) => limited = item == Item::Bool(true),
        (8, item) => earlier.set(item),
        (9, Item::Key(room)) => found(SyncItem::Left(room)),
        (9, _) => {}
        (10, item) => next_batch.set(item),
        (field, item) => reader.read(field, item, &mut |message| {
            if let Some(room) = room.text() {
                found(SyncItem::Message(room, message));
            }
        }),
    })
    .map_err(not_json)?;
    let next_batch = next_batch.text().map(str::to_owned);
    next_batch.ok_or_else(|| {
        ErrorResponse::bad_gateway("the homeserver sent no text next_batch of at most 1024 bytes")
    })
}
