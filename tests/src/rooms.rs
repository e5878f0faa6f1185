//! A homeserver with rooms, as far as devices use them: `/send`, `/messages`, `/join` and `/sync`. Unlike Synapse it
//! can be slow on purpose, and every case has one of its own.

use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::stub::{Behaviour, Received, Stub};
use crate::target::{field, parts};

/// The sender of every message.
pub const SENDER: &str = "@ann:localhost";

#[derive(Default)]
struct State {
    /// Room and event; the position is the index.
    events: Vec<(String, Value)>,
    /// The transactions of `/send`, each once, and their event ids.
    transactions: Vec<(String, String)>,
    /// How long a `/send` takes after its message is in the room.
    delay: Duration,
    /// Behaves in its place, where it has a behaviour.
    fault: Option<Box<Fault>>,
}

type Shared = (Mutex<State>, Condvar);
type Fault = dyn FnMut(&Received) -> Option<Behaviour> + Send;

/// A running homeserver; it ends with this process.
pub struct Rooms {
    /// `http://127.0.0.1:PORT`.
    pub origin: String,
    stub: Stub,
    shared: Arc<Shared>,
}

/// A request of `/send`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The room.
    pub room: String,
    /// The transaction id.
    pub txn: String,
    /// The message's text.
    pub body: String,
    /// The access token.
    pub token: String,
}

impl Rooms {
    /// Starts one with empty rooms.
    pub fn start() -> Self {
        let shared: Arc<Shared> = Arc::default();
        let rooms = Arc::clone(&shared);
        let stub = Stub::scripted(move |request| react(&rooms, request));
        Self {
            origin: stub.origin.clone(),
            stub,
            shared,
        }
    }

    /// As a homeserver whose process has ended; its rooms stay.
    pub fn stop(&self) {
        self.stub.stop();
    }

    /// Starts it again.
    pub fn start_again(&self) {
        self.stub.start_again();
    }

    /// Forgets the transaction ids, as homeservers do after a while. The messages stay.
    pub fn forget_transactions(&self) {
        for (transaction, _) in &mut self.state().transactions {
            transaction.clear();
        }
    }

    /// From now on a request for which `fault` has a behaviour gets it.
    pub fn set_fault(&self, fault: impl FnMut(&Received) -> Option<Behaviour> + Send + 'static) {
        self.state().fault = Some(Box::new(fault));
    }

    /// From now on there are no faults.
    pub fn end_fault(&self) {
        self.state().fault = None;
    }

    /// Somebody writes in a room.
    pub fn say(&self, room: &str, body: &str) {
        add(&mut self.state(), room, text_message(body));
        self.shared.1.notify_all();
    }

    /// From now on the response to a `/send` is late by this.
    pub fn delay(&self, delay: Duration) {
        self.state().delay = delay;
    }

    /// The bodies of all messages of all rooms, in their order.
    pub fn bodies(&self) -> Vec<String> {
        let state = self.state();
        let body = |event: &Value| event["content"]["body"].as_str().map(str::to_owned);
        let events = state.events.iter();
        events.filter_map(|(_, event)| body(event)).collect()
    }

    /// The texts of the messages of a room, in their order.
    pub fn bodies_in(&self, room: &str) -> Vec<String> {
        let body = |event: &Value| event["content"]["body"].as_str().map(str::to_owned);
        let state = self.state();
        let events = state.events.iter().filter(|(of, _)| of == room);
        events.filter_map(|(_, event)| body(event)).collect()
    }

    /// The id of the event with this text.
    pub fn event_id(&self, body: &str) -> Option<String> {
        let state = self.state();
        let mut events = state.events.iter().map(|(_, event)| event);
        let event = events.find(|event| event["content"]["body"] == body)?;
        event["event_id"].as_str().map(str::to_owned)
    }

    /// The requests of `/send` so far, also those that had a fault.
    pub fn attempts(&self) -> Vec<Attempt> {
        let received = self.stub.received();
        received.iter().filter_map(attempt).collect()
    }

    /// How many messages came by `/send`.
    pub fn sent(&self) -> usize {
        self.state().transactions.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.shared)
    }
}

fn lock(shared: &Shared) -> MutexGuard<'_, State> {
    shared.0.lock().expect("no holder of this lock panics")
}

fn text_message(body: &str) -> Value {
    json!({ "msgtype": "m.text", "body": body })
}

/// An event id has 44 characters, as those of today's rooms.
fn event_id(index: usize) -> String {
    format!("${index:043}")
}

fn add(state: &mut State, room: &str, content: Value) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let event = json!({
        "type": "m.room.message", "sender": SENDER, "event_id": event_id(state.events.len()), "content": content,
        "origin_server_ts": now.map_or(0, |now| now.as_millis() as u64),
    });
    state.events.push((room.to_owned(), event));
}

