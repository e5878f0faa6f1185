//! `/getmsg`: the last text message of a room
//! (<https://spec.matrix.org/v1.13/client-server-api/#get_matrixclientv3roomsroomidmessages>).
//!
//! The homeserver is asked for the last message. If that is a picture or a redacted one, earlier ones are asked for
//! in a few larger steps.

use comatrix_sdk::bindings::{CallError, Context, Effect, HttpRequest, HttpResponse, Message};
use comatrix_sdk::extract::{Item, extract};
use comatrix_sdk::message::reply;
use comatrix_sdk::payload::Format;
use comatrix_sdk::settings::Settings;
use comatrix_sdk::{Value, code};

use crate::call::{call, then};
use crate::fields::answer_format;
use crate::homeserver_answer::not_json;
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

/// Bytes of an event, and so of a message's body (Matrix specification, "Size limits").
const MAX_EVENT: usize = 65_536;

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
    let page = read(&answer.body)?;
    if let Some((sender, body)) = page.text_message {
        let message = texts(
            code::CONTENT,
            format,
            [("sender", &sender), ("body", &body)],
        );
        return Ok(reply(message));
    }
    match page.end {
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
    let mut query = vec![
        ("dir", "b".to_owned()),
        ("limit", limit),
        ("filter", filter),
    ];
    query.extend(from.map(|from| ("from", from)));
    HttpRequest {
        query: query
            .into_iter()
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

/// What an answer tells.
#[derive(Default)]
struct Page {
    /// Sender and body of the latest text message.
    text_message: Option<(String, String)>,
    /// Where earlier messages begin.
    end: Option<String>,
}

fn read(answer: &[u8]) -> Result<Page, Refusal> {
    let paths = [
        "chunk",
        "chunk.*",
        "chunk.*.type",
        "chunk.*.sender",
        "chunk.*.content.msgtype",
        "chunk.*.content.body",
        "end",
    ];
    let (mut page, mut is_array) = (Page::default(), false);
    // The event that is being read. Its texts are kept from one event to the next, for their memory's sake.
    let (mut is_message, mut is_text) = (false, false);
    let (mut sender, mut body) = (Kept::new(MAX_IDENTIFIER), Kept::new(MAX_EVENT));
    extract(answer, &paths, &mut |path, item| match path {
        0 => is_array = item == Item::Array,
        // A redacted message has lost its content, a picture is no `m.text`: what the device wants lies before them.
        1 => {
            if page.text_message.is_none() && is_message && is_text {
                page.text_message = sender.text().zip(body.text());
            }
            (is_message, is_text) = (false, false);
            sender.clear();
            body.clear();
        }
        2 => is_message = item == Item::Text("m.room.message"),
        3 => sender.keep(item),
        4 => is_text = item == Item::Text("m.text"),
        5 => body.keep(item),
        _ => {
            page.end = text_of(item)
                .filter(|end| end.len() <= MAX_POSITION)
                .map(str::to_owned)
        }
    })
    .map_err(not_json)?;
    match is_array {
        true => Ok(page),
        false => Err(Refusal::bad_gateway(
            "the homeserver's answer: field chunk: no array",
        )),
    }
}

fn text_of(item: Item<'_>) -> Option<&str> {
    match item {
        Item::Text(text) => Some(text),
        _ => None,
    }
}

/// A text of at most `most` bytes, in memory that is used again.
struct Kept {
    most: usize,
    text: String,
    present: bool,
}

impl Kept {
    fn new(most: usize) -> Kept {
        Kept {
            most,
            text: String::new(),
            present: false,
        }
    }

    fn clear(&mut self) {
        self.text.clear();
        self.present = false;
    }

    fn keep(&mut self, item: Item<'_>) {
        self.clear();
        if let Some(text) = text_of(item).filter(|text| text.len() <= self.most) {
            self.text.push_str(text);
            self.present = true;
        }
    }

    fn text(&self) -> Option<String> {
        self.present.then(|| self.text.clone())
    }
}

#[cfg(test)]
mod tests {
    use crate::fixtures::{call, empty_request, local, path, reply, success};

    use super::*;

    const TEXT: &str =
        r#"{"type":"m.room.message","sender":"@a","content":{"msgtype":"m.text","body":"b"}}"#;
    const PICTURE: &str =
        r#"{"type":"m.room.message","sender":"@a","content":{"msgtype":"m.image","body":"b"}}"#;
    const REDACTED: &str = r#"{"type":"m.room.message","sender":"@a","content":{}}"#;

    fn query(step: &comatrix_sdk::bindings::Step, name: &str) -> Option<String> {
        step.request
            .query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.clone())
    }

    #[test]
    fn the_last_text_message_is_looked_for_in_growing_steps() {
        let context = local(&["!r"]);
        let mut step = call(begin(&[], &context, &empty_request()));
        assert_eq!(path(&step), "/rooms/!r/messages");
        for (limit, from) in [("1", None), ("5", Some("t1")), ("10", Some("t2"))] {
            assert_eq!(query(&step, "limit").as_deref(), Some(limit));
            assert_eq!(query(&step, "from").as_deref(), from);
            let end = if limit == "1" { "t1" } else { "t2" };
            let page = format!(r#"{{"chunk":[{PICTURE},{REDACTED}],"end":"{end}"}}"#);
            step = call(resume(&context, &step.state, success(&page)));
        }
        let page = format!(r#"{{"end":"t3","chunk":[{PICTURE},{TEXT},{REDACTED}]}}"#);
        let answer = reply(resume(&context, &step.state, success(&page)));
        assert_eq!(answer.message.payload, b"\xa2\x66sender\x62@a\x64body\x61b");
    }

    #[test]
    fn a_room_at_its_beginning_has_no_text_message() {
        let context = local(&["!r"]);
        let step = call(begin(&[], &context, &empty_request()));
        let refusal =
            resume(&context, &step.state, success(r#"{"chunk":[]}"#)).expect_err("there is none");
        assert_eq!(refusal.code, code::NOT_FOUND);
    }
}
