//! CBOR (RFC 8949) as far as JSON can carry it. Strict: anything but exactly one such value is refused, with the byte
//! of the error.

mod error;
pub(crate) mod head;
mod items;
mod keys;
mod map_keys;

pub use error::CborError;
pub use head::Header;
pub use items::Items;
pub use keys::KeyTable;

use crate::text::{concat, decimal};
use crate::value::{MAX_DEPTH, MAX_VALUES, Value, repeated_key};
use error::wrong;
use items::deeper;
use map_keys::drop_twins;

/// Reads exactly one value.
///
/// Accepts all that is well-formed and valid by RFC 8949, integers and lengths in more bytes than they need and
/// indefinite lengths included, except values without a JSON form: byte strings, tags, NaN, infinities, `undefined` and
/// other simple values, keys that are no texts. Refuses also repeated keys, anything after the value, and more
/// than [`MAX_DEPTH`] levels or [`MAX_VALUES`] values. Memory grows with the bytes read, never with a declared length.
pub fn decode(input: &[u8]) -> Result<Value, CborError> {
    read(input, None).map(|(value, _)| value)
}

/// [`decode`] for devices that send integers for the keys of maps, at every depth: an integer is the name that it
/// stands for in `keys`, or its own digits if it stands for none. If a map has a key as text too, the text's value is
/// the one that counts. Also returns whether there was any integer. A text is never expanded, whatever its letters.
pub fn decode_with_keys(input: &[u8], keys: &KeyTable) -> Result<(Value, bool), CborError> {
    read(input, Some(keys))
}

fn read(input: &[u8], keys: Option<&KeyTable>) -> Result<(Value, bool), CborError> {
    let mut reader = Reader {
        items: Items::new(input),
        values_left: MAX_VALUES,
        keys,
        has_integer_keys: false,
    };
    let (at, header) = reader.items.header()?;
    let value = reader.value(at, header, MAX_DEPTH)?;
    reader.items.end()?;
    Ok((value, reader.has_integer_keys))
}

struct Reader<'a> {
    items: Items<'a>,
    values_left: usize,
    /// The names of integer keys; none: there may be no such keys.
    keys: Option<&'a KeyTable>,
    has_integer_keys: bool,
}

