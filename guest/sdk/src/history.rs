//! A page of a room's messages, latest first
//! (<https://spec.matrix.org/v1.13/client-server-api/#get_matrixclientv3roomsroomidmessages>).

use crate::error_response::ErrorResponse;
use crate::extract::{Item, extract};
use crate::homeserver_json::not_json;
use crate::text_message::{Reader, TextMessage, message_paths};

/// Which events are asked for.
pub const FILTER: &str = r#"{"types":["m.room.message"]}"#;

/// Bytes of a position in a room's history or in an account's stream. The specification sets no bound; Synapse's have
/// 20 and 70.
pub const MAX_POSITION: usize = 1024;

/// The query for the `limit` messages before `from`; absent: the latest.
pub fn query(limit: &str, from: Option<&str>) -> Vec<(String, String)> {
    let pairs = [("dir", "b"), ("limit", limit), ("filter", FILTER)];
    let pairs = pairs.into_iter().chain(from.map(|from| ("from", from)));
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Reads a page, and returns where earlier messages begin. `found` is called with its text messages in the order of the
/// page. After an error (5.02), they must not be used.
pub fn read(
    page: &[u8],
    found: &mut dyn FnMut(TextMessage<'_>),
) -> Result<Option<String>, ErrorResponse> {
    let paths = message_paths!("chunk.*", "chunk", "end");
    let (mut reader, mut is_array, mut end) = (Reader::default(), false, None);
    extract(page, &paths, &mut |path, item| match (path, item) {
        (6, item) => is_array = item == Item::Array,
        (7, Item::Text(text)) if text.len() <= MAX_POSITION => end = Some(text.to_owned()),
        (7, _) => end = None,
        (field, item) => reader.read(field, item, found),
    })
    .map_err(not_json)?;
    match is_array {
        true => Ok(end),
        false => Err(ErrorResponse::bad_gateway(
            "the homeserver sent no array chunk",
        )),
    }
}
