//! Answers that say yes.

use comatrix_sdk::bindings::{Effect, Message, Reply, SessionChange};
use comatrix_sdk::message::response;
use comatrix_sdk::payload::Format;
use comatrix_sdk::{Value, code};

/// A message whose payload is a map of texts, in the order given.
pub fn texts<const N: usize>(code: u8, format: Format, pairs: [(&str, &str); N]) -> Message {
    response(
        code,
        Some(format.number()),
        None,
        format.encode(&Value::texts(pairs)),
    )
}

/// 2.05 with a map of nothing: there is something to tell, later.
pub fn empty_map(format: Format) -> Message {
    let payload = format.encode(&Value::Map(Vec::new()));
    response(code::CONTENT, Some(format.number()), None, payload)
}

/// The answer, and what becomes of the device's session.
pub fn with_session(message: Message, session: SessionChange) -> Effect {
    Effect::Reply(Reply {
        message,
        session: Some(session),
        watch: None,
    })
}
