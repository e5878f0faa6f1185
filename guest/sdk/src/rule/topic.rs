//! The devices that a message may concern: a room and the other captures of the route's path, as the text by which
//! the gateway matches changes with observers.

use super::path::place;
use crate::text::{concat, decimal};

/// Bytes of a topic (`types.watch` in `wit/types.wit`).
const MAX_TOPIC: usize = 512;

/// Ends each part of a topic's text. Neither rooms nor segments of a path have control characters.
const END: char = '\n';

/// A room and the other captures of the route's path.
#[derive(Debug)]
pub struct Topic<'a> {
    path: &'static str,
    room: &'a str,
    /// Without the room.
    captures: Vec<&'a str>,
}

impl<'a> Topic<'a> {
    /// The topic of a request for a route's `path`; `room` is the id of the room.
    pub(super) fn new(path: &'static str, captures: &'a [String], room: &'a str) -> Topic<'a> {
        let place = place(path, "room");
        let captures = captures.iter().map(String::as_str).enumerate();
        Topic {
            path,
            room,
            captures: captures
                .filter(|(index, _)| Some(*index) != place)
                .map(|(_, capture)| capture)
                .collect(),
        }
    }

    /// A topic that is a room and nothing else.
    pub(super) fn room_alone(path: &'static str, room: &'a str) -> Topic<'a> {
        Topic {
            path,
            room,
            captures: Vec::new(),
        }
    }

    /// From a text that [`text`](Topic::text) has made for a route with this path.
    pub(super) fn parse(path: &'static str, text: &'a str) -> Option<Topic<'a>> {
        let mut parts = text.split_terminator(END).skip(1);
        Some(Topic {
            path,
            room: parts.next()?,
            captures: parts.collect(),
        })
    }

    /// The beginning of all topics of a room, for the route that is the rule's `link`.
    pub(super) fn prefix(link: usize, room: &str) -> String {
        concat(&[&decimal(link), "\n", room, "\n"])
    }

    /// The room's id in a topic's text.
    pub(super) fn room_of(text: &str) -> &str {
        text.split_terminator(END).nth(1).unwrap_or(text)
    }

    /// With the route's link and all captures; none if that is too long.
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

    /// The segment that the route's `{name}` matched; empty if the path has no such name. For `{room}`, the room's id.
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
            assert_eq!(Topic::room_of(&text), "!r:h");
            let read = Topic::parse(path, &text).expect("it has a room");
            let found = ["room", "device", "part", "none"].map(|name| read.capture(name));
            assert_eq!(found, ["!r:h", "lamp", "left", ""]);
        }
    }

    #[test]
    fn a_room_alone_is_a_topic_of_its_own() {
        assert_eq!(Topic::room_of("!r:h"), "!r:h");
        assert_eq!(Topic::room_alone("{room}", "!r:h").capture("room"), "!r:h");
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
