//! The text of a log line: what the log counts and what the status page remembers see alike.

use std::fmt::{self, Write};

use tracing::Event;
use tracing::field::{Field, Visit};

/// What an event says. Libraries have further fields, which are left to the log.
pub(crate) fn text(event: &Event<'_>) -> String {
    let mut message = Message::default();
    event.record(&mut message);
    message.0
}

/// A text, numbers aside: two lines of the same kind differ in no more.
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
