//! The position of a watch: the state of `observer.poll` and `observer.polled`.

use crate::bindings::{Context, Upstream};
use crate::error_response::ErrorResponse;
use crate::history::MAX_POSITION;
use crate::{Value, cbor};

/// The form of the state. A revision with another form gives it another number, and refuses this one.
const VERSION: u64 = 1;

/// A place in an account's stream of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// Whether the homeserver is the one in the observing device's Proxy-Uri.
    pub requested: bool,
    /// `next_batch` of the last response.
    pub since: String,
}

impl Position {
    /// The one after a response in this exchange.
    pub fn after(context: &Context, next_batch: String) -> Position {
        Position {
            requested: context.requested.is_some(),
            since: next_batch,
        }
    }

    /// As the gateway stores it: a CBOR array of the form's number and the fields.
    pub fn state(&self) -> Vec<u8> {
        cbor::encode(&Value::Array(vec![
            Value::Unsigned(VERSION),
            Value::Bool(self.requested),
            Value::Text(self.since.clone()),
        ]))
    }

    /// From a state that the gateway has stored; 5.00 if it is of another form.
    pub fn decode(state: &[u8]) -> Result<Position, ErrorResponse> {
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
        Err(ErrorResponse::internal(
            "observe again: its state is of another revision of the rule",
        ))
    }

    pub(super) fn upstream(&self) -> Upstream {
        match self.requested {
            true => Upstream::Requested,
            false => Upstream::Standard,
        }
    }
}
