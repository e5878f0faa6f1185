//! A rule for a logger or a bridge: `GET <mount>` has what happens in the rooms of the device's account since
//! `?since=<position>`, as the homeserver's JSON. With Observe it is a feed: the device gets every further piece, and
//! the position moves only when the device has acknowledged the one before. So a device that was away continues where
//! it was, from its own `since` or from where the gateway is.
//!
//! Option [`LIMIT`] says how many messages of a room the device takes at once; the gateway remembers it for the secured
//! session, so the device sends it once.
#![deny(missing_docs)]

use comatrix_sdk::extract::Item;
use comatrix_sdk::rule::*;

/// The most messages of a room in one piece: one byte, 10 without it. An odd number of the range for experiments
/// (RFC 7252 §12.2): a gateway that does not know it refuses the request, and does not send more than the device takes.
pub const LIMIT: u16 = 65_001;

/// The rule.
pub static RULE: Rule = Rule::new(&[Route::get("", begin)
    .produces(&[JSON])
    .calls(&[&FIRST])
    .feed(&STREAM)])
.known_options(&[
    KnownOption {
        number: ACCESS_TOKEN,
        longest: 1024,
        sticky: true,
    },
    KnownOption {
        number: LIMIT,
        longest: 1,
        sticky: true,
    },
]);

comatrix_sdk::export!(RULE, options, feed);

/// The access token, which the gateway may remember for the session.
const ACCESS_TOKEN: u16 = 256;

/// Bytes of a position; Synapse's have about a hundred.
const MAX_POSITION: usize = 1024;

/// A position, and the most messages of a room.
type Position = (String, u64);

/// What there is already: it does not wait.
static FIRST: Call<u64> = Call::get("sync", first);
/// What comes: it waits.
static STREAM: Feed<Position> = Feed::get("sync", ask, read).hold_ms(30_000);

fn begin(request: &Request) -> Outcome {
    let limit = match request.option(LIMIT) {
        None => 10,
        Some([limit]) if *limit > 0 => u64::from(*limit),
        Some(_) => {
            let text = "option 65001: the most messages of a room, 1 to 255";
            return Err(ErrorResponse::new(code::BAD_OPTION, text));
        }
    };
    let call = FIRST.to(&[]).query("filter", &filter(limit));
    let call = match request.query("since") {
        Some(since) => call.query("since", since),
        None => call,
    };
    call.query("timeout", "0").send_with_state(limit)
}

fn first(response: &HomeserverResponse, limit: u64) -> Outcome {
    let position = response.text("next_batch", MAX_POSITION)?;
    STREAM.begin(piece(response), (position, limit))
}

fn ask(_: &Exchange, (since, limit): Position) -> Result<FeedRequest, ErrorResponse> {
    Ok(FeedRequest::to(&[])
        .query("filter", &filter(limit))
        .query("since", &since)
        .query("timeout", "30000"))
}

fn read(
    response: &HomeserverResponse,
    (_, limit): Position,
) -> Result<Fed<Position>, ErrorResponse> {
    let next = (response.text("next_batch", MAX_POSITION)?, limit);
    let mut is_news = false;
    response.extract(&["rooms.*.*"], &mut |_, item| {
        is_news |= matches!(item, Item::Key(_));
    })?;
    Ok(match is_news || response.is_refresh() {
        true => Fed::message(next, piece(response)),
        false => Fed::nothing(next),
    })
}

/// The homeserver's JSON as it is.
fn piece(response: &HomeserverResponse) -> Reply {
    Reply::bytes(JSON, response.bytes().to_vec())
}

fn filter(limit: u64) -> String {
    format!(r#"{{"presence":{{"types":[]}},"room":{{"timeline":{{"limit":{limit}}}}}}}"#)
}
