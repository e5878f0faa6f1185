//! `/getmsg`: the last text message of a room
//! (<https://spec.matrix.org/v1.13/client-server-api/#get_matrixclientv3roomsroomidmessages>).
//!
//! The homeserver is asked for the last message. If that is a picture or a redacted one, earlier ones are asked for
//! in a few larger steps.

use comatrix_sdk::bindings::{CallError, Context, Effect, HttpRequest, HttpResponse, Message};
use comatrix_sdk::message::reply;
use comatrix_sdk::payload::Format;
use comatrix_sdk::settings::Settings;
use comatrix_sdk::{Value, code};
use serde_json::value::RawValue;

use crate::call::{call, then};
use crate::fields::answer_format;
use crate::homeserver_answer::{check, find_element, members, text};
use crate::homeserver_error::success;
use crate::refusal::Refusal;
use crate::room::{self, MAX_IDENTIFIER, Room, resolve};
use crate::state::{damaged, recall, remember};
use crate::success::texts;
use crate::target::{Endpoint, agreed, mismatch};

/// How many messages each call asks for. An exchange has at most 6 calls, one of which may look up an alias, and 12
/// events of 64 KiB fit into an answer's mebibyte with their envelope.
const LIMITS: [u8; 6] = [1, 5, 10, 10, 10, 10];

/// Bytes of a position in the room's history. The specification sets no bound; Synapse's have about 20.
const MAX_POSITION: usize = 1024;

/// The room comes from Proxy-Uri or Uri-Path.
pub fn begin(
    settings: &dyn Settings,
    context: &Context,
    request: &Message,
) -> Result<Effect, Refusal> {
    let proxy_uri = match Endpoint::of(context) {
        None => None,
        Some(Endpoint::Messages { room }) => Some(room),
        Some(_) => return Err(mismatch("/E/<room>")),
    };
    let uri_path = context.captures.first().map(String::as_str);
    let Some(name) = agreed("room", proxy_uri, uri_path)? else {
        return Err(Refusal::bad_request(
            "room: missing; send it as /getmsg/<room> or in Proxy-Uri",
        ));
    };
    let format = answer_format(request);
    match resolve(settings, name)? {
        Room::Id(room) => ask(context, format, Search { room, calls: 0 }, None),
        Room::Alias(alias) => Ok(then(
            room::lookup(context, &alias),
            remember(format, vec![], "")?,
        )),
    }
}

/// Answers `{"sender","body"}` with 2.05, or 4.04 if there is no text message within reach.
pub fn resume(
    context: &Context,
    state: &[u8],
    outcome: Result<HttpResponse, CallError>,
) -> Result<Effect, Refusal> {
    let (format, fields) = recall(state)?;
    let answer = success(context, format, outcome)?;
    let search = match fields.as_slice() {
        [] => {
            return ask(
                context,
                format,
                Search {
                    room: room::looked_up(&answer)?,
                    calls: 1,
                },
                None,
            );
        }
        [Value::Text(room), Value::Unsigned(calls)] => Search {
            room: room.clone(),
            calls: *calls as usize,
        },
        _ => return Err(damaged()),
    };
    check(&answer.body)?;
    let [chunk, end] = members(&answer.body, ["chunk", "end"]).unwrap_or_default();
    let Some(found) = chunk.and_then(|chunk| find_element(chunk, text_message)) else {
        return Err(Refusal::bad_gateway(
            "the homeserver's answer: field chunk: no array",
        ));
    };
    if let Some((sender, body)) = found {
        return Ok(reply(texts(
            code::CONTENT,
            format,
            [("sender", &sender), ("body", &body)],
        )));
    }
    match end.and_then(|end| text(end, MAX_POSITION)) {
        Some(from) if search.calls < LIMITS.len() => ask(context, format, search, Some(from)),
        _ => Err(Refusal::new(
            code::NOT_FOUND,
            "no text message among the room's last messages",
        )),
    }
}

/// Where the search stands: calls made so far in this exchange.
struct Search {
    room: String,
    calls: usize,
}

fn ask(
    context: &Context,
    format: Format,
    search: Search,
    from: Option<String>,
) -> Result<Effect, Refusal> {
    let made = Value::Unsigned(search.calls as u64 + 1);
    let request = call_messages(context, &search, from);
    let state = remember(
        format,
        vec![Value::Text(search.room), made],
        "the room's id is too long",
    )?;
    Ok(then(request, state))
}

fn call_messages(context: &Context, search: &Search, from: Option<String>) -> HttpRequest {
    let limit = LIMITS.get(search.calls).copied().unwrap_or(1).to_string();
    let filter = r#"{"types":["m.room.message"]}"#.to_owned();
    let fixed = [
        ("dir", "b".to_owned()),
        ("limit", limit),
        ("filter", filter),
    ];
    let query = fixed.into_iter().chain(from.map(|from| ("from", from)));
    HttpRequest {
        query: query
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
        ..call(
            context,
            "any",
            "GET",
            &["rooms", &search.room, "messages"],
            None,
        )
    }
}

/// Sender and body of an event, if it is a text message. A redacted one has lost its content.
fn text_message(event: &RawValue) -> Option<(String, String)> {
    // Most that an event can hold (Matrix specification, "Size limits").
    const MAX_EVENT: usize = 65_536;
    let [kind, sender, content] = members(event.get().as_bytes(), ["type", "sender", "content"])?;
    let [msgtype, body] = members(content?.get().as_bytes(), ["msgtype", "body"])?;
    let is_text = text(kind?, MAX_IDENTIFIER)? == "m.room.message"
        && text(msgtype?, MAX_IDENTIFIER)? == "m.text";
    if !is_text {
        return None;
    }
    Some((text(sender?, MAX_IDENTIFIER)?, text(body?, MAX_EVENT)?))
}
