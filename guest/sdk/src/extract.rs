//! A few values out of a large JSON text, such as a homeserver's answer of a mebibyte: the rest is skipped in place,
//! neither copied nor held.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::json::{JsonError, check};

/// Levels of what is skipped; it takes a byte a level. Synapse itself handles no more.
pub const MAX_FOREIGN_DEPTH: usize = 1024;

/// Bytes of a string, its escapes as written. A Matrix event has at most 65,536 bytes (Matrix specification, "Size
/// limits"); a homeserver that writes ASCII only makes `\u044f` of a letter of two bytes, three times as much. Text, one copy of a string and an answer to the device stay below an
/// instance's 2 MiB.
pub const MAX_STRING: usize = 192 * 1024;

/// Members and elements of the objects and arrays that a path leads through: a call has 20 ms. A page of ten events
/// has about a hundred.
pub const MAX_WALKED: usize = 16_384;

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item<'t> {
    /// A string, without escapes.
    Text(&'t str),
    /// An array; its elements have been reported before.
    Array,
    /// An object; its members have been reported before.
    Object,
    /// A number, a truth value or null.
    Other,
}

/// Calls `found` with the index of each path and what stands there, in the order of the text. A path names members with
/// dots between them; `*` stands for every element of an array: `chunk.*.sender`. At most 32 paths.
///
/// The whole text must be JSON within the bounds of this module; otherwise what was reported is not to be used. Of members with the same name each is reported.
pub fn extract(
    text: &[u8],
    paths: &[&str],
    found: &mut dyn FnMut(usize, Item<'_>),
) -> Result<(), JsonError> {
    check(text, MAX_FOREIGN_DEPTH, MAX_STRING)?;
    let paths: Vec<Vec<&str>> = paths
        .iter()
        .take(32)
        .map(|path| path.split('.').collect())
        .collect();
    let steps_left = Cell::new(MAX_WALKED);
    let live = Live {
        below: u32::MAX,
        here: 0,
    };
    let root = At {
        paths: &paths,
        depth: 0,
        live,
        steps_left: &steps_left,
        found,
    };
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let result = root
        .deserialize(&mut deserializer)
        .and_then(|()| deserializer.end());
    result.map_err(|error| {
        let mut error = JsonError::locate(text, &error);
        if steps_left.get() == 0 {
            error.reason = format!("more than {MAX_WALKED} members and elements on the way");
        }
        error
    })
}

/// The paths that lead to a place, a bit each.
#[derive(Clone, Copy)]
struct Live {
    /// Those that go on from there.
    below: u32,
    /// Those that end there.
    here: u32,
}

/// A place within the text.
struct At<'p, 'f> {
    paths: &'p [Vec<&'p str>],
    /// Names between the root and this place.
    depth: usize,
    live: Live,
    steps_left: &'p Cell<usize>,
    found: &'f mut dyn FnMut(usize, Item<'_>),
}

impl At<'_, '_> {
    /// Which paths lead to the member or element `name` of this place.
    fn next(&self, name: &str) -> Live {
        let mut live = Live { below: 0, here: 0 };
        if self.live.below == 0 {
            return live;
        }
        for (index, path) in self.paths.iter().enumerate() {
            if self.live.below >> index & 1 == 1 && path.get(self.depth) == Some(&name) {
                match path.len() == self.depth + 1 {
                    true => live.here |= 1 << index,
                    false => live.below |= 1 << index,
                }
            }
        }
        live
    }

    fn report(&mut self, item: Item<'_>) {
        let mut here = self.live.here;
        while here != 0 {
            (self.found)(here.trailing_zeros() as usize, item);
            here &= here - 1;
        }
    }

    /// False when there have been too many steps. What is then left unread serde_json refuses.
    fn step(&self) -> bool {
        let left = self.steps_left.get().saturating_sub(1);
        self.steps_left.set(left);
        left > 0
    }

    fn other<E>(mut self) -> Result<(), E> {
        self.report(Item::Other);
        Ok(())
    }

    fn to(&mut self, live: Live) -> At<'_, '_> {
        At {
            depth: self.depth + 1,
            live,
            found: &mut *self.found,
            ..*self
        }
    }
}

impl<'de> DeserializeSeed<'de> for At<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.live.below | self.live.here == 0 {
            return deserializer.deserialize_ignored_any(IgnoredAny).map(drop);
        }
        deserializer.deserialize_any(self)
    }
}

/// Every kind of value has its method: serde's own ones would bring the printing of floats into a component, a tenth
/// of its size.
impl<'de> Visitor<'de> for At<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.other()
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.other()
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        self.other()
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        self.other()
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.other()
    }

    fn visit_str<E>(mut self, text: &str) -> Result<(), E> {
        self.report(Item::Text(text));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<(), A::Error> {
        let live = self.next("*");
        while self.step() && elements.next_element_seed(self.to(live))?.is_some() {}
        self.report(Item::Array);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        while self.step()
            && let Some(live) = members.next_key_seed(Name(&self))?
        {
            members.next_value_seed(self.to(live))?;
        }
        self.report(Item::Object);
        Ok(())
    }
}

/// Compares a key without copying it.
struct Name<'a, 'p, 'f>(&'a At<'p, 'f>);

impl<'de> DeserializeSeed<'de> for Name<'_, '_, '_> {
    type Value = Live;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Live, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_, '_, '_> {
    type Value = Live;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Live, E> {
        Ok(self.0.next(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reported(text: &str, paths: &[&str]) -> Vec<String> {
        let mut items = Vec::new();
        let result = extract(text.as_bytes(), paths, &mut |index, item| {
            items.push(format!("{index} {item:?}"))
        });
        assert_eq!(result, Ok(()), "{text}");
        items
    }

    #[test]
    fn values_are_found_by_their_paths_in_the_order_of_the_text() {
        let text = r#"{"end":"t1","chunk":[{"x":[1,{"s":"no"}],"s":"\u0061"},7,{"s":{"s":1.5}}],"s":"no"}"#;
        let items = reported(text, &["chunk", "chunk.*.s", "chunk.*", "end", "none"]);
        let expected = [
            r#"3 Text("t1")"#,
            r#"1 Text("a")"#,
            "2 Object",
            "2 Other",
            "1 Object",
            "2 Object",
            "0 Array",
        ];
        assert_eq!(items, expected);
    }

    #[test]
    fn what_has_no_such_path_reports_nothing() {
        for text in [
            "[]",
            "1",
            "\"a\"",
            "null",
            "{}",
            r#"[{"a":1}]"#,
            r#"{"b":{"a":1}}"#,
        ] {
            assert_eq!(reported(text, &["a"]), [""; 0], "{text}");
        }
    }

    #[test]
    fn what_is_no_json_or_takes_too_much_memory_is_refused() {
        let deep = "[".repeat(MAX_FOREIGN_DEPTH + 1);
        let long = format!("\"{}\"", "x".repeat(MAX_STRING));
        let many = format!("[{}0]", "0,".repeat(MAX_WALKED));
        for text in ["", "{\"a\":1", "{} {}", "<html>", &deep, &long, &many] {
            assert!(
                extract(text.as_bytes(), &["a"], &mut |_, _| {}).is_err(),
                "{text:.20}"
            );
        }
    }
}
