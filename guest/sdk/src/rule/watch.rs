//! Which text messages of its room a resource shows, and how.

use std::fmt;

use super::topic::Topic;
use crate::cbor;
use crate::payload::Format;
use crate::text_message::TextMessage;
use crate::value::Value;
use crate::watch::message_payload;

/// Which text messages of its room a resource shows, and how: [`AllMessages`] or [`SelectedMessages`]. `Route::watch`
/// takes one.
pub trait Watch: Sync {
    /// How the latest message is looked for.
    #[doc(hidden)]
    fn search(&self) -> &'static Search;

    /// The topic's text; none if it is too long.
    #[doc(hidden)]
    fn topic(&self, topic: &Topic<'_>, link: u16) -> Option<String>;

    /// Those of `topics`, which are in order, that a message of the room may concern.
    #[doc(hidden)]
    fn concerned<'t>(&self, link: usize, room: &str, topics: &'t [String]) -> &'t [String];

    /// The topic that the text stands for.
    #[doc(hidden)]
    fn parse<'t>(&self, path: &'static str, text: &'t str) -> Option<Topic<'t>>;

    /// Whether all routes with such a watch have the same topics, so that one change serves them all.
    #[doc(hidden)]
    fn is_shared(&self) -> bool;

    /// Whether the message is shown.
    #[doc(hidden)]
    fn shows(&self, topic: &Topic<'_>, message: &TextMessage<'_>) -> bool;

    /// The payload of the message's change; none if it is not shown.
    #[doc(hidden)]
    fn change(&self, topic: &Topic<'_>, message: &TextMessage<'_>) -> Option<Vec<u8>>;

    /// The value that devices get for a change in this format; none if this is not a payload of
    /// [`change`](Watch::change).
    #[doc(hidden)]
    fn value(&self, change: &[u8], format: Format) -> Option<Value>;
}

// Not by its fields: a component would carry the printing of all of them.
impl fmt::Debug for dyn Watch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Watch")
    }
}

/// How the latest message is looked for.
#[doc(hidden)]
#[derive(Debug)]
pub struct Search {
    /// How many messages each call asks for. 12 events of 64 KiB fit into a response's mebibyte with their envelope.
    pub(super) pages: &'static [&'static str],
    /// The diagnostic if there is no message.
    pub(super) none: &'static str,
}

/// Every text message of the room; the function makes a device's value of it. It is called for each device that is
/// notified, unless the device accepts [`TEXT`](super::TEXT) and the route produces it: then it gets the body alone. A
/// topic is a room alone, so that one change serves all routes with such a watch.
#[derive(Debug)]
pub struct AllMessages(pub fn(&TextMessage<'_>) -> Value);

/// The messages of which the function makes a value, such as commands for the device that the route's path names.
///
/// The function is called for each message and each topic that is observed in its room: it should return none
/// quickly. A value that takes more than 16 KiB ends the observation with 5.03; the device observes again and gets it
/// whole.
#[derive(Debug)]
pub struct SelectedMessages(pub fn(&Topic<'_>, &TextMessage<'_>) -> Option<Value>);

impl Watch for AllMessages {
    fn search(&self) -> &'static Search {
        // The last message is nearly always a text.
        &Search {
            pages: &["1", "5", "10", "10", "10", "10"],
            none: "no text message among the room's last messages",
        }
    }

    fn topic(&self, topic: &Topic<'_>, _: u16) -> Option<String> {
        Some(topic.room().to_owned())
    }

    fn concerned<'t>(&self, _: usize, room: &str, topics: &'t [String]) -> &'t [String] {
        match topics.binary_search_by(|topic| topic.as_str().cmp(room)) {
            Ok(found) => &topics[found..=found],
            Err(_) => &[],
        }
    }

    fn parse<'t>(&self, path: &'static str, text: &'t str) -> Option<Topic<'t>> {
        Some(Topic::room_alone(path, text))
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn shows(&self, _: &Topic<'_>, _: &TextMessage<'_>) -> bool {
        true
    }

    fn change(&self, _: &Topic<'_>, message: &TextMessage<'_>) -> Option<Vec<u8>> {
        Some(message_payload(message))
    }

    fn value(&self, change: &[u8], format: Format) -> Option<Value> {
        let message = cbor::decode(change).ok()?;
        let text = |name| message.get(name).and_then(Value::as_text);
        if format == Format::Text {
            return text("body").map(Value::from);
        }
        Some(self.0(&TextMessage {
            event_id: text("event_id").unwrap_or_default(),
            sender: text("sender")?,
            body: text("body")?,
        }))
    }
}

impl Watch for SelectedMessages {
    fn search(&self) -> &'static Search {
        &Search {
            pages: &["10"; 5],
            none: "no message for this resource among the room's last messages",
        }
    }

    fn topic(&self, topic: &Topic<'_>, link: u16) -> Option<String> {
        topic.text(link)
    }

    fn concerned<'t>(&self, link: usize, room: &str, topics: &'t [String]) -> &'t [String] {
        let prefix = Topic::prefix(link, room);
        let first = topics.partition_point(|topic| *topic < prefix);
        let topics = topics.get(first..).unwrap_or_default();
        let count = topics.iter().take_while(|topic| topic.starts_with(&prefix));
        topics.get(..count.count()).unwrap_or_default()
    }

    fn parse<'t>(&self, path: &'static str, text: &'t str) -> Option<Topic<'t>> {
        Topic::parse(path, text)
    }

    fn is_shared(&self) -> bool {
        false
    }

    fn shows(&self, topic: &Topic<'_>, message: &TextMessage<'_>) -> bool {
        self.0(topic, message).is_some()
    }

    /// A CBOR array of the event's id, which distinguishes it from others, and the value.
    fn change(&self, topic: &Topic<'_>, message: &TextMessage<'_>) -> Option<Vec<u8>> {
        let value = self.0(topic, message)?;
        Some(cbor::encode(&Value::Array(vec![
            message.event_id.into(),
            value,
        ])))
    }

    fn value(&self, change: &[u8], _: Format) -> Option<Value> {
        let Ok(Value::Array(mut parts)) = cbor::decode(change) else {
            return None;
        };
        let value = parts.pop()?;
        matches!(parts.as_slice(), [Value::Text(_)]).then_some(value)
    }
}
