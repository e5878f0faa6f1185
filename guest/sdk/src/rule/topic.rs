//! Whom a message may mean something to: a room and what else the route's path has matched, as the text that the gateway
//! knows an observer's wish by.

use super::exchange::Exchange;
use super::pattern::place;
use super::route::Route;
use crate::text_message::TextMessage;
use crate::value::Value;

/// What a text message means for the devices of a topic; none: nothing.
pub type Meaning = fn(&Topic<'_>, &TextMessage<'_>) -> Option<Value>;

/// Bytes of a topic (`types.watch` in `wit/types.wit`).
const MAX_TOPIC: usize = 512;

/// Ends each part of a topic's text. Neither rooms nor segments of a path have control characters.
const END: char = '\n';

/// A room and what the route's path has matched.
#[derive(Debug)]
pub struct Topic<'a> {
    path: &'static str,
    room: &'a str,
    /// Without the one of the room.
    captures: Vec<&'a str>,
}

impl<'a> Topic<'a> {
    /// The one of an exchange, in which the room has this id.
    pub(super) fn of(exchange: &Exchange<'a>, room: &'a str) -> Topic<'a> {
        let path = exchange.route.path;
        let place = place(path, "room");
        let captures = exchange.captures().iter().map(String::as_str).enumerate();
        Topic {
            path,
            room,
            captures: captures
                .filter(|(index, _)| Some(*index) != place)
                .map(|(_, capture)| capture)
                .collect(),
        }
    }

    /// From a text that [`text`](Topic::text) has made for this route.
    pub(super) fn parse(route: &Route, text: &'a str) -> Option<Topic<'a>> {
        let mut parts = text.split_terminator(END).skip(1);
        Some(Topic {
            path: route.path,
            room: parts.next()?,
            captures: parts.collect(),
        })
    }

    /// What all topics of a room begin with, for the route that is the rule's `link`.
    pub(super) fn prefix(link: usize, room: &str) -> String {
        format!("{link}{END}{room}{END}")
    }

    /// The room's id in a topic's text.
    pub(super) fn room_of(text: &str) -> Option<&str> {
        text.split_terminator(END).nth(1)
    }

    /// As the gateway knows it; none if that is too long.
    pub(super) fn text(&self, link: u16) -> Option<String> {
        let mut text = Topic::prefix(link.into(), self.room);
        for capture in &self.captures {
            text.push_str(capture);
            text.push(END);
        }
        (text.len() <= MAX_TOPIC).then_some(text)
    }

    /// The room's id.
    pub fn room(&self) -> &'a str {
        self.room
    }

    /// What the route's `{name}` matched; empty if it has none of that name. Of the room its id.
    pub fn capture(&self, name: &str) -> &'a str {
        let room = place(self.path, "room");
        match place(self.path, name) {
            None => "",
            found if found == room => self.room,
            Some(found) => {
                let index = found - usize::from(room.is_some_and(|room| room < found));
                self.captures.get(index).copied().unwrap_or("")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_read_back_with_its_captures_wherever_the_room_stands() {
        for path in [
            "{room}/{device}/{part}",
            "{device}/{room}/{part}",
            "{device}/{part}/{room}",
        ] {
            let topic = Topic {
                path,
                room: "!r:h",
                captures: vec!["lamp", "left"],
            };
            let text = topic.text(7).expect("it is short");
            assert_eq!(text, "7\n!r:h\nlamp\nleft\n");
            assert!(text.starts_with(&Topic::prefix(7, "!r:h")));
            assert_eq!(Topic::room_of(&text), Some("!r:h"));
            let route = Route::get(path, |_| unreachable!("no request"));
            let read = Topic::parse(&route, &text).expect("it has a room");
            let found = ["room", "device", "part", "none"].map(|name| read.capture(name));
            assert_eq!(found, ["!r:h", "lamp", "left", ""]);
        }
    }

    #[test]
    fn a_topic_that_is_too_long_is_none() {
        let topic = Topic {
            path: "{room}/{device}",
            room: "!r:h",
            captures: vec!["x"; MAX_TOPIC],
        };
        assert_eq!(topic.text(0), None);
    }
}