impl Reader<'_> {
    /// The value whose head `header` was read at `at`; `depth` more levels may open.
    fn value(&mut self, at: usize, header: Header, depth: usize) -> Result<Value, CborError> {
        self.count(at)?;
        Ok(match header {
            Header::Positive(number) => Value::Unsigned(number),
            Header::Negative(number) => Value::Negative(number),
            Header::Float(number) if number.is_finite() => Value::Float(number),
            Header::Float(_) => {
                return wrong(at, "send a finite number; not NaN, not infinity");
            }
            Header::Simple(head::FALSE) => Value::Bool(false),
            Header::Simple(head::TRUE) => Value::Bool(true),
            Header::Simple(head::NULL) => Value::Null,
            Header::Simple(_) => {
                return wrong(at, "send null, true or false, no other simple value");
            }
            Header::Text(length) => Value::Text(self.items.text(length)?),
            Header::Array(length) => self.array(at, length, depth)?,
            Header::Map(length) => self.map(at, length, depth)?,
            Header::Bytes(_) => return wrong(at, "send text, no byte strings"),
            Header::Tag(_) => return wrong(at, "send it without tags"),
            Header::Break => return wrong(at, "a break where a value is due"),
        })
    }

    fn count(&mut self, at: usize) -> Result<(), CborError> {
        match self.values_left.checked_sub(1) {
            Some(left) => {
                self.values_left = left;
                Ok(())
            }
            None => wrong(at, concat(&["more than ", &decimal(MAX_VALUES), " values"])),
        }
    }

    // Not inlined: an array's frame would otherwise hold a map's locals too, at each of 32 levels.
    #[inline(never)]
    fn array(
        &mut self,
        at: usize,
        length: Option<usize>,
        depth: usize,
    ) -> Result<Value, CborError> {
        let depth = deeper(at, depth)?;
        let mut values = Vec::new();
        while length != Some(values.len()) {
            match self.items.header()? {
                (_, Header::Break) if length.is_none() => break,
                (at, header) => values.push(self.value(at, header, depth)?),
            }
        }
        Ok(Value::Array(values))
    }

    #[inline(never)]
    fn map(&mut self, at: usize, length: Option<usize>, depth: usize) -> Result<Value, CborError> {
        let depth = deeper(at, depth)?;
        let mut pairs = Vec::new();
        // Empty as long as all keys are texts.
        let mut are_integers = Vec::new();
        while length != Some(pairs.len()) {
            let (key_at, header) = self.items.header()?;
            if header == Header::Break && length.is_none() {
                break;
            }
            self.count(key_at)?;
            let key = match (header, self.keys) {
                (Header::Text(length), _) => self.items.text(length)?,
                (Header::Positive(number), Some(keys)) => {
                    are_integers.resize(pairs.len(), false);
                    are_integers.push(true);
                    keys.key(number)
                }
                (Header::Negative(number), Some(_)) => {
                    are_integers.resize(pairs.len(), false);
                    are_integers.push(true);
                    KeyTable::negative_key(number)
                }
                (_, Some(_)) => return wrong(key_at, "a key that is no text and no integer"),
                (_, None) => return wrong(key_at, "a key that is no text"),
            };
            let (at, header) = self.items.header()?;
            pairs.push((key, self.value(at, header, depth)?));
        }
        let repeated = match are_integers.is_empty() {
            true => repeated_key(&pairs).map(str::to_owned),
            false => {
                self.has_integer_keys = true;
                drop_twins(&mut pairs, &are_integers).err()
            }
        };
        match repeated {
            Some(key) => wrong(
                at,
                concat(&[
                    "the map that starts here holds the key \"",
                    &key,
                    "\" twice",
                ]),
            ),
            None => Ok(Value::Map(pairs)),
        }
    }
}

/// Writes a value with the shortest heads and definite lengths (RFC 8949 §4.1), maps in the order they have.
pub fn encode(value: &Value) -> Vec<u8> {
    /// Most states and replies fit.
    const USUAL: usize = 128;
    let mut bytes = Vec::with_capacity(USUAL);
    write(&mut bytes, value);
    bytes
}

/// Writes a map of texts, in their order, as [`encode`] does. Each text is copied only once, since it may be large.
pub fn encode_texts(pairs: &[(&str, &str)]) -> Vec<u8> {
    /// Bytes of a text's head at most (RFC 8949 §3).
    const HEAD: usize = 9;
    let length = pairs
        .iter()
        .map(|(key, text)| key.len() + text.len() + 2 * HEAD);
    let mut bytes = Vec::with_capacity(length.sum::<usize>() + HEAD);
    head::push(&mut bytes, head::MAP, pairs.len() as u64);
    for (key, text) in pairs {
        write_text(&mut bytes, key);
        write_text(&mut bytes, text);
    }
    bytes
}

fn write_text(bytes: &mut Vec<u8>, text: &str) {
    head::push(bytes, head::TEXT, text.len() as u64);
    bytes.extend_from_slice(text.as_bytes());
}

fn write(bytes: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => head::push_simple(bytes, head::NULL),
        Value::Bool(false) => head::push_simple(bytes, head::FALSE),
        Value::Bool(true) => head::push_simple(bytes, head::TRUE),
        Value::Unsigned(number) => head::push(bytes, head::POSITIVE, *number),
        Value::Negative(number) => head::push(bytes, head::NEGATIVE, *number),
        Value::Float(number) => head::push_float(bytes, *number),
        Value::Text(text) => write_text(bytes, text),
        Value::Array(values) => {
            head::push(bytes, head::ARRAY, values.len() as u64);
            for value in values {
                write(bytes, value);
            }
        }
        Value::Map(pairs) => {
            head::push(bytes, head::MAP, pairs.len() as u64);
            for (key, value) in pairs {
                write_text(bytes, key);
                write(bytes, value);
            }
        }
    }
}
