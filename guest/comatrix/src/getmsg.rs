//! `/getmsg`: the last text message of a room
//! (<https://spec.matrix.org/v1.13/client-server-api/#get_matrixclientv3roomsroomidmessages>), and, with Observe, those that
//! follow it.
//!
//! The homeserver is asked for the last message. If that is a picture or a redacted one, earlier ones are asked for
//! in a few larger steps. With Observe the first question goes to the account's stream of events instead, whose
//! answer also tells where watching begins; [`observe`](crate::observe) goes on from there.

use comatrix_sdk::bindings::{
    CallError, Context, Effect, HttpRequest, HttpResponse, Message, Reply,
};
use comatrix_sdk::message::observes;
use comatrix_sdk::payload::Format;
use comatrix_sdk::settings::Settings;
use comatrix_sdk::text_message::Latest;
use comatrix_sdk::watch::{self, Position, Seen};
use comatrix_sdk::{Value, code, history};

use crate::call::{call, then};
use crate::fields::answer_format;
use crate::homeserver_error::success;
use crate::refusal::Refusal;
use crate::room::{self, Room, resolve};
use crate::state::{damaged, recall, remember};
use crate::success::{empty_map, texts};
use crate::target::{Endpoint, agreed, mismatch};

/// How many messages each call asks for. An exchange has at most 6 calls, one of which may look up an alias, and 12
/// events of 64 KiB fit into an answer's mebibyte with their envelope.
const LIMITS: [&str; 6] = ["1", "5", "10", "10", "10", "10"];

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
    let (format, observes) = (answer_format(request), observes(request));
    match resolve(settings, name)? {
        Room::Id(room) => Search::new(format, room, 0, observes).ask(context, None),
        Room::Alias(alias) => Ok(then(
            room::lookup(context, &alias),
            remember(format, vec![Value::Bool(observes)], "")?,
        )),
    }
}

/// Answers `{"sender","body"}` with 2.05. If there is no text message within reach: 4.04, or, where an observation starts that
/// may wait for the first one, 2.05 with an empty map.
pub fn resume(
    context: &Context,
    state: &[u8],
    outcome: Result<HttpResponse, CallError>,
) -> Result<Effect, Refusal> {
    let (format, fields) = recall(state)?;
    let answer = success(context, format, outcome)?;
    if let [Value::Bool(observes)] = fields.as_slice() {
        let room = room::looked_up(&answer)?;
        return Search::new(format, room, 1, *observes).ask(context, None);
    }
    let mut search = Search::restore(format, fields)?;
    let mut latest = Latest::default();
    let earlier = search.read(&answer.body, &mut latest)?;
    match (latest.get(), earlier) {
        (None, Some(from)) if search.calls < LIMITS.len() => search.ask(context, Some(from)),
        // It is not in the account's stream: the homeserver's word on the room is that on its messages.
        (None, None) if search.watch == Watch::Left => {
            search.watch = Watch::None;
            search.ask(context, None)
        }
        _ => search.answer(context, &latest),
    }
}

/// Whether an observation starts.
#[derive(PartialEq)]
enum Watch {
    /// No.
    None,
    /// The account's stream is asked where it begins.
    Asked,
    /// The account has not joined the room.
    Left,
    /// There (`next_batch`).
    From(String),
}

/// Where the search stands.
struct Search {
    format: Format,
    room: String,
    /// Made so far in this exchange.
    calls: usize,
    watch: Watch,
}

impl Search {
    fn new(format: Format, room: String, calls: usize, observes: bool) -> Search {
        Search {
            format,
            room,
            calls,
            watch: match observes {
                true => Watch::Asked,
                false => Watch::None,
            },
        }
    }

    fn restore(format: Format, fields: Vec<Value>) -> Result<Search, Refusal> {
        let [Value::Text(room), Value::Unsigned(calls), watch] = fields.as_slice() else {
            return Err(damaged());
        };
        Ok(Search {
            format,
            room: room.clone(),
            calls: *calls as usize,
            watch: match watch {
                Value::Null => Watch::None,
                Value::Text(next_batch) => Watch::From(next_batch.clone()),
                _ => Watch::Asked,
            },
        })
    }

    /// Asks for messages before `from`; for the last ones without it.
    fn ask(self, context: &Context, from: Option<String>) -> Result<Effect, Refusal> {
        let (path, query, watch) = match self.watch {
            Watch::Asked => (
                &["sync"][..],
                watch::first_query(&self.room, &context.flow_id),
                Value::Bool(true),
            ),
            watch => {
                let limit = LIMITS.get(self.calls).copied().unwrap_or("1");
                (
                    &["rooms", &self.room, "messages"][..],
                    history::query(limit, from.as_deref()),
                    match watch {
                        Watch::From(next_batch) => Value::Text(next_batch),
                        _ => Value::Null,
                    },
                )
            }
        };
        let request = HttpRequest {
            query,
            ..call(context, "any", "GET", path, None)
        };
        let made = Value::Unsigned(self.calls as u64 + 1);
        let fields = vec![Value::Text(self.room), made, watch];
        let state = remember(self.format, fields, "the room's id is too long")?;
        Ok(then(request, state))
    }

    /// Keeps the latest text message of an answer, and gives where earlier ones are.
    fn read(&mut self, answer: &[u8], latest: &mut Latest) -> Result<Option<String>, Refusal> {
        if self.watch != Watch::Asked {
            return history::read(answer, &mut |message| {
                if latest.get().is_none() {
                    latest.keep(message);
                }
            });
        }
        let (mut joined, mut before) = (false, None);
        let next_batch = watch::read(answer, &mut |seen| match seen {
            Seen::Message(room, message) if room == self.room => latest.keep(message),
            Seen::Joined { room, earlier, .. } if room == self.room => {
                joined = true;
                before = earlier.map(str::to_owned);
            }
            _ => {}
        })?;
        self.watch = match joined {
            true => Watch::From(next_batch),
            false => Watch::Left,
        };
        Ok(before)
    }

    fn answer(self, context: &Context, latest: &Latest) -> Result<Effect, Refusal> {
        let message = match latest.get() {
            Some(message) => texts(
                code::CONTENT,
                self.format,
                [("sender", message.sender), ("body", message.body)],
            ),
            None if matches!(self.watch, Watch::From(_)) => empty_map(self.format),
            None => {
                return Err(Refusal::not_found(
                    "no text message among the room's last messages",
                ));
            }
        };
        let shown = || latest.get().map(|message| watch::message_payload(&message));
        let watch = match self.watch {
            Watch::From(next_batch) => {
                let position = Position::after(context, next_batch);
                Some(watch::watch(self.room, &position, shown()))
            }
            _ => None,
        };
        Ok(Effect::Reply(Reply {
            message,
            session: None,
            watch,
        }))
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
