//! A homeserver with rooms whose messages can be waited for: `/sync` and `/messages`, as far as observations use them.

use std::net::TcpStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use url::Url;

use crate::stub::{Reaction, Received, Stub};

/// A `/sync` as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sync {
    pub since: Option<usize>,
    /// In the filter; empty: all.
    pub rooms: Vec<String>,
}

#[derive(Default)]
struct Log {
    /// Room and event; the position is the index.
    events: Vec<(String, Value)>,
    syncs: Vec<Sync>,
    /// Long polls that wait now.
    waiting: usize,
    /// The error that is sent in place of a response.
    fault: Option<(u16, String)>,
    /// How long a first sync takes after it has read the rooms.
    delay: Duration,
}

/// The homeserver.
pub struct Timeline {
    log: Arc<(Mutex<Log>, Condvar)>,
    stub: Stub,
}

impl Timeline {
    pub fn start() -> Self {
        let log = Arc::new((Mutex::new(Log::default()), Condvar::new()));
        let shared = log.clone();
        let stub =
            Stub::start_with_connection(move |received, stream| react(&shared, received, stream));
        Self { log, stub }
    }

    pub fn url(&self) -> Url {
        self.stub.url()
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.0.lock().expect("nobody panics with it")
    }

    /// Somebody writes in a room.
    pub fn say(&self, room: &str, body: &str) {
        self.say_all(room, [body.to_owned()]);
    }

    /// The same, so many times that nothing is read in between.
    pub fn say_all(&self, room: &str, bodies: impl IntoIterator<Item = String>) {
        let mut log = self.log();
        for body in bodies {
            let event = json!({
                "type": "m.room.message", "sender": "@ann:a", "event_id": format!("${}", log.events.len()),
                "content": {"msgtype": "m.text", "body": body},
            });
            log.events.push((room.to_owned(), event));
        }
        self.log.1.notify_all();
    }

    /// From now on the response to `/sync` is this error, also where it waits already; none: the right one.
    pub fn fail(&self, fault: Option<(u16, &str)>) {
        self.log().fault = fault.map(|(status, errcode)| (status, errcode.to_owned()));
        self.log.1.notify_all();
    }

    /// The responses to first syncs come so much later than their rooms are read.
    pub fn delay(&self, delay: Duration) {
        self.log().delay = delay;
    }

    /// All `/sync` so far.
    pub fn syncs(&self) -> Vec<Sync> {
        self.log().syncs.clone()
    }

    /// Waits until so many long polls wait.
    pub async fn until_waiting(&self, count: usize) {
        let end = Instant::now() + Duration::from_secs(10);
        while self.log().waiting != count {
            assert!(Instant::now() < end, "{} polls wait", self.log().waiting);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

fn react(shared: &(Mutex<Log>, Condvar), received: &Received, stream: &TcpStream) -> Reaction {
    let url = Url::parse("http://stub").and_then(|base| base.join(&received.target));
    let url = url.expect("it is a target");
    let query = |name: &str| {
        let mut pairs = url.query_pairs();
        pairs
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    if url.path().ends_with("/sync") {
        let filter: Value =
            serde_json::from_str(&query("filter").expect("a filter")).expect("JSON");
        let rooms = filter["room"]["rooms"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let sync = Sync {
            since: query("since").map(|since| since[1..].parse().expect("one of ours")),
            rooms: rooms
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
        };
        let timeout = query("timeout")
            .and_then(|text| text.parse().ok())
            .unwrap_or(0);
        let limit = filter["room"]["timeline"]["limit"]
            .as_u64()
            .expect("a limit");
        let timeout = Duration::from_millis(timeout);
        respond_to_sync(shared, &sync, timeout, limit as usize, stream)
    } else if url.path().ends_with("/logout") {
        Reaction::Json(200, "{}".into())
    } else if let Some(room) = url.path().strip_suffix("/messages")
        && let Some(event) = last_event(shared, room)
    {
        Reaction::Json(200, json!({"chunk": [event]}).to_string())
    } else {
        Reaction::Json(
            403,
            json!({"errcode": "M_FORBIDDEN", "error": "not a member"}).to_string(),
        )
    }
}

/// The last event of the room at the end of this path.
fn last_event((log, _): &(Mutex<Log>, Condvar), path: &str) -> Option<Value> {
    let log = log.lock().expect("nobody panics with it");
    let mut events = log.events.iter().rev();
    let last = events.find(|(room, _)| path.ends_with(&format!("/rooms/{room}")));
    last.map(|(_, event)| event.clone())
}

fn respond_to_sync(
    (log, changed): &(Mutex<Log>, Condvar),
    sync: &Sync,
    timeout: Duration,
    limit: usize,
    stream: &TcpStream,
) -> Reaction {
    let mut log = log.lock().expect("nobody panics with it");
    log.syncs.push(sync.clone());
    log.waiting += 1;
    let since = sync.since;
    let is_wanted = |room: &String| sync.rooms.is_empty() || sync.rooms.contains(room);
    let news = |log: &Log| {
        let mut new = log.events.iter().skip(since.unwrap_or(usize::MAX));
        new.any(|(room, _)| is_wanted(room)) || log.fault.is_some()
    };
    let deadline = Instant::now() + timeout;
    while !news(&log) && Instant::now() < deadline && !is_closed(stream) {
        let step = Duration::from_millis(20).min(deadline - Instant::now());
        log = changed
            .wait_timeout(log, step)
            .expect("nobody panics with it")
            .0;
    }
    log.waiting -= 1;
    if let Some((status, errcode)) = &log.fault {
        let error = json!({"errcode": errcode, "error": "as the test wants it"});
        return Reaction::Json(*status, error.to_string());
    }
    let mut joined = serde_json::Map::new();
    for room in &sync.rooms {
        let of_room = log.events.iter().skip(since.unwrap_or(0));
        let of_room: Vec<_> = of_room.filter(|(name, _)| name == room).collect();
        if of_room.is_empty() && since.is_some() {
            continue;
        }
        let first = of_room.len().saturating_sub(limit);
        let events: Vec<_> = of_room[first..]
            .iter()
            .map(|(_, event)| event.clone())
            .collect();
        let timeline = json!({"events": events, "limited": first > 0, "prev_batch": "p0"});
        joined.insert(room.clone(), json!({"timeline": timeline}));
    }
    let response =
        json!({"next_batch": format!("s{}", log.events.len()), "rooms": {"join": joined}});
    let delay = log.delay;
    drop(log);
    if since.is_none() {
        std::thread::sleep(delay);
    }
    Reaction::Json(200, response.to_string())
}

fn is_closed(stream: &TcpStream) -> bool {
    let peeked = stream
        .set_nonblocking(true)
        .and_then(|()| stream.peek(&mut [0]));
    stream.set_nonblocking(false).expect("it is a socket");
    peeked.is_ok_and(|bytes| bytes == 0)
}
