//! A few values out of a large JSON text, such as a homeserver's response of a mebibyte: the rest is skipped in place,
//! neither copied nor held.

use crate::json::{JsonError, Reader, wrong};
use crate::text::{concat, decimal};
use crate::value::Value;

/// Arrays and objects within each other. Synapse itself handles no more.
pub const MAX_FOREIGN_DEPTH: usize = crate::json::MAX_SKIPPED;

/// Bytes of a string, its escapes as written. A Matrix event has at most 65,536 bytes (Matrix specification, "Size
/// limits"); a homeserver that writes ASCII only makes `\u044f` of a letter of two bytes, three times as much. Text,
/// one copy of a string and a response to the device stay below an instance's 2 MiB.
pub const MAX_STRING: usize = 192 * 1024;

/// Members and elements of the objects and arrays that a path leads through: a call has 20 ms. A page of ten events
/// has about a hundred; a response of a mebibyte with a short message for each of 2,000 rooms 50,000.
pub const MAX_WALKED: usize = 131_072;

/// The step of a path that leads to every member and element.
const ANY: &str = "*";

/// A step of a path: a member's name; none is [`ANY`].
type Step<'p> = Option<&'p str>;

/// The value at a path.
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

/// Calls `found` with the index of each path and the value there, in the order of the text. A path names members
/// with dots between them; `*` stands for every element of an array and every member of an object: `chunk.*.sender`,
/// `rooms.join.*`. At most 32 paths.
///
/// The whole text must be JSON within the bounds of this module; otherwise the values passed to `found` must not be
/// used. Of members with the same name each is reported.
pub fn extract(
    text: &[u8],
    paths: &[&str],
    found: &mut dyn FnMut(usize, Item<'_>),
) -> Result<(), JsonError> {
    let step = |step| (step != ANY).then_some(step);
    let paths: Vec<Vec<Step<'_>>> = paths
        .iter()
        .take(32)
        .map(|path| path.split('.').map(step).collect())
        .collect();
    let mut walk = Walk {
        reader: Reader::new(text, MAX_FOREIGN_DEPTH, MAX_STRING),
        paths: &paths,
        steps_left: MAX_WALKED,
        found,
    };
    let root = Live {
        below: u32::MAX,
        here: 0,
    };
    walk.value(0, root)?;
    walk.reader.end()
}

/// The paths that lead to a place, a bit each.
#[derive(Clone, Copy)]
struct Live {
    /// Those that continue from there.
    below: u32,
    /// Those that end there.
    here: u32,
}

struct Walk<'t, 'p> {
    reader: Reader<'t>,
    paths: &'p [Vec<Step<'p>>],
    steps_left: usize,
    found: &'p mut dyn FnMut(usize, Item<'_>),
}

impl Walk<'_, '_> {
    /// Reads the value at a place with `depth` names between it and the root.
    fn value(&mut self, depth: usize, live: Live) -> Result<(), JsonError> {
        if live.below | live.here == 0 {
            return self.reader.skip();
        }
        let item = match self.reader.peek()? {
            b'[' => return self.array(depth, live),
            b'{' => return self.object(depth, live),
            b'"' => {
                report(self.found, live.here, Item::Text(self.reader.text()?));
                return Ok(());
            }
            b'-' | b'0'..=b'9' => {
                self.reader.skip()?;
                Item::Other
            }
            _ => match self.reader.word()? {
                Value::Bool(truth) => Item::Bool(truth),
                _ => Item::Other,
            },
        };
        report(self.found, live.here, item);
        Ok(())
    }

    fn array(&mut self, depth: usize, live: Live) -> Result<(), JsonError> {
        let element = next(self.paths, depth, live, None);
        let mut is_first = true;
        self.reader.open()?;
        while self.reader.next(b']', is_first)? {
            self.step()?;
            self.value(depth + 1, element)?;
            is_first = false;
        }
        report(self.found, live.here, Item::Array);
        Ok(())
    }

    fn object(&mut self, depth: usize, live: Live) -> Result<(), JsonError> {
        let mut is_first = true;
        self.reader.open()?;
        while self.reader.next(b'}', is_first)? {
            self.step()?;
            let key = self.reader.key()?;
            let member = next(self.paths, depth, live, Some(key));
            if member.here != 0 {
                // The paths that have found the member without naming it.
                let any = next(self.paths, depth, live, None);
                report(self.found, any.here, Item::Key(key));
            }
            self.reader.colon()?;
            self.value(depth + 1, member)?;
            is_first = false;
        }
        report(self.found, live.here, Item::Object);
        Ok(())
    }

    fn step(&mut self) -> Result<(), JsonError> {
        match self.steps_left.checked_sub(1) {
            Some(left) => {
                self.steps_left = left;
                Ok(())
            }
            None => wrong(
                self.reader.position(),
                concat(&[
                    "more than ",
                    &decimal(MAX_WALKED),
                    " members and elements on the way",
                ]),
            ),
        }
    }
}

/// Which of the paths that continue from a place lead to its member or element `name`; none: to every one.
fn next(paths: &[Vec<Step<'_>>], depth: usize, live: Live, name: Step<'_>) -> Live {
    let mut next = Live { below: 0, here: 0 };
    let mut left = live.below;
    while left != 0 {
        let bit = left & left.wrapping_neg();
        left ^= bit;
        let path = paths.get(bit.trailing_zeros() as usize);
        let path = path.map(Vec::as_slice).unwrap_or_default();
        if let Some(step) = path.get(depth)
            && (step.is_none() || *step == name)
        {
            match path.len() == depth + 1 {
                true => next.here |= bit,
                false => next.below |= bit,
            }
        }
    }
    next
}

fn report(found: &mut dyn FnMut(usize, Item<'_>), mut here: u32, item: Item<'_>) {
    while here != 0 {
        found(here.trailing_zeros() as usize, item);
        here &= here - 1;
    }
}

#[cfg(test)]
mod tests;
