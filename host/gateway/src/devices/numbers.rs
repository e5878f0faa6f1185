//! What the store has of a security context besides its keys: how far its sequence numbers are reserved, and how often
//! its keys have been used.

use secure::oscore::{Reservation, Used};

/// See the file. All zeros: the context was never used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Numbers {
    /// See [`Reservation::end`].
    pub(crate) end: u64,
    /// See [`Reservation::used`].
    pub(crate) used: Used,
}

impl Numbers {
    /// Those that begin here, of a context whose keys are new.
    pub(super) fn beginning_at(end: u64) -> Self {
        Self {
            end,
            used: Used::default(),
        }
    }

    /// For the store: big-endian numbers of 64, 32 and 32 bits.
    pub(super) fn encode(&self) -> Vec<u8> {
        let Used { sealed, failed } = self.used;
        let mut bytes = self.end.to_be_bytes().to_vec();
        bytes.extend(sealed.to_be_bytes());
        bytes.extend(failed.to_be_bytes());
        bytes
    }

    /// From the store. The first versions stored the end alone. What cannot be read must not let numbers be used again:
    /// then none is left.
    pub(super) fn decode(bytes: &[u8]) -> Self {
        let spent = Self::beginning_at(u64::MAX);
        let Some((end, rest)) = bytes.split_first_chunk() else {
            return spent;
        };
        let used = match (rest.split_first_chunk(), rest.last_chunk()) {
            _ if rest.is_empty() => Used::default(),
            (Some((sealed, [_, _, _, _])), Some(failed)) => Used {
                sealed: u32::from_be_bytes(*sealed),
                failed: u32::from_be_bytes(*failed),
            },
            _ => return spent,
        };
        Self {
            end: u64::from_be_bytes(*end),
            used,
        }
    }
}

impl From<&Reservation> for Numbers {
    fn from(reservation: &Reservation) -> Self {
        Self {
            end: reservation.end,
            used: reservation.used,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_they_were_written_and_as_the_first_versions_wrote_them() {
        let numbers = Numbers {
            end: 1 << 40,
            used: Used {
                sealed: 7,
                failed: 1 << 20,
            },
        };
        assert_eq!(Numbers::decode(&numbers.encode()), numbers);
        let former = 256_u64.to_be_bytes();
        assert_eq!(Numbers::decode(&former), Numbers::beginning_at(256));
        for length in [0, 7, 9, 12, 15, 17] {
            assert_eq!(Numbers::decode(&vec![0; length]).end, u64::MAX, "{length}");
        }
    }
}
