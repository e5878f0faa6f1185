//! Ids of exchanges (`flow-id` of the contract). Rules make Matrix transaction ids of them.

use std::cell::RefCell;

/// Bytes of an id: 128 random bits do not repeat.
const BYTES: usize = 16;
/// Ids per request for random numbers: one system call per id would double an id's cost.
const BATCH: usize = 32;

/// Makes ids that cannot be guessed and do not repeat.
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
            // The system's generator does not fail once the system has started. There is no fallback: with equal ids,
            // a homeserver would take two messages for one.
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
    fn ids_are_32_digits_and_never_repeat() {
        let ids = TxnIdGenerator::new();
        let made: HashSet<String> = (0..10 * BATCH).map(|_| ids.next()).collect();
        assert_eq!(made.len(), 10 * BATCH);
        for id in made {
            assert_eq!(id.len(), 32);
            assert!(id.bytes().all(|byte| byte.is_ascii_hexdigit()));
        }
    }
}