/// The request as one of `/send`; none if it is another.
pub fn attempt(request: &Received) -> Option<Attempt> {
    let (segments, _) = parts(&request.target);
    let [_, room, send, _, txn] = &segments[..] else {
        return None;
    };
    let content: Value = serde_json::from_slice(&request.body).ok()?;
    let bearer = request.header("authorization").unwrap_or_default();
    (send == "send").then(|| Attempt {
        room: room.clone(),
        txn: txn.clone(),
        body: content["body"].as_str().unwrap_or_default().to_owned(),
        token: bearer.trim_start_matches("Bearer ").to_owned(),
    })
}

fn react(shared: &Shared, request: &Received) -> Behaviour {
    let fault = lock(shared).fault.as_mut().and_then(|fault| fault(request));
    if let Some(behaviour) = fault {
        return behaviour;
    }
    let (segments, query) = parts(&request.target);
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match segments[..] {
        ["rooms", room, "send", _, txn] => send(shared, room, txn, &request.body),
        ["rooms", room, "messages"] => messages(&lock(shared), room, query),
        ["rooms", room, "join"] => Behaviour::json(200, json!({ "room_id": room })),
        ["sync"] => sync(shared, query),
        ["login"] => login(&request.body),
        ["account", "whoami"] => Behaviour::json(200, json!({ "user_id": SENDER })),
        _ => Behaviour::json(
            404,
            json!({ "errcode": "M_UNRECOGNIZED", "error": request.target }),
        ),
    }
}

/// Every password is right; it becomes the access token.
fn login(body: &[u8]) -> Behaviour {
    let login: Value = serde_json::from_slice(body).unwrap_or_default();
    let user = login["identifier"]["user"].as_str().unwrap_or_default();
    Behaviour::json(
        200,
        json!({ "user_id": format!("@{user}:localhost"), "access_token": login["password"], "device_id": "D" }),
    )
}

fn send(shared: &Shared, room: &str, txn: &str, body: &[u8]) -> Behaviour {
    let mut state = lock(shared);
    let key = format!("{room} {txn}");
    let earlier = state
        .transactions
        .iter()
        .find(|(earlier, _)| *earlier == key);
    let id = match earlier {
        Some((_, id)) => id.clone(),
        None => {
            let id = event_id(state.events.len());
            let content = serde_json::from_slice(body).unwrap_or_default();
            add(&mut state, room, content);
            state.transactions.push((key, id.clone()));
            shared.1.notify_all();
            id
        }
    };
    let sent = Behaviour::json(200, json!({ "event_id": id }));
    match state.delay {
        Duration::ZERO => sent,
        delay => Behaviour::Late(delay, Box::new(sent)),
    }
}

fn messages(state: &State, room: &str, query: &str) -> Behaviour {
    let limit = field(query, "limit").and_then(|limit| limit.parse().ok());
    let of_room = state.events.iter().rev().filter(|(name, _)| name == room);
    let chunk: Vec<&Value> = of_room
        .map(|(_, event)| event)
        .take(limit.unwrap_or(1))
        .collect();
    Behaviour::json(200, json!({ "chunk": chunk }))
}

/// Waits until a room has news, as a homeserver does.
fn sync(shared: &Shared, query: &str) -> Behaviour {
    let filter: Value = field(query, "filter")
        .and_then(|filter| serde_json::from_str(&filter).ok())
        .unwrap_or_default();
    let rooms: Vec<&str> = filter["room"]["rooms"]
        .as_array()
        .map(|rooms| rooms.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let since = field(query, "since").and_then(|since| since.trim_start_matches('s').parse().ok());
    let timeout = field(query, "timeout").and_then(|timeout| timeout.parse().ok());
    let end = Instant::now() + Duration::from_millis(timeout.unwrap_or(0));
    let is_new = |state: &State| {
        let mut new = state.events.iter().skip(since.unwrap_or(usize::MAX));
        new.any(|(room, _)| rooms.contains(&room.as_str()))
    };
    let mut state = lock(shared);
    while !is_new(&state) && Instant::now() < end {
        let waited = shared
            .1
            .wait_timeout(state, end.saturating_duration_since(Instant::now()));
        state = waited.expect("no holder of this lock panics").0;
    }
    let mut joined = serde_json::Map::new();
    for room in rooms {
        let new = state.events.iter().skip(since.unwrap_or(0));
        let events: Vec<&Value> = new
            .filter(|(name, _)| name == room)
            .map(|(_, event)| event)
            .collect();
        if !events.is_empty() || since.is_none() {
            joined.insert(room.to_owned(), json!({ "timeline": { "events": events } }));
        }
    }
    let next = format!("s{}", state.events.len());
    Behaviour::json(
        200,
        json!({ "next_batch": next, "rooms": { "join": joined } }),
    )
}
