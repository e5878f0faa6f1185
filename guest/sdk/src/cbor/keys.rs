//! Integers that stand for the names of a map's keys, so that a device need not send the names.

use crate::text::{concat, decimal};

/// Names and the integers that stand for them: the first name for 1, the next one for 2.
#[derive(Debug, Clone, Copy)]
pub struct KeyTable {
    names: &'static [&'static str],
    /// Indices into `names`, in the order of the names' bytes.
    order: &'static [u8],
}

impl KeyTable {
    /// A table of `names`, of which there are at most 255. `order` has the index of each, from 0, sorted by the bytes
    /// of the names; a build script can make both.
    pub const fn new(names: &'static [&'static str], order: &'static [u8]) -> KeyTable {
        KeyTable { names, order }
    }

    /// The name that an integer stands for.
    pub fn name(&self, number: u64) -> Option<&'static str> {
        let index = usize::try_from(number.checked_sub(1)?).ok()?;
        self.names.get(index).copied()
    }

    /// The integer that stands for a name.
    pub fn number(&self, name: &str) -> Option<u64> {
        let name_at = |index: u8| self.names.get(usize::from(index)).copied();
        let found = self
            .order
            .binary_search_by(|index| name_at(*index).unwrap_or_default().cmp(name));
        let index = self.order.get(found.ok()?)?;
        Some(u64::from(*index) + 1)
    }

    /// The key of an integer from 0 to 2^64 − 1: its name, or its digits if it stands for none.
    pub(super) fn key(&self, number: u64) -> String {
        match self.name(number) {
            Some(name) => name.to_owned(),
            None => decimal(number),
        }
    }

    /// The key of the integer −1 − n: its digits.
    pub(super) fn negative_key(number: u64) -> String {
        match number.checked_add(1) {
            Some(number) => concat(&["-", &decimal(number)]),
            None => "-18446744073709551616".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: KeyTable = KeyTable::new(&["event_id", "type", "content"], &[2, 0, 1]);

    #[test]
    fn names_and_integers_stand_for_each_other() {
        for (number, name) in [(1, "event_id"), (2, "type"), (3, "content")] {
            assert_eq!(TABLE.name(number), Some(name));
            assert_eq!(TABLE.number(name), Some(number));
        }
        assert_eq!((TABLE.name(0), TABLE.name(4)), (None, None));
        assert_eq!((TABLE.number(""), TABLE.number("unknown")), (None, None));
    }

    #[test]
    fn an_integer_without_a_name_is_its_digits() {
        assert_eq!(TABLE.key(4), "4");
        assert_eq!(TABLE.key(u64::MAX), "18446744073709551615");
        assert_eq!(KeyTable::negative_key(0), "-1");
        assert_eq!(KeyTable::negative_key(u64::MAX), "-18446744073709551616");
    }
}
