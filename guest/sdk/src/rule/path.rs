//! Paths as rules write them: `rooms/{room}/send/{txn}`.

use crate::bindings::Segment;

/// The segments of a pattern; none of an empty one. `{…}` stands for any one segment, `*` as the last one for all that
/// remain.
pub(super) fn segments(pattern: &str) -> impl Iterator<Item = Segment> {
    parts(pattern).map(|part| match name(part) {
        Some(name) => Segment::Capture(name.to_owned()),
        None if part == "*" => Segment::Rest,
        None => Segment::Literal(part.to_owned()),
    })
}

/// Adds the pattern's segments to `path`, with `values` in the places of its `{…}`, in their order. Whether there are
/// exactly as many.
pub(super) fn fill(pattern: &str, values: Vec<String>, path: &mut Vec<String>) -> bool {
    let mut values = values.into_iter();
    for part in parts(pattern) {
        match name(part) {
            None => path.push(part.to_owned()),
            Some(_) => match values.next() {
                Some(value) => path.push(value),
                None => return false,
            },
        }
    }
    values.next().is_none()
}

/// Captures that [`matched`] holds.
const MAX_CAPTURES: usize = 4;

/// The names and segments of a pattern's `{…}` in a path, in their order; at most four.
#[derive(Debug, Clone, Copy)]
pub(super) struct Captures<'a> {
    found: [(&'static str, &'a str); MAX_CAPTURES],
    count: usize,
}

impl<'a> Captures<'a> {
    pub(super) fn all(&self) -> &[(&'static str, &'a str)] {
        self.found.get(..self.count).unwrap_or_default()
    }
}

/// The captures, if the path as a whole has the form of the pattern.
pub(super) fn matched<'a>(pattern: &'static str, path: &'a [String]) -> Option<Captures<'a>> {
    let mut captures = Captures {
        found: [("", ""); MAX_CAPTURES],
        count: 0,
    };
    let mut path = path.iter();
    for part in parts(pattern) {
        if part == "*" {
            return Some(captures);
        }
        let segment = path.next()?;
        match name(part) {
            Some(name) => {
                *captures.found.get_mut(captures.count)? = (name, segment);
                captures.count += 1;
            }
            None if segment == part => {}
            None => return None,
        }
    }
    path.next().is_none().then_some(captures)
}

/// Which of the pattern's `{…}` is `{room}`, at compile time.
pub(super) const fn place_of_room(pattern: &str) -> Option<usize> {
    let (bytes, room) = (pattern.as_bytes(), b"{room}");
    let (mut at, mut place) = (0, 0);
    while at + room.len() <= bytes.len() {
        let mut same = 0;
        while same < room.len() && bytes[at + same] == room[same] {
            same += 1;
        }
        if same == room.len() {
            return Some(place);
        }
        if bytes[at] == b'{' {
            place += 1;
        }
        at += 1;
    }
    None
}

/// Which of the pattern's `{…}` is `{wanted}`.
pub(super) fn place(pattern: &str, wanted: &str) -> Option<usize> {
    let names = parts(pattern).filter_map(name);
    names
        .enumerate()
        .find(|(_, name)| *name == wanted)
        .map(|(place, _)| place)
}

/// The parts between slashes, the empty ones left out.
pub(super) fn parts(pattern: &str) -> Parts<'_> {
    Parts { pattern, at: 0 }
}

/// See [`parts`].
pub(super) struct Parts<'a> {
    pattern: &'a str,
    at: usize,
}

impl<'a> Iterator for Parts<'a> {
    type Item = &'a str;

    /// Byte by byte, without closures: it is done several times in each call, and a component is compiled for size.
    fn next(&mut self) -> Option<&'a str> {
        let bytes = self.pattern.as_bytes();
        while bytes.get(self.at) == Some(&b'/') {
            self.at += 1;
        }
        let start = self.at;
        while self.at < bytes.len() && bytes[self.at] != b'/' {
            self.at += 1;
        }
        match start < self.at {
            true => self.pattern.get(start..self.at),
            false => None,
        }
    }
}

/// The name in `{name}`.
pub(super) fn name(part: &str) -> Option<&str> {
    match part.as_bytes() {
        [b'{', .., b'}'] => part.get(1..part.len() - 1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_filled_with_exactly_as_many_values_as_it_has_places() {
        let values = ["!r".to_owned(), "7".to_owned()];
        let pattern = "rooms/{room}/send/{txn}";
        let filled = |pattern, values: &[String]| {
            let mut path = Vec::new();
            fill(pattern, values.to_vec(), &mut path).then_some(path)
        };
        let expected = ["rooms", "!r", "send", "7"].map(str::to_owned).to_vec();
        assert_eq!(filled(pattern, &values), Some(expected));
        assert_eq!(filled(pattern, &values[..1]), None);
        assert_eq!(filled("rooms/{room}", &values), None);
        assert_eq!(filled("", &[]), Some(vec![]));
    }

    #[test]
    fn places_are_counted_without_the_literals() {
        assert_eq!(place("rooms/{room}/send/{txn}", "txn"), Some(1));
        assert_eq!(place("rooms/{room}", "rooms"), None);
    }

    #[test]
    fn a_star_stands_for_the_rest() {
        let expected = [
            Segment::Literal("a".to_owned()),
            Segment::Capture("b".to_owned()),
            Segment::Rest,
        ];
        assert_eq!(segments("a/{b}/*").collect::<Vec<_>>(), expected);
        assert_eq!(segments("").count(), 0);
    }

    #[test]
    fn a_path_matches_a_pattern_as_a_whole() {
        let path = ["rooms", "!r", "send"].map(str::to_owned);
        for pattern in ["rooms/{room}/send", "*", "rooms/*", "{a}/{b}/{c}"] {
            assert!(matched(pattern, &path).is_some(), "{pattern}");
        }
        for pattern in [
            "",
            "rooms/{room}",
            "rooms/{room}/join",
            "rooms/{room}/send/{txn}",
        ] {
            assert!(matched(pattern, &path).is_none(), "{pattern}");
        }
        let captures = matched("rooms/{room}/send", &path);
        let captures = captures.as_ref().map(Captures::all);
        assert_eq!(captures, Some(&[("room", "!r")][..]));
    }

    #[test]
    fn the_place_of_the_room_is_found_at_compile_time() {
        for pattern in [
            "",
            "rooms",
            "rooms/{room}",
            "{a}/{room}/{room}",
            "{rooms}/{room",
            "{a}",
        ] {
            assert_eq!(place_of_room(pattern), place(pattern, "room"), "{pattern}");
        }
    }
}
