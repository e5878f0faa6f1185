//! The text messages among a room's events
//! (<https://spec.matrix.org/v1.13/client-server-api/#mtext>).

use crate::extract::Item;
use crate::room::MAX_IDENTIFIER;

/// Bytes of an event, and so of a message's body (Matrix specification, "Size limits").
const MAX_EVENT: usize = 65_536;

/// Paths for [`extract`](crate::extract::extract()) whose first six [`Reader::read`] understands: members of the
/// events at a path that ends in `*`, and the events themselves. Then the other paths of a reader.
macro_rules! message_paths {
    ($events:literal, $($more:literal),+) => {
        [
            concat!($events, ".type"),
            concat!($events, ".event_id"),
            concat!($events, ".sender"),
            concat!($events, ".content.msgtype"),
            concat!($events, ".content.body"),
            $events,
            $($more),+
        ]
    };
}
pub(crate) use message_paths;

/// A text message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextMessage<'a> {
    /// Empty if the homeserver sends none.
    pub event_id: &'a str,
    /// The user who wrote it.
    pub sender: &'a str,
    /// The text.
    pub body: &'a str,
}

/// Reads events one after the other. A redacted message has lost its content, a picture is no `m.text`: they are none.
#[derive(Debug)]
pub(crate) struct Reader {
    is_message: bool,
    is_text: bool,
    event_id: BoundedText,
    sender: BoundedText,
    body: BoundedText,
}

impl Default for Reader {
    fn default() -> Reader {
        Reader {
            is_message: false,
            is_text: false,
            event_id: BoundedText::new(MAX_IDENTIFIER),
            sender: BoundedText::new(MAX_IDENTIFIER),
            body: BoundedText::new(MAX_EVENT),
        }
    }
}

impl Reader {
    /// Reads the value at one of the six paths. At the end of an event, `found` is called if it is a text message.
    pub(crate) fn read(
        &mut self,
        field: usize,
        item: Item<'_>,
        found: &mut dyn FnMut(TextMessage<'_>),
    ) {
        match field {
            0 => self.is_message = item == Item::Text("m.room.message"),
            1 => self.event_id.set(item),
            2 => self.sender.set(item),
            3 => self.is_text = item == Item::Text("m.text"),
            4 => self.body.set(item),
            _ if matches!(item, Item::Key(_)) => {}
            _ => {
                if let (true, Some(sender), Some(body)) = (
                    self.is_message && self.is_text,
                    self.sender.text(),
                    self.body.text(),
                ) {
                    let event_id = self.event_id.text().unwrap_or_default();
                    found(TextMessage {
                        event_id,
                        sender,
                        body,
                    });
                }
                (self.is_message, self.is_text) = (false, false);
                self.event_id.clear();
                self.sender.clear();
                self.body.clear();
            }
        }
    }
}

/// The latest message while others are read, in memory that is used again.
#[derive(Debug, Default)]
pub struct Latest {
    present: bool,
    event_id: String,
    sender: String,
    body: String,
}

impl Latest {
    /// Replaces it by this one.
    pub fn replace(&mut self, message: TextMessage<'_>) {
        self.present = true;
        for (field, text) in [
            (&mut self.event_id, message.event_id),
            (&mut self.sender, message.sender),
            (&mut self.body, message.body),
        ] {
            field.clear();
            field.push_str(text);
        }
    }

    /// The message; none before the first.
    pub fn get(&self) -> Option<TextMessage<'_>> {
        self.present.then_some(TextMessage {
            event_id: &self.event_id,
            sender: &self.sender,
            body: &self.body,
        })
    }
}

/// A text of at most `most` bytes, in memory that is used again.
#[derive(Debug)]
pub(crate) struct BoundedText {
    most: usize,
    text: String,
    present: bool,
}

impl BoundedText {
    pub(crate) fn new(most: usize) -> BoundedText {
        BoundedText {
            most,
            text: String::new(),
            present: false,
        }
    }

    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.present = false;
    }

    pub(crate) fn set(&mut self, item: Item<'_>) {
        self.clear();
        if let Item::Text(text) | Item::Key(text) = item
            && text.len() <= self.most
        {
            self.text.push_str(text);
            self.present = true;
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        self.present.then_some(&self.text)
    }
}
