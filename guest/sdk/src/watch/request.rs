//! The requests to the homeserver: for the latest messages, and for later ones.

use super::position::Position;
use crate::bindings::HttpRequest;
use crate::call::call_of;
use crate::json::to_text;
use crate::text::{concat, decimal};
use crate::value::Value;

/// Milliseconds that a homeserver waits for an event.
pub const HOLD_MS: u32 = 30_000;

/// Messages of the first response: 12 events of 64 KiB fit into a mebibyte with their envelope.
const FIRST_LIMIT: &str = "10";

/// Events of a room in each further response; the homeserver marks a room with more (`limited`). The gateway lets
/// fewer than these wait for a device.
const LIMIT: &str = "50";

/// Bytes of a filter's list of rooms. It goes into a request line, which homeservers cut at 8 to 16 KiB,
/// percent-encoded.
const MAX_ROOMS: usize = 6 * 1024;

/// Types of the first response. A homeserver leaves out a joined room without such events, so that a room without
/// messages would look like one that the account is not in. Nearly every room has this state. (All have
/// `m.room.create`; since room version 12 it holds no room id, and Synapse's filter of rooms drops it.)
const FIRST_TYPES: &str = r#""m.room.message","m.room.join_rules""#;

/// The query for the last messages of a room, and for the position after them. `nonce` is the exchange's id.
///
/// Synapse gives equal requests within two minutes the same response, which would show a device that observes again
/// an old message. Only the id of a room that does not exist distinguishes this request from others.
pub fn first_query(room: &str, nonce: &str) -> Vec<(String, String)> {
    let absent = concat(&["!", nonce, ":invalid"]);
    let rooms = concat(&[&rooms("rooms", &[room]), &rooms("not_rooms", &[&absent])]);
    let filter = filter(&rooms, FIRST_LIMIT, FIRST_TYPES, r#""m.room.join_rules""#);
    query([("timeout", "0"), ("filter", &filter)])
}

/// The call that waits for events after `position` in `observed`, rooms that may repeat one another.
///
/// Membership changes are asked for too: the account's own is the only sign that it has left a room.
pub fn poll(position: &Position, observed: &[&str]) -> HttpRequest {
    let rooms = rooms("rooms", observed);
    let types = r#""m.room.message","m.room.member""#;
    let filter = filter(
        if rooms.len() > MAX_ROOMS { "" } else { &rooms },
        LIMIT,
        types,
        "",
    );
    let timeout = decimal(HOLD_MS);
    HttpRequest {
        query: query([
            ("timeout", &timeout),
            ("filter", &filter),
            ("since", &position.since),
        ]),
        hold_ms: HOLD_MS,
        ..call_of(position.upstream(), "any", "GET", &["sync"], None)
    }
}

fn query<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

/// A filter's list of rooms. Beyond the size at which it is of no use it does not grow.
fn rooms(member: &str, ids: &[&str]) -> String {
    let mut list = concat(&["\"", member, "\":["]);
    let mut last = None;
    for id in ids {
        if list.len() > MAX_ROOMS || last == Some(id) {
            continue;
        }
        if last.is_some() {
            list.push(',');
        }
        list.push_str(&to_text(&Value::from(*id)));
        last = Some(id);
    }
    list.push_str("],");
    list
}

/// A filter (<https://spec.matrix.org/v1.13/client-server-api/#filtering>) that lets nothing through but events of
/// these types, and of them only the fields that [`text_message`](crate::text_message) reads.
fn filter(rooms: &str, limit: &str, types: &str, state: &str) -> String {
    concat(&[
        r#"{"event_fields":["type","event_id","sender","content.msgtype","content.body"],"room":{"#,
        rooms,
        r#""timeline":{"limit":"#,
        limit,
        r#","types":["#,
        types,
        r#"]},"state":{"types":["#,
        state,
        r#"]},"ephemeral":{"types":[]},"account_data":{"types":[]}},"#,
        r#""presence":{"types":[]},"account_data":{"types":[]}}"#,
    ])
}
