//! Names of exchanges, from which Matrix transaction ids are made.

use std::cell::RefCell;

/// Bytes of a name. 128 random bits do not repeat while there are gateways.
const BYTES: usize = 16;
/// Names per request to the system for random numbers: one each would cost as much as the rest of a name.
const BATCH: usize = 32;

/// Makes names that nobody can guess and none twice.
pub(super) struct TxnIdGenerator(RefCell<Batch>);

struct Batch {
    random: [u8; BYTES * BATCH],
    used: usize,
}

impl TxnIdGenerator {
    pub(super) fn new() -> Self {
        Self(RefCell::new(Batch {
            random: [0; BYTES * BATCH],
            used: BYTES * BATCH,
        }))
    }

    /// 32 hexadecimal digits.
    pub(super) fn next(&self) -> String {
        let mut batch = self.0.borrow_mut();
        if batch.used == BYTES * BATCH {
            // The system's generator does not fail once the system has started. A constant instead would let a
            // homeserver take two messages for one, so there is nothing to fall back on.
            getrandom::fill(&mut batch.random)
                .unwrap_or_else(|error| panic!("no random numbers from the system: {error}"));
            batch.used = 0;
        }
        let bytes = &batch.random[batch.used..][..BYTES];
        let digit = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble)]);
        let id = bytes
            .iter()
            .flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)])
            .collect();
        batch.used += BYTES;
        id
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_32_digits_and_never_repeat() {
        let ids = TxnIdGenerator::new();
        let names: HashSet<String> = (0..10 * BATCH).map(|_| ids.next()).collect();
        assert_eq!(names.len(), 10 * BATCH);
        for name in names {
            assert_eq!(name.len(), 32);
            assert!(name.bytes().all(|byte| byte.is_ascii_hexdigit()));
        }
    }
}
