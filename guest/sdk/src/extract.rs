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
/// has about a hundred; an answer of a mebibyte with a short message for each of 2,000 rooms 50,000.
pub const MAX_WALKED: usize = 131_072;

/// The step of a path that takes whatever there is.
const ANY: &str = "*";

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item<'t> {
    /// The name of a member that a path's last `*` has found. What it names is reported next.
    Key(&'t str),
    /// A string, without escapes.
    Text(&'t str),
    /// A truth value.
    Bool(bool),
    /// An array; its elements have been reported before.
    Array,
    /// An object; its members have been reported before.
    Object,
    /// A number or null.
    Other,
}

/// Calls `found` with the index of each path and what stands there, in the order of the text. A path names members with
/// dots between them; `*` stands for every element of an array and every member of an object: `chunk.*.sender`, `rooms.join.*`.
/// At most 32 paths.
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
            let leads = |step: &&str| *step == name || *step == ANY;
            if self.live.below >> index & 1 == 1 && path.get(self.depth).is_some_and(leads) {
                match path.len() == self.depth + 1 {
                    true => live.here |= 1 << index,
                    false => live.below |= 1 << index,
                }
            }
        }
        live
    }

    fn report(&mut self, item: Item<'_>) {
        self.report_at(self.live.here, item);
    }

    /// Tells the paths that found the member `name` without knowing it.
    fn report_key(&mut self, live: Live, name: &str) {
        let paths = self.paths.iter().enumerate();
        let any = paths.filter(|(_, path)| path.get(self.depth) == Some(&ANY));
        let any = any.fold(0, |bits, (index, _)| bits | 1 << index);
        self.report_at(live.here & any, Item::Key(name));
    }

    fn report_at(&mut self, mut here: u32, item: Item<'_>) {
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

    fn visit_bool<E>(mut self, truth: bool) -> Result<(), E> {
        self.report(Item::Bool(truth));
        Ok(())
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
        let live = self.next(ANY);
        while self.step() && elements.next_element_seed(self.to(live))?.is_some() {}
        self.report(Item::Array);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        while self.step()
            && let Some(live) = members.next_key_seed(Name(&mut self))?
        {
            members.next_value_seed(self.to(live))?;
        }
        self.report(Item::Object);
        Ok(())
    }
}

/// Compares a key without copying it.
struct Name<'a, 'p, 'f>(&'a mut At<'p, 'f>);

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
        let live = self.0.next(key);
        if live.here != 0 {
            self.0.report_key(live, key);
        }
        Ok(live)
    }
}

#[cfg(test)]
mod tests;
