//! A page of a room's messages, latest first
//! (<https://spec.matrix.org/v1.13/client-server-api/#get_matrixclientv3roomsroomidmessages>).

use comatrix_sdk::extract::Item;
use comatrix_sdk::rule::{Answer, Refusal, Value, code};

use crate::command::parse;

/// Messages of a page: 12 events of 64 KiB fit into an answer's mebibyte with their envelope.
pub const LIMIT: &str = "10";

/// Pages that are looked at. An exchange has at most 6 calls, one of which may look up an alias.
pub const MAX_CALLS: u64 = 5;

/// Bytes of a position in the room's history. The specification sets no bound; Synapse's have about 20.
const MAX_POSITION: usize = 1024;

/// What a page tells.
#[derive(Debug, Default, PartialEq)]
pub struct Page {
    /// The latest command for the device.
    pub command: Option<Value>,
    /// Where earlier messages begin.
    pub end: Option<String>,
}

impl Page {
    /// Looks through the page for a command for `device`.
    pub fn read(answer: &Answer, device: &str) -> Result<Page, Refusal> {
        let paths = [
            "chunk",
            "chunk.*",
            "chunk.*.type",
            "chunk.*.content.msgtype",
            "chunk.*.content.body",
            "end",
        ];
        let (mut page, mut is_array) = (Page::default(), false);
        // The event that is being read; its members come in any order.
        let (mut is_message, mut is_text, mut command) = (false, false, None);
        answer.extract(&paths, &mut |path, item| match (path, item) {
            (0, item) => is_array = item == Item::Array,
            (1, _) => {
                let command = command.take();
                if page.command.is_none() && is_message && is_text {
                    page.command = command;
                }
                (is_message, is_text) = (false, false);
            }
            (2, item) => is_message = item == Item::Text("m.room.message"),
            (3, item) => is_text = item == Item::Text("m.text"),
            (4, Item::Text(body)) if page.command.is_none() => command = parse(body, device),
            (5, Item::Text(end)) if end.len() <= MAX_POSITION => page.end = Some(end.to_owned()),
            _ => {}
        })?;
        match is_array {
            true => Ok(page),
            false => Err(Refusal::new(
                code::BAD_GATEWAY,
                "the homeserver's answer: field chunk: no array",
            )),
        }
    }
}
