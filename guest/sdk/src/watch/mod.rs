//! New text messages of rooms, for observations (RFC 7641), by way of the account's stream of events
//! (<https://spec.matrix.org/v1.13/client-server-api/#get_matrixclientv3sync>).
//!
//! 1. The device's request leads to a [`first_query`] for its room. The device gets the latest message in the response,
//!    and the response's `next_batch` is the [`Position`] from which all later messages are found.
//! 2. [`poll`] asks for later messages in all observed rooms, and waits for them up to [`HOLD_MS`].
//! 3. [`polled`] makes changes of the response's messages.
//!
//! A change's payload is for the rule to make: [`message_payload`] for the message as it is. The message of the first
//! response goes through the same function ([`Watch::shown`](crate::bindings::Watch)), so that the gateway recognises
//! it.

mod changes;
mod position;
mod request;
mod timeline;

pub use changes::{Changes, Found, MAX_CHANGES, MAX_PAYLOAD, polled};
pub use position::Position;
pub use request::{HOLD_MS, first_query, poll};
pub use timeline::{SyncItem, read};

use crate::bindings;
use crate::cbor::encode_texts;
use crate::text_message::TextMessage;

/// All observations of an account are polled together: a homeserver keeps one stream of events per account.
pub const SHARE: &str = "sync";

/// A message as the payload of a change: a CBOR map of `event_id`, `sender` and `body`.
pub fn message_payload(message: &TextMessage<'_>) -> Vec<u8> {
    encode_texts(&[
        ("event_id", message.event_id),
        ("sender", message.sender),
        ("body", message.body),
    ])
}

/// The watch that begins at `position`. `shown` is the change's payload for the message in the reply.
pub fn watch(topic: String, position: &Position, shown: Option<Vec<u8>>) -> bindings::Watch {
    bindings::Watch {
        share: SHARE.to_owned(),
        topic,
        state: position.state(),
        // A larger one never comes as a change.
        shown: shown.filter(|payload| payload.len() <= MAX_PAYLOAD),
    }
}

#[cfg(test)]
mod tests;
