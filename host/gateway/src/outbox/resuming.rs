//! The rule reads the outcome of a delivery that waited, in the revision that serves now.

use std::sync::Arc;

use bytes::Bytes;
use ciborium::Value;
use coap::code;
use coap::option::{self, content_format};
use contract::escaping::escaped;
use contract::{Call, CallError, Outcome, Reply, Sender, Upstream};
use homeserver::Caller;
use runtime::exchange::{
    CheckedDelivery, Delivered, Egress, End, Exchange, ExchangeError, Progress,
};
use runtime::{CallDenied, Revision};
use store::database::Space;
use tokio::time::{Duration, Instant};
use url::Url;

use super::deliveries::Inner;
use super::row::{Content, Ending, Header, Whole};
use crate::request::Snapshot;

/// Bytes of a reply that are kept: an event id has 44, and a record must stay small.
const MAX_DETAILS: usize = 512;
/// Bytes of a reason that are kept.
const MAX_REASON: usize = 200;
/// Bytes of a code of an error: the specification's longest one has 38.
const MAX_CODE: usize = 64;
/// Time for calls that the rule makes after the delivery.
const TIME: Duration = Duration::from_secs(10);

/// What the rule makes of an outcome.
pub(super) enum Resumed {
    /// A success: a CBOR map.
    Replied(Bytes),
    /// An error response: its text.
    Failed(String),
    /// Nothing: there is no such rule now, or it does not understand the state of the revision before.
    NotUnderstood,
}

/// Calls the rule's `resume`. What it does not understand is said in the log.
pub(super) async fn resume(
    inner: &Inner,
    header: &Header,
    content: &Content,
    outcome: &Outcome,
) -> Resumed {
    let snapshot = inner.snapshots.load().clone();
    let rules = snapshot.rules.rules().iter();
    let mut revisions = rules.map(|mounted| &mounted.revision);
    let Some(revision) = revisions.find(|revision| revision.name() == content.rule) else {
        log(content, header, "it is not configured any more");
        return Resumed::NotUnderstood;
    };
    let caller = inner.caller(&snapshot, header, content);
    let end = match resumed(inner, &snapshot, revision, caller, content, outcome).await {
        Ok(end) => end,
        Err(error) => {
            log(content, header, &error.to_string());
            return Resumed::NotUnderstood;
        }
    };
    let was_sent = matches!(outcome, Ok(response) if (200..300).contains(&response.status));
    match end {
        End::Reply(reply) => Resumed::Replied(details(&reply)),
        // 5.00 is the rule's own fault, not the homeserver's refusal.
        End::Failure(failure) if was_sent || failure.code == code::INTERNAL_SERVER_ERROR => {
            log(content, header, &escaped(&failure.diagnostic, MAX_REASON));
            Resumed::NotUnderstood
        }
        End::Failure(failure) => {
            let mut reason = failure.diagnostic;
            reason.truncate(reason.floor_char_boundary(MAX_REASON));
            Resumed::Failed(reason)
        }
    }
}

async fn resumed(
    inner: &Inner,
    snapshot: &Arc<Snapshot>,
    revision: &Arc<Revision>,
    caller: Caller,
    content: &Content,
    outcome: &Outcome,
) -> Result<End, ExchangeError> {
    let context = content.context.clone().at(inner.clock.now());
    let (mut exchange, progress) =
        Exchange::resumed(revision, context, &content.state, outcome.as_ref())?;
    match progress {
        Progress::End(end) => Ok(end),
        Progress::Action(action) => {
            let mut egress = LaterCalls {
                snapshot,
                caller,
                deadline: Instant::now() + TIME,
                now: inner.clock.now(),
            };
            exchange.drive(action, &mut egress).await
        }
    }
}

/// Makes the calls of a rule that goes on after its delivery.
struct LaterCalls<'a> {
    snapshot: &'a Snapshot,
    caller: Caller,
    deadline: Instant,
    now: Option<u64>,
}

