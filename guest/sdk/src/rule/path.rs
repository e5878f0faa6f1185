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

/// Adds the pattern's segments to `path`, with `values` in the places of its `{…}`, in their order. Whether there are exactly as many.
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

/// Whether a path has the form of the pattern.
pub(super) fn matches(pattern: &str, path: &[String]) -> bool {
    let mut path = path.iter();
    for part in parts(pattern) {
        match path.next() {
            _ if part == "*" => return true,
            Some(segment) if name(part).is_some() || segment == part => {}
            _ => return false,
        }
    }
    path.next().is_none()
}

/// The segment of a path of the pattern's form that stands in the place of `{wanted}`.
pub(super) fn capture<'a>(pattern: &str, path: &'a [String], wanted: &str) -> Option<&'a str> {
    let place = parts(pattern).position(|part| name(part) == Some(wanted))?;
    path.get(place).map(String::as_str)
}

/// The names of a pattern's `{…}`, in their order.
pub(super) fn names(pattern: &str) -> impl Iterator<Item = &str> {
    parts(pattern).filter_map(name)
}

/// Which of the pattern's `{…}` is `{wanted}`.
pub(super) fn place(pattern: &str, wanted: &str) -> Option<usize> {
    names(pattern).position(|name| name == wanted)
}

/// By its bytes: it is done several times in each call, and std's search for a character takes five times as long.
fn parts(pattern: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(pattern);
    let split = move || {
        let text = rest?;
        let end = text.bytes().position(|byte| byte == b'/');
        rest = end.and_then(|end| text.get(end + 1..));
        text.get(..end.unwrap_or(text.len()))
    };
    std::iter::from_fn(split).filter(|part| !part.is_empty())
}

fn name(part: &str) -> Option<&str> {
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
            assert!(matches(pattern, &path), "{pattern}");
        }
        for pattern in [
            "",
            "rooms/{room}",
            "rooms/{room}/join",
            "rooms/{room}/send/{txn}",
        ] {
            assert!(!matches(pattern, &path), "{pattern}");
        }
        assert_eq!(capture("rooms/{room}/send", &path, "room"), Some("!r"));
        assert_eq!(capture("rooms/{room}/send", &path, "send"), None);
    }
}
