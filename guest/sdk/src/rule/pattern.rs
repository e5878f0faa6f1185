//! Paths as they are written in a rule: `rooms/{room}/send/{txn}`.

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

/// The pattern with `values` in the places of its `{…}`, in their order; none if there are too few or too many.
pub(super) fn filled(pattern: &str, values: &[String]) -> Option<Vec<String>> {
    let mut values = values.iter();
    let filled: Option<Vec<_>> = parts(pattern)
        .map(|part| match name(part) {
            Some(_) => values.next().cloned(),
            None => Some(part.to_owned()),
        })
        .collect();
    filled.filter(|_| values.next().is_none())
}

/// Which of the pattern's `{…}` is `{wanted}`.
pub(super) fn place(pattern: &str, wanted: &str) -> Option<usize> {
    parts(pattern)
        .filter_map(name)
        .position(|name| name == wanted)
}

fn parts(pattern: &str) -> impl Iterator<Item = &str> {
    pattern.split('/').filter(|part| !part.is_empty())
}

fn name(part: &str) -> Option<&str> {
    part.strip_prefix('{')?.strip_suffix('}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_filled_with_exactly_as_many_values_as_it_has_places() {
        let values = ["!r".to_owned(), "7".to_owned()];
        let pattern = "rooms/{room}/send/{txn}";
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
}
