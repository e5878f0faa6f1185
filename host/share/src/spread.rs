//! The hasher of the account's tables.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A table by keyed hashes.
pub(crate) type Map<V> = HashMap<u64, V, BuildHasherDefault<Spread>>;

/// Spreads keyed hashes over the buckets of a table. They are unpredictable already, so
/// they need no other hash.
#[derive(Default)]
pub(crate) struct Spread(u64);

impl Hasher for Spread {
    fn write_u64(&mut self, value: u64) {
        // An odd constant near 2^64 divided by the golden ratio (Fibonacci hashing): small numbers get distant buckets.
        self.0 = value.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(26);
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(self.0 ^ u64::from(*byte));
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
