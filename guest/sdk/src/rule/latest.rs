//! The latest text message that a watched resource shows, and, with Observe, where an observation begins.

use super::call::{Call, Outcome, Resume};
use super::exchange::Exchange;
use super::homeserver_response::HomeserverResponse;
use super::reply::Reply;
use super::request::Request;
use super::watch::Watch;
use crate::error_response::ErrorResponse;
use crate::history;
use crate::message::observes;
use crate::payload::Format;
use crate::room::resolved_id;
use crate::text_message::Latest;
use crate::value::Value;
use crate::watch::{self, Position, SyncItem};

/// Calls that an exchange has left after it has looked up an alias (`translator.begin` in `wit/translator.wit`).
const MAX_CALLS_AFTER_LOOKUP: usize = 5;

/// The calls of a watched route besides its own.
pub(super) static CALLS: [&dyn Resume; 3] = [&MESSAGES, &ROOM, &SYNC];

/// State: how many calls there were, and the position from which to watch.
static MESSAGES: Call<(u64, Option<String>)> = Call::get("rooms/{room}/messages", on_messages);
/// State: whether the device observes.
static ROOM: Call<bool> = Call::get("directory/room/{alias}", on_room);
/// State: the room's id, and how many calls there were.
static SYNC: Call<(String, u64)> = Call::get("sync", on_sync);

impl Request<'_> {
    /// Replies with the latest text message of [`room`](Exchange::room) that the route's watch shows
    /// ([`Route::watch`](super::Route::watch)), of some 40 last messages. If there is none: 4.04.
    ///
    /// With Observe an observation begins with this reply, and the device is notified of every further message that
    /// the watch shows. There may be none yet: then the device gets 2.05 with an empty map. If the account is not in
    /// the room, the device gets the homeserver's response on the room's messages, and no observation begins.
    pub fn latest(&self) -> Outcome {
        let room = self.room()?;
        let is_observed = observes(self.message());
        match room.starts_with('#') {
            true => ROOM.to(&[&room]).send_with_state(is_observed),
            false => search(self, room, 0, is_observed),
        }
    }
}

fn on_room(response: &HomeserverResponse, is_observed: bool) -> Outcome {
    let pages = watch(response)?.search().pages.len();
    let made = pages.saturating_sub(MAX_CALLS_AFTER_LOOKUP);
    search(response, resolved_id(response.bytes())?, made, is_observed)
}

fn search(exchange: &Exchange<'_>, room: String, made: usize, is_observed: bool) -> Outcome {
    match is_observed {
        true => SYNC
            .to(&[])
            .queries(watch::first_query(&room, exchange.flow_id()))
            .send_with_state((room, made as u64 + 1)),
        false => ask(exchange, &room, None, made, None),
    }
}

/// Asks for the messages before `from`; for the last ones without it. `since`: where the observation begins.
fn ask(
    exchange: &Exchange<'_>,
    room: &str,
    from: Option<&str>,
    made: usize,
    since: Option<String>,
) -> Outcome {
    let limit = watch(exchange)?.search().pages.get(made);
    MESSAGES
        .to(&[room])
        .queries(history::query(limit.copied().unwrap_or("1"), from))
        .send_with_state((made as u64 + 1, since))
}

fn on_sync(response: &HomeserverResponse, (room, made): (String, u64)) -> Outcome {
    let (watch, topic) = (watch(response)?, response.topic(&room));
    let (mut latest, mut joined, mut before) = (Latest::default(), false, None);
    let since = watch::read(response.bytes(), &mut |item| match item {
        SyncItem::Message(place, message) if place == room && watch.shows(&topic, &message) => {
            latest.replace(message);
        }
        SyncItem::Joined {
            room: place,
            earlier,
            ..
        } if place == room => {
            joined = true;
            before = earlier.map(str::to_owned);
        }
        _ => {}
    })?;
    match (joined, latest.get(), before) {
        (false, ..) => ask(response, &room, None, made as usize, None),
        (true, None, Some(from)) => ask(response, &room, Some(&from), made as usize, Some(since)),
        _ => reply(response, &room, &latest, Some(since)),
    }
}

fn on_messages(response: &HomeserverResponse, (made, since): (u64, Option<String>)) -> Outcome {
    let watch = watch(response)?;
    let room = response.room_id();
    let topic = response.topic(room);
    let mut latest = Latest::default();
    let earlier = history::read(response.bytes(), &mut |message| {
        if latest.get().is_none() && watch.shows(&topic, &message) {
            latest.replace(message);
        }
    })?;
    let made = made as usize;
    match (latest.get(), earlier) {
        (None, Some(from)) if made < watch.search().pages.len() => {
            ask(response, room, Some(&from), made, since)
        }
        _ => reply(response, room, &latest, since),
    }
}

fn reply(
    response: &HomeserverResponse,
    room: &str,
    latest: &Latest,
    since: Option<String>,
) -> Outcome {
    let (watch, format) = (watch(response)?, response.format());
    let topic = response.topic(room);
    let shown = latest
        .get()
        .and_then(|message| watch.change(&topic, &message));
    let value = shown
        .as_deref()
        .and_then(|change| watch.value(change, format));
    let Some(since) = since else {
        let value = value.ok_or_else(|| ErrorResponse::not_found(watch.search().none))?;
        // A cache must not pass off an old message as the latest. A response that starts an observation may be kept:
        // the gateway sets its Max-Age.
        return Ok(Reply::content(value).max_age(0).into());
    };
    let position = Position::after(response.context, since);
    let none = || match format {
        Format::Text => Value::from(""),
        _ => Value::Map(Vec::new()),
    };
    let reply = Reply::content(value.unwrap_or_else(none));
    Ok(match watch.topic(&topic, response.context.link) {
        Some(text) => reply.watch(watch::watch(text, &position, shown)).into(),
        None => reply.into(),
    })
}

fn watch(exchange: &Exchange<'_>) -> Result<&'static dyn Watch, ErrorResponse> {
    let watch = exchange.resource.watch;
    watch.ok_or_else(|| ErrorResponse::internal("the rule's route must have a watch for latest()"))
}
