//! The parts of a homeserver's answer that a resource needs. An answer may have a mebibyte, most of it foreign: it is
//! looked at in place, and only what the device gets is copied.

use std::fmt;

use comatrix_sdk::json;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::refusal::Refusal;

/// Levels of foreign content. Skipping it takes a byte a level; Synapse itself handles no more than this.
const MAX_FOREIGN_DEPTH: usize = 1024;

/// Bytes of a string with its escapes. An event has at most 65,536 bytes (Matrix specification, "Size limits"), but
/// escapes take more. With the answer, its copy, and the device's payload this stays below 2 MiB.
const MAX_STRING: usize = 128 * 1024;

/// Checks what reading `body` takes; do it once, before [`members`].
pub fn check(body: &[u8]) -> Result<(), Refusal> {
    json::check(body, MAX_FOREIGN_DEPTH, MAX_STRING)
        .map_err(|error| Refusal::bad_gateway(format!("the homeserver's answer: {error}")))
}

/// The raw values of an object's members `names`, each absent if the object has none of that name. None if `text` is no
/// JSON object.
pub fn members<'a, const N: usize>(
    text: &'a [u8],
    names: [&str; N],
) -> Option<[Option<&'a RawValue>; N]> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let members = deserializer.deserialize_map(Members(&names)).ok()?;
    deserializer.end().ok().map(|()| members)
}

/// The text that `raw` is; none if it is something else, or has more than `most` bytes.
pub fn text(raw: &RawValue, most: usize) -> Option<String> {
    // A byte takes at most six in JSON (`\u0001`), and there are two quotes: anything longer is not even copied.
    if raw.get().len() > 6 * most + 2 {
        return None;
    }
    serde_json::from_str::<String>(raw.get())
        .ok()
        .filter(|text| text.len() <= most)
}

/// The text in the member `name` of the object `body`: what a 2xx must have. At most `most` bytes.
pub fn text_member(body: &[u8], name: &str, most: usize) -> Result<String, Refusal> {
    check(body)?;
    let [member] = members(body, [name])
        .ok_or_else(|| Refusal::bad_gateway("the homeserver's answer: no JSON object"))?;
    member.and_then(|raw| text(raw, most)).ok_or_else(|| {
        Refusal::bad_gateway(format!(
            "the homeserver's answer: field {name}: no text of at most {most} bytes"
        ))
    })
}

struct Members<'n, const N: usize>(&'n [&'n str; N]);

impl<'de, const N: usize> Visitor<'de> for Members<'_, N> {
    type Value = [Option<&'de RawValue>; N];

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = [None; N];
        while let Some(index) = map.next_key_seed(Name(self.0))? {
            match index.and_then(|index| members.get_mut(index)) {
                Some(member) => *member = Some(map.next_value()?),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(members)
    }
}

/// Compares a key without copying it.
struct Name<'n>(&'n [&'n str]);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Option<usize>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().position(|name| *name == key))
    }
}

/// The elements of the array `raw`, one by one: `find` is called until it returns something.
pub fn find_element<T>(
    raw: &RawValue,
    find: impl FnMut(&RawValue) -> Option<T>,
) -> Option<Option<T>> {
    let mut deserializer = serde_json::Deserializer::from_str(raw.get());
    deserializer.deserialize_seq(Elements(find)).ok()
}

struct Elements<F>(F);

impl<'de, T, F: FnMut(&RawValue) -> Option<T>> Visitor<'de> for Elements<F> {
    type Value = Option<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array")
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(
        mut self,
        mut elements: A,
    ) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(element) = elements.next_element::<&RawValue>()? {
            found = found.or_else(|| (self.0)(element));
        }
        Ok(found)
    }
}
