//! What is held: pieces and bytes.

use std::ops::{Add, AddAssign};

/// Pieces and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// Number of pieces.
    pub pieces: usize,
    /// Bytes of all of them.
    pub bytes: usize,
}

impl Amount {
    /// One piece of this many bytes.
    pub const fn piece(bytes: usize) -> Self {
        Self { pieces: 1, bytes }
    }

    /// Bytes that belong to no piece.
    pub const fn bytes(bytes: usize) -> Self {
        Self { pieces: 0, bytes }
    }

    pub(crate) fn is_zero(self) -> bool {
        self == Self::default()
    }

    /// Less `other`. Saturates: to give back more than was taken must not wrap around to a room that is always full.
    pub(crate) fn less(self, other: Self) -> Self {
        debug_assert!(
            self.pieces >= other.pieces && self.bytes >= other.bytes,
            "{other:?} given back of {self:?}"
        );
        Self {
            pieces: self.pieces.saturating_sub(other.pieces),
            bytes: self.bytes.saturating_sub(other.bytes),
        }
    }
}

impl Add for Amount {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            pieces: self.pieces.saturating_add(other.pieces),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }
}

impl AddAssign for Amount {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// What an owner holds of a room, at each level. The sum over several rooms is what it holds of all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// The host.
    pub host: Amount,
    /// All hosts of its network; nothing without a network.
    pub network: Amount,
    /// All hosts.
    pub in_all: Amount,
}

impl Add for Held {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            host: self.host + other.host,
            network: self.network + other.network,
            in_all: self.in_all + other.in_all,
        }
    }
}
