//! Whether a room has the event of an attempt whose outcome is unknown.
//!
//! Homeservers recognise a repetition by its transaction id, but not for ever. After that the room itself says whether
//! an attempt had an effect.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

use super::caller::Caller;
use super::prepared_call::PreparedCall;
use super::upstreams::Upstreams;
use contract::{CheckedRequest, HttpResponse, Outcome};

/// Events of one page, and pages: a room with more events since the attempt is searched no further.
const PAGE: usize = 100;
const MOST_PAGES: usize = 20;
/// The clocks of gateway and homeserver may differ by so much. More would take the last one of equal messages, such as
/// a temperature that does not change, for the next one.
const CLOCKS: Duration = Duration::from_secs(5);

/// The result of a search.
#[derive(Clone, Debug)]
pub enum SentEvent {
    /// The room has the event: the response that the attempt would have got.
    Found(HttpResponse),
    /// It has not, as far as the room was searched; or the request sends no event.
    NotFound,
}

/// What is searched for.
struct Wanted<'a> {
    room: &'a str,
    kind: &'a str,
    transaction: &'a str,
    content: Value,
    /// The sender, and the earliest time in milliseconds; none: the transaction id alone decides.
    by: Option<(String, u64)>,
}

/// `GET /rooms/{roomId}/messages` (Matrix 1.13, client-server API).
#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    chunk: Vec<Value>,
    end: Option<String>,
}

impl Page {
    /// Those that can be read: whoever may write into the room must not end the search by an event of another form.
    fn events(&self) -> Vec<Event> {
        let events = self.chunk.iter().map(Event::deserialize);
        events.filter_map(Result::ok).collect()
    }
}

#[derive(Deserialize)]
struct Event {
    event_id: String,
    #[serde(rename = "type")]
    kind: String,
    sender: String,
    #[serde(default)]
    origin_server_ts: u64,
    #[serde(default)]
    content: Value,
    #[serde(default)]
    unsigned: Unsigned,
}

#[derive(Default, Deserialize)]
struct Unsigned {
    transaction_id: Option<String>,
}

#[derive(Deserialize)]
struct WhoAmI {
    user_id: String,
}

impl Upstreams {
    /// Searches the room of a call that sends an event, from its newest event back to `since` (Unix seconds). The event
    /// is found by its transaction id, which homeservers show to the device that has sent it. Without one it is found
    /// by sender, type, content and time: not if `since` is none, for the same content may have been sent before.
    /// `others` are ids of events that are known to be other messages.
    ///
    /// # Errors
    /// The outcome of a request that was no success.
    pub async fn find_sent(
        &self,
        caller: &Caller,
        call: &PreparedCall,
        since: Option<u64>,
        others: &[String],
        deadline: Instant,
    ) -> Result<SentEvent, Outcome> {
        let Some(mut wanted) = Wanted::of(call.request()) else {
            return Ok(SentEvent::NotFound);
        };
        if let Some(since) = since {
            let path = ["_matrix", "client", "v3", "account", "whoami"];
            let me: WhoAmI = self.get(caller, call, &path, vec![], deadline).await?;
            let earliest = since.saturating_sub(CLOCKS.as_secs()).saturating_mul(1000);
            wanted.by = Some((me.user_id, earliest));
        }
        let path = ["_matrix", "client", "v3", "rooms", wanted.room, "messages"];
        let filter = serde_json::json!({"types": [wanted.kind], "lazy_load_members": true});
        let mut from = None;
        for _ in 0..MOST_PAGES {
            let mut query = vec![
                ("dir".to_owned(), "b".to_owned()),
                ("limit".to_owned(), PAGE.to_string()),
                ("filter".to_owned(), filter.to_string()),
            ];
            query.extend(from.map(|from| ("from".to_owned(), from)));
            let page: Page = self.get(caller, call, &path, query, deadline).await?;
            let events = page.events();
            if let Some(event) = wanted.find(&events, others) {
                return Ok(SentEvent::Found(response(&event.event_id)));
            }
            // Homeservers order by their own receipt: a page with an earlier event may be the last one.
            let is_over = events.iter().any(|event| wanted.is_before(event));
            if is_over || page.end.is_none() || page.chunk.is_empty() {
                break;
            }
            from = page.end;
        }
        Ok(SentEvent::NotFound)
    }

    /// A request in the name of the same account.
    async fn get<T: for<'de> Deserialize<'de>>(
        &self,
        caller: &Caller,
        call: &PreparedCall,
        path: &[&str],
        query: Vec<(String, String)>,
        deadline: Instant,
    ) -> Result<T, Outcome> {
        let unreadable = || {
            Err(contract::CallError {
                reason: "cut-off".to_owned(),
                sent: true,
            })
        };
        let request = CheckedRequest::get(path).map_err(|_| unreadable())?;
        let get = PreparedCall {
            request: request.with_query(query),
            ..call.clone()
        };
        let outcome = self.send(caller, &get, deadline).await;
        match &outcome {
            Ok(response) if response.status == 200 => {
                serde_json::from_slice(&response.body).map_err(|_| unreadable())
            }
            _ => Err(outcome),
        }
    }
}

