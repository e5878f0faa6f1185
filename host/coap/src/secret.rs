//! The endpoint's randomness: a keyed hash and a sequence, both from one seed, so that tests repeat.

use std::hash::{DefaultHasher, Hash, Hasher};

/// The keyed hash that the seed of an endpoint makes. The seed is secret: message IDs can be computed from it.
#[derive(Clone)]
pub(super) struct Secret {
    /// Has absorbed the seed: cloned for each hash.
    keyed: DefaultHasher,
    drawn: u64,
}

impl Secret {
    pub(super) fn new(seed: [u8; 16]) -> Self {
        let mut keyed = DefaultHasher::new();
        keyed.write(&seed);
        Self { keyed, drawn: 0 }
    }

    /// SipHash under the seed: not predictable for peers, the same for the same value.
    pub(super) fn hash(&self, value: impl Hash) -> u64 {
        let mut hasher = self.keyed.clone();
        value.hash(&mut hasher);
        hasher.finish()
    }

    /// The next number of a sequence, evenly distributed between 0 and 1.
    pub(super) fn fraction(&mut self) -> f64 {
        self.drawn += 1;
        (self.hash(("fraction", self.drawn)) >> 11) as f64 / (1u64 << 53) as f64
    }
}
