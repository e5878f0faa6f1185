//! A stub homeserver with one room whose `/sync` works as a homeserver's: it waits until there is something new.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use comatrix_tests::stub::{Behaviour, Received, Stub};
use serde_json::{Value, json};

/// The room.
pub const ROOM: &str = "!room:localhost";

/// How long a poll waits: the gateway asks for as long.
const HOLD: Duration = Duration::from_secs(30);

#[derive(Default)]
struct Shared {
    /// How many messages there are. Positions are `s0`, `s1` and so on.
    count: Mutex<usize>,
    news: Condvar,
}

/// See the file.
pub struct Timeline {
    pub stub: Stub,
    shared: Arc<Shared>,
}

impl Timeline {
    /// Starts one without messages.
    pub fn start() -> Self {
        Self::with(|_, response| response)
    }

    /// Starts one whose responses this function changes; it gets the position of the request.
    pub fn with(
        change: impl Fn(Option<usize>, Behaviour) -> Behaviour + Send + Sync + 'static,
    ) -> Self {
        let shared: Arc<Shared> = Arc::default();
        let own = Arc::clone(&shared);
        let stub = Stub::scripted(move |request| {
            let since = since(request);
            change(since, answer(&own, since))
        });
        Self { stub, shared }
    }

    /// Somebody writes.
    pub fn say(&self) {
        self.say_many(1);
    }

    /// Somebody writes so many messages at once.
    pub fn say_many(&self, count: usize) {
        *self.shared.count.lock().expect("nobody panics with it") += count;
        self.shared.news.notify_all();
    }

    /// The positions that polls have asked for, in their order; none of a first sync.
    pub fn polls(&self) -> Vec<Option<usize>> {
        let received = self.stub.received();
        let polls = received
            .iter()
            .filter(|request| request.target.contains("/sync"));
        polls.map(since).collect()
    }
}

fn since(request: &Received) -> Option<usize> {
    let pairs = request.target.split(['?', '&']);
    let mut since = pairs.filter_map(|pair| pair.strip_prefix("since=s"));
    since.next().and_then(|since| since.parse().ok())
}

fn answer(shared: &Shared, since: Option<usize>) -> Behaviour {
    let count = shared.count.lock().expect("nobody panics with it");
    let Some(since) = since else {
        return Behaviour::json(200, json!({ "next_batch": format!("s{count}") }));
    };
    let waited = shared
        .news
        .wait_timeout_while(count, HOLD, |count| *count <= since);
    let (count, _) = waited.expect("nobody panics with it");
    Behaviour::json(200, changes(since, *count))
}

/// The messages between two positions.
fn changes(since: usize, count: usize) -> Value {
    let event = |number: usize| {
        let content = json!({ "msgtype": "m.text", "body": body(number) });
        json!({ "type": "m.room.message", "event_id": format!("${number}"), "content": content })
    };
    let events: Vec<_> = (since..count).map(event).collect();
    let timeline = json!({ "timeline": { "events": events, "limited": false } });
    let mut changes = json!({ "next_batch": format!("s{count}") });
    if !events.is_empty() {
        changes["rooms"] = json!({ "join": { ROOM: timeline } });
    }
    changes
}

/// The text of a message.
pub fn body(number: usize) -> String {
    format!("message {number}")
}