impl<'a> Wanted<'a> {
    /// None if the request is not `PUT /_matrix/client/v3/rooms/{roomId}/send/{eventType}/{txnId}` with a JSON object.
    fn of(request: &'a CheckedRequest) -> Option<Self> {
        let path: Vec<&str> = request.path().iter().map(String::as_str).collect();
        let [
            "_matrix",
            "client",
            _,
            "rooms",
            room,
            "send",
            kind,
            transaction,
        ] = path[..]
        else {
            return None;
        };
        let content = serde_json::from_slice(request.body()?).ok()?;
        Some(Self {
            room,
            kind,
            transaction,
            content,
            by: None,
        })
    }

    /// The newest one that is none of `others`.
    fn find<'e>(&self, events: &'e [Event], others: &[String]) -> Option<&'e Event> {
        let mut events = events.iter();
        events.find(|event| self.is(event) && !others.contains(&event.event_id))
    }

    fn is(&self, event: &Event) -> bool {
        if let Some(transaction) = &event.unsigned.transaction_id {
            return transaction == self.transaction;
        }
        self.by.as_ref().is_some_and(|(sender, earliest)| {
            event.sender == *sender
                && event.kind == self.kind
                && event.origin_server_ts >= *earliest
                && event.content == self.content
        })
    }

    fn is_before(&self, event: &Event) -> bool {
        let by = self.by.as_ref();
        by.is_some_and(|(_, earliest)| event.origin_server_ts < *earliest)
    }
}

fn response(event_id: &str) -> HttpResponse {
    HttpResponse {
        status: 200,
        headers: vec![("content-type".to_owned(), b"application/json".to_vec())],
        body: serde_json::json!({ "event_id": event_id })
            .to_string()
            .into_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SINCE: u64 = 1_800_000_000_000;

    fn wanted(is_known: bool) -> Wanted<'static> {
        Wanted {
            room: "!r",
            kind: "m.room.message",
            transaction: "cm1",
            content: json!({"msgtype": "m.text", "body": "22.5"}),
            by: is_known.then(|| ("@sensor:h".to_owned(), SINCE)),
        }
    }

    fn event(id: &str, change: impl FnOnce(&mut Value)) -> Value {
        let mut event = json!({
            "event_id": id, "type": "m.room.message", "sender": "@sensor:h", "origin_server_ts": SINCE,
            "content": {"body": "22.5", "msgtype": "m.text"},
        });
        change(&mut event);
        event
    }

    fn found(is_known: bool, chunk: Vec<Value>, others: &[&str]) -> Option<String> {
        let events = Page { chunk, end: None }.events();
        let others: Vec<_> = others.iter().map(|other| (*other).to_owned()).collect();
        let found = wanted(is_known).find(&events, &others)?;
        Some(found.event_id.clone())
    }

    #[test]
    fn an_event_with_the_transaction_id_is_found_whatever_its_time() {
        let of = |id: &str, transaction: &str| {
            event(id, |event| {
                event["unsigned"] = json!({"transaction_id": transaction});
                event["origin_server_ts"] = json!(0);
            })
        };
        let chunk = || vec![of("$2", "cm2"), of("$1", "cm1")];
        assert_eq!(found(false, chunk(), &[]).as_deref(), Some("$1"));
        assert_eq!(found(true, chunk(), &[]).as_deref(), Some("$1"));
    }

    #[test]
    fn without_an_id_sender_type_content_and_time_decide() {
        let chunk = vec![
            event("$other", |event| event["sender"] = json!("@neighbour:h")),
            event("$notice", |event| event["type"] = json!("m.notice")),
            event("$warmer", |event| event["content"]["body"] = json!("22.6")),
            event("$early", |event| {
                event["origin_server_ts"] = json!(SINCE - 1)
            }),
            event("$it", |_| {}),
        ];
        assert_eq!(found(true, chunk.clone(), &[]).as_deref(), Some("$it"));
        assert_eq!(found(true, chunk.clone(), &["$it"]), None);
        assert_eq!(found(false, chunk, &[]), None);
    }

    #[test]
    fn events_of_another_form_hide_no_other_one() {
        let chunk = vec![
            json!(7),
            event("$odd", |event| event["origin_server_ts"] = json!(-1.5)),
            event("$odder", |event| {
                event["unsigned"] = json!({"transaction_id": []})
            }),
            event("$it", |_| {}),
        ];
        assert_eq!(found(true, chunk, &[]).as_deref(), Some("$it"));
    }
}
