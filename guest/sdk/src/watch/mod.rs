//! The text messages of rooms as they come, for observations (RFC 7641), by way of the account's stream of events
//! (<https://spec.matrix.org/v1.13/client-server-api/#get_matrixclientv3sync>).
//!
//! 1. The device's request leads to a [`first_query`] for its room. The latest message in the answer is what the device gets,
//!    and the answer's `next_batch` is the [`Position`] from where everything else is found: nothing falls between.
//! 2. [`poll`] asks for what comes after it in all rooms that somebody observes, and waits for it up to [`HOLD_MS`].
//! 3. [`polled`] makes changes of the answer's messages.
//!
//! A change's payload is for the rule to make: [`message_payload`] for the message as it is. The first answer's
//! message goes through the same function ([`Watch::shown`](crate::bindings::Watch)), so that the gateway knows it again.

mod changes;
mod position;
mod request;
mod timeline;

pub use changes::{Changes, MAX_CHANGES, MAX_PAYLOAD, polled};
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

/// The watch that begins at `position`. `shown` is the payload that a change would have for what the reply shows.
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
