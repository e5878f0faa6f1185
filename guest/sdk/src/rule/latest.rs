//! The latest text message of a room that means something to a device, and, with Observe, where watching for more begins.

use super::answer::Answer;
use super::call::{Call, Outcome, Resume};
use super::exchange::Exchange;
use super::reply::Reply;
use super::request::Request;
use super::topic::Topic;
use crate::message::observes;
use crate::refusal::Refusal;
use crate::room::MAX_IDENTIFIER;
use crate::text_message::TextMessage;
use crate::value::Value;
use crate::watch::{self, Position, Seen};
use crate::{cbor, history};

/// Messages of a page: 12 events of 64 KiB fit into an answer's mebibyte with their envelope.
const LIMIT: &str = "10";

/// Answers that are looked at. An exchange has at most 6 calls, one of which may look up an alias.
const MAX_CALLS: u64 = 5;

/// What a watched route calls besides the calls of its own.
pub(super) static CALLS: [&dyn Resume; 3] = [&MESSAGES, &ROOM, &SYNC];

/// Keeps how many answers there were, and from where to watch.
static MESSAGES: Call<(u64, Option<String>)> = Call::get("rooms/{room}/messages", looked);
static ROOM: Call<()> = Call::get("directory/room/{alias}", resolved);
/// Keeps the room's id.
static SYNC: Call<String> = Call::get("sync", synced);

impl Request<'_> {
    /// Answers what the latest text message of the route's `{room}` means ([`Route::watch`](super::Route::watch)): that of the
    /// last 50 which means something. If there is none: 4.04.
    ///
    /// With Observe an observation begins with this answer, and every further message that means something is pushed. There may be
    /// none yet: then the device gets 2.05 with an empty map. An account that is not in the room gets what the
    /// homeserver says to it, once.
    pub fn latest(&self) -> Outcome {
        let room = self.room()?;
        match (observes(self.message()), room.starts_with('#')) {
            (false, _) => look(&room, None, 1, None),
            (true, true) => ROOM.to(&[&room]).send(),
            (true, false) => sync(self, room),
        }
    }
}

fn resolved(answer: &Answer, (): ()) -> Outcome {
    sync(answer, answer.text("room_id", MAX_IDENTIFIER)?)
}

fn sync(exchange: &Exchange<'_>, room: String) -> Outcome {
    let query = watch::first_query(&room, exchange.flow_id());
    let call = query
        .iter()
        .fold(SYNC.to(&[]), |call, (name, value)| call.query(name, value));
    call.keep(room)
}

fn look(room: &str, from: Option<&str>, calls: u64, since: Option<String>) -> Outcome {
    let query = history::query(LIMIT, from);
    let call = query
        .iter()
        .fold(MESSAGES.to(&[room]), |call, (name, value)| {
            call.query(name, value)
        });
    call.keep((calls, since))
}

fn synced(answer: &Answer, room: String) -> Outcome {
    let topic = Topic::of(answer, &room);
    let (mut latest, mut joined, mut before) = (None, false, None);
    let since = watch::read(answer.bytes(), &mut |seen| match seen {
        Seen::Message(place, message) if place == room => {
            latest = meaning(answer, &topic, &message).or(latest.take());
        }
        Seen::Joined {
            room: place,
            earlier,
            ..
        } if place == room => {
            joined = true;
            before = earlier.map(str::to_owned);
        }
        _ => {}
    })?;
    match (joined, &latest, before) {
        (false, ..) => look(&room, None, 2, None),
        (true, None, Some(from)) => look(&room, Some(&from), 2, Some(since)),
        _ => Ok(reply(answer, &topic, latest, Some(since))?.into()),
    }
}

fn looked(answer: &Answer, (calls, since): (u64, Option<String>)) -> Outcome {
    let topic = Topic::of(answer, answer.argument("room"));
    let mut latest = None;
    let earlier = history::read(answer.bytes(), &mut |message| {
        latest = latest.take().or_else(|| meaning(answer, &topic, &message));
    })?;
    match (&latest, earlier) {
        (None, Some(from)) if calls < MAX_CALLS => {
            look(topic.room(), Some(&from), calls + 1, since)
        }
        _ => Ok(reply(answer, &topic, latest, since)?.into()),
    }
}

/// What a message means, and the payload that it has as a change.
fn meaning(
    exchange: &Exchange<'_>,
    topic: &Topic<'_>,
    message: &TextMessage<'_>,
) -> Option<(Value, Vec<u8>)> {
    let value = (exchange.route.watch?)(topic, message)?;
    let payload = payload(message.event_id, value.clone());
    Some((value, payload))
}

/// A change: a CBOR array of the event's id, which tells it from others, and what it means.
pub(super) fn payload(event_id: &str, value: Value) -> Vec<u8> {
    cbor::encode(&Value::Array(vec![event_id.into(), value]))
}

fn reply(
    exchange: &Exchange<'_>,
    topic: &Topic<'_>,
    latest: Option<(Value, Vec<u8>)>,
    since: Option<String>,
) -> Result<Reply, Refusal> {
    let (value, shown) = latest.unzip();
    let Some(since) = since else {
        let value = value.ok_or_else(|| {
            Refusal::not_found("no message for this resource among the room's last messages")
        })?;
        // An old one must not be taken for the present one.
        return Ok(Reply::content(value).max_age(0));
    };
    let position = Position::after(exchange.context, since);
    let reply = Reply::content(value.unwrap_or(Value::Map(Vec::new())));
    Ok(match topic.text(exchange.context.link) {
        Some(text) => reply.watch(watch::watch(text, &position, shown)),
        None => reply,
    })
}
