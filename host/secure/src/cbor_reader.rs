//! Reads the CBOR of EDHOC messages and credentials: definite lengths and the shortest heads only, as RFC 9528 §3.1
//! asks for (RFC 8949 §4.2.1).

/// Reads data items one after another. Each method returns none, without having moved, if the next item is another one
/// or is cut off.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

/// The head of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Head {
    major: u8,
    argument: u32,
}

const UINT: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What was not read.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// An integer.
    pub(crate) fn int(&mut self) -> Option<i64> {
        self.attempt(|reader| match reader.head()? {
            Head {
                major: UINT,
                argument,
            } => Some(argument.into()),
            Head {
                major: NEGATIVE,
                argument,
            } => Some(-1 - i64::from(argument)),
            _ => None,
        })
    }

    /// A byte string.
    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        self.string(BYTES)
    }

    /// A text string.
    pub(crate) fn text(&mut self) -> Option<&'a str> {
        self.attempt(|reader| std::str::from_utf8(reader.string(TEXT)?).ok())
    }

    /// The number of items of an array, which follow.
    pub(crate) fn array(&mut self) -> Option<u32> {
        self.count(ARRAY)
    }

    /// The number of pairs of a map, which follow.
    pub(crate) fn map(&mut self) -> Option<u32> {
        self.count(MAP)
    }

    /// A whole item of any kind but tags and floating-point numbers, as it is encoded. It may contain at most
    /// `most_items` others, counting all levels.
    pub(crate) fn item(&mut self, most_items: u32) -> Option<&'a [u8]> {
        self.attempt(|reader| {
            let all = reader.rest;
            let (mut left, mut allowed) = (1u32, most_items.checked_add(1)?);
            while left > 0 {
                left -= 1;
                allowed = allowed.checked_sub(1)?;
                let head = reader.head()?;
                left = left.checked_add(match head.major {
                    UINT | NEGATIVE => 0,
                    BYTES | TEXT => {
                        reader.take(head.argument)?;
                        0
                    }
                    ARRAY => head.argument,
                    MAP => head.argument.checked_mul(2)?,
                    7 if (20..24).contains(&head.argument) => 0,
                    _ => return None,
                })?;
            }
            Some(&all[..all.len() - reader.rest.len()])
        })
    }

    fn attempt<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let before = self.rest;
        let value = read(self);
        if value.is_none() {
            self.rest = before;
        }
        value
    }

    fn count(&mut self, major: u8) -> Option<u32> {
        self.attempt(|reader| {
            let head = reader.head()?;
            (head.major == major).then_some(head.argument)
        })
    }

    fn string(&mut self, major: u8) -> Option<&'a [u8]> {
        self.attempt(|reader| {
            let length = reader.count(major)?;
            reader.take(length)
        })
    }

    fn take(&mut self, length: u32) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(usize::try_from(length).ok()?)?;
        self.rest = rest;
        Some(taken)
    }

    /// A head in its shortest form. Nothing here has 2^32 items.
    fn head(&mut self) -> Option<Head> {
        let first = *self.take(1)?.first()?;
        let (major, short) = (first >> 5, first & 0x1f);
        let argument = match short {
            0..24 => Some(u32::from(short)),
            24 => self.take(1).map(|byte| u32::from(byte[0])),
            25 => {
                let pair = self.take(2)?.first_chunk()?;
                Some(u16::from_be_bytes(*pair).into())
            }
            26 => self.take(4)?.first_chunk().copied().map(u32::from_be_bytes),
            _ => None,
        }?;
        let shortest = match argument {
            0..24 => short < 24,
            24..256 => short == 24,
            256..65_536 => short == 25,
            _ => short == 26,
        };
        shortest.then_some(Head { major, argument })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_read_in_their_order() {
        let bytes = [
            0x03, 0x20, 0x42, 1, 2, 0x61, b'a', 0x82, 1, 0xa1, 5, 0xf6, 0xf5,
        ];
        let mut reader = Reader::new(&bytes);
        assert_eq!(reader.bytes(), None, "it is an integer, and is still there");
        assert_eq!((reader.int(), reader.int()), (Some(3), Some(-1)));
        assert_eq!(
            (reader.bytes(), reader.text()),
            (Some(&[1, 2][..]), Some("a"))
        );
        let mut copy = reader.clone();
        assert_eq!(
            (copy.array(), copy.int(), copy.map()),
            (Some(2), Some(1), Some(1))
        );
        assert_eq!(reader.item(2), None, "it has four items inside");
        assert_eq!(reader.item(4), Some(&[0x82, 1, 0xa1, 5, 0xf6][..]));
        assert_eq!(reader.rest(), [0xf5]);
    }

    #[test]
    fn other_than_the_shortest_heads_and_definite_lengths_are_refused() {
        let cases: [&[u8]; 9] = [
            &[],
            &[0x18, 23],
            &[0x19, 0, 255],
            &[0x1a, 0, 0, 255, 255],
            &[0x1b, 0, 0, 0, 1, 0, 0, 0, 0],
            &[0x5f, 0x41, 1, 0xff],
            &[0x9f, 0xff],
            &[0x42, 1],
            &[0xc1, 0x00],
        ];
        for bytes in cases {
            assert_eq!(Reader::new(bytes).item(8), None, "{bytes:02x?}");
            assert_eq!(Reader::new(bytes).int(), None, "{bytes:02x?}");
        }
    }
}
