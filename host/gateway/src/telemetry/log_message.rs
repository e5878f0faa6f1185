//! The text of a log line, for the limiter of the log and for the status page.

use std::fmt::{self, Write};

use tracing::Event;
use tracing::field::{Field, Visit};

/// The message of an event, without its other fields.
pub(crate) fn text(event: &Event<'_>) -> String {
    let mut message = Message::default();
    event.record(&mut message);
    message.0
}

/// A text without digits: two lines that are equal without them are of the same kind.
pub(crate) fn without_numbers(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|character| !character.is_ascii_digit())
}

#[derive(Default)]
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            let _ = write!(self.0, "{value:?}");
        }
    }
}