impl Egress for LaterCalls<'_> {
    type Error = ExchangeError;

    async fn call(&mut self, call: Call) -> Result<Outcome, ExchangeError> {
        let upstreams = &self.snapshot.upstreams;
        Ok(match upstreams.prepare(&self.caller, call) {
            Ok(call) => upstreams.send(&self.caller, &call, self.deadline).await,
            Err(denied) => Err(denied),
        })
    }

    fn sender(&self) -> Sender {
        Sender::of(&self.caller.peer, self.caller.token.as_ref())
    }

    fn origin(&self, upstream: &Upstream) -> &str {
        let origin = self.snapshot.upstreams.origin(&self.caller, upstream);
        origin.map_or("", Url::as_str)
    }

    /// At once: a delivery that waited does not wait again.
    async fn deliver(&mut self, delivery: CheckedDelivery<'_>) -> Result<Delivered, ExchangeError> {
        self.call(delivery.call).await.map(Delivered::Outcome)
    }

    fn deny(&mut self, denied: CallDenied) -> Result<Outcome, ExchangeError> {
        Ok(Err(CallError::from(denied)))
    }

    fn now(&self) -> Option<u64> {
        self.now
    }
}

fn log(content: &Content, header: &Header, why: &str) {
    tracing::warn!(
        "rule {} does not understand the outcome of delivery {}: {why}; the message is not lost: \
         `comatrix-gateway outbox show {1}` has it",
        escaped(&content.rule, 64),
        header.id(),
    );
}

/// The map in a reply's payload, as CBOR; an empty map if there is none, or it is too large.
fn details(reply: &Reply) -> Bytes {
    let payload = &reply.message.payload;
    let mut options = reply.message.options.iter();
    let format = options
        .find(|option| option.number == option::CONTENT_FORMAT)
        .map(|option| {
            option
                .value
                .iter()
                .fold(0_u32, |number, byte| number << 8 | u32::from(*byte))
        });
    let is_json = format == Some(content_format::JSON.into());
    let value = if is_json {
        serde_json::from_slice::<serde_json::Value>(payload)
            .ok()
            .and_then(|value| Value::serialized(&value).ok())
    } else {
        ciborium::from_reader(payload.as_slice()).ok()
    };
    encoded(value.filter(Value::is_map))
}

/// The event's id in the row of a message that was sent.
pub(super) fn event_id_in(row: &[u8]) -> Option<String> {
    let Whole { end, .. } = Whole::read(Space::Ended, row).ok()?;
    let Ending::Sent { details } = end?.ending else {
        return None;
    };
    let details: Value = ciborium::from_reader(details.as_ref()).ok()?;
    let pairs = details.into_map().ok()?;
    let (_, id) = pairs
        .into_iter()
        .find(|(key, _)| key.as_text() == Some("event_id"))?;
    id.into_text().ok()
}

/// The event's id in a homeserver's success, as the same map.
pub(super) fn event_id(outcome: &Outcome) -> Bytes {
    #[derive(serde::Deserialize)]
    struct Sent {
        event_id: String,
    }
    let sent = outcome
        .as_ref()
        .ok()
        .and_then(|response| serde_json::from_slice::<Sent>(&response.body).ok());
    encoded(sent.map(|sent| Value::Map(vec![("event_id".into(), sent.event_id.into())])))
}

/// The reason of a refusal for which the rule has no text.
pub(super) fn status(outcome: &Outcome) -> String {
    match outcome {
        Ok(response) => {
            let status = format!("the homeserver responded with {}", response.status);
            match error_code(&response.body) {
                Some(code) => format!("{status} {code}"),
                None => status,
            }
        }
        Err(error) => escaped(&error.reason, MAX_REASON),
    }
}

/// The code of a Matrix error, such as `M_FORBIDDEN`. Its text is left out: it can repeat what the device has sent.
fn error_code(body: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct MatrixError {
        errcode: String,
    }
    let error: MatrixError = serde_json::from_slice(body).ok()?;
    let is_code = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.');
    let code = error.errcode;
    (code.len() <= MAX_CODE && code.bytes().all(is_code)).then_some(code)
}

fn encoded(map: Option<Value>) -> Bytes {
    let mut bytes = Vec::new();
    let map = map.unwrap_or_else(|| Value::Map(Vec::new()));
    let is_written = ciborium::into_writer(&map, &mut bytes).is_ok();
    if is_written && bytes.len() <= MAX_DETAILS {
        bytes.into()
    } else {
        // An empty map.
        Bytes::from_static(&[0xa0])
    }
}
