//! What an answer of `/sync` tells about rooms.

use crate::error_response::ErrorResponse;
use crate::extract::{Item, extract};
use crate::history::MAX_POSITION;
use crate::homeserver_json::not_json;
use crate::room::MAX_IDENTIFIER;
use crate::text_message::{Kept, Reader, TextMessage, message_paths};

/// Something about a room, by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncItem<'a> {
    /// A text message. Those of a room come in their order.
    Message(&'a str, TextMessage<'a>),
    /// A room that the account has joined, after its messages.
    Joined {
        /// Its id.
        room: &'a str,
        /// Whether there were more messages before those told.
        limited: bool,
        /// Where they are.
        earlier: Option<&'a str>,
    },
    /// A room that the account has left.
    Left(&'a str),
}

/// Reads an answer and gives its `next_batch`. 5.02 if it is none; then what was told is not to be used.
pub fn read(answer: &[u8], seen: &mut dyn FnMut(SyncItem<'_>)) -> Result<String, ErrorResponse> {
    let paths = message_paths!(
        "rooms.join.*.timeline.events.*",
        "rooms.join.*",
        "rooms.join.*.timeline.limited",
        "rooms.join.*.timeline.prev_batch",
        "rooms.leave.*",
        "next_batch"
    );
    let (mut next_batch, mut reader) = (Kept::new(MAX_POSITION), Reader::default());
    let (mut room, mut earlier) = (Kept::new(MAX_IDENTIFIER), Kept::new(MAX_POSITION));
    let mut limited = false;
    extract(answer, &paths, &mut |path, item| match (path, item) {
        (6, Item::Key(_)) => {
            room.keep(item);
            earlier.clear();
            limited = false;
        }
        (6, _) => {
            if let Some(room) = room.text() {
                let earlier = earlier.text();
                seen(SyncItem::Joined {
                    room,
                    limited,
                    earlier,
                });
            }
        }
        (7, item) => limited = item == Item::Bool(true),
        (8, item) => earlier.keep(item),
        (9, Item::Key(room)) => seen(SyncItem::Left(room)),
        (9, _) => {}
        (10, item) => next_batch.keep(item),
        (field, item) => reader.read(field, item, &mut |message| {
            if let Some(room) = room.text() {
                seen(SyncItem::Message(room, message));
            }
        }),
    })
    .map_err(not_json)?;
    let next_batch = next_batch.text().map(str::to_owned);
    next_batch.ok_or_else(|| {
        ErrorResponse::bad_gateway(
            "the homeserver's answer: field next_batch: no text of at most 1024 bytes",
        )
    })
}
