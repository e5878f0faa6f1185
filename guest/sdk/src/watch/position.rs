//! Where watching stands: the state of `observer.poll` and `observer.polled`.

use crate::bindings::{Context, Upstream};
use crate::history::MAX_POSITION;
use crate::refusal::Refusal;
use crate::{Value, cbor};

/// The form of the state. A revision with another form gives it another number, and refuses this one.
const VERSION: u64 = 1;

/// A place in an account's stream of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// Whether the homeserver is the one in the observing device's Proxy-Uri.
    pub requested: bool,
    /// `next_batch` of the last answer.
    pub since: String,
}

impl Position {
    /// The one after an answer in this exchange.
    #[inline]
    pub fn after(context: &Context, next_batch: String) -> Position {
        Position {
            requested: context.requested.is_some(),
            since: next_batch,
        }
    }

    /// As the gateway keeps it: a CBOR array of the form's number and the fields.
    #[inline]
    pub fn state(&self) -> Vec<u8> {
        cbor::encode(&Value::Array(vec![
            Value::Unsigned(VERSION),
            Value::Bool(self.requested),
            Value::Text(self.since.clone()),
        ]))
    }

    /// What the gateway has kept; 5.00 if it is of another form.
    #[inline]
    pub fn recall(state: &[u8]) -> Result<Position, Refusal> {
        if let Ok(Value::Array(fields)) = cbor::decode(state)
            && let [
                Value::Unsigned(VERSION),
                Value::Bool(requested),
                Value::Text(since),
            ] = fields.as_slice()
            && since.len() <= MAX_POSITION
        {
            return Ok(Position {
                requested: *requested,
                since: since.clone(),
            });
        }
        Err(Refusal::internal(
            "the state of this observation is of another revision of the rule",
        ))
    }

    #[inline]
    pub(super) fn upstream(&self) -> Upstream {
        match self.requested {
            true => Upstream::Requested,
            false => Upstream::Standard,
        }
    }
}
