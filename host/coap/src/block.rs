//! The value of Block1 and Block2 (RFC 7959 §2.2): number and size of a block, and whether more follow.

use crate::message::{decode_uint, encode_uint};

/// The largest size exponent: blocks of 1,024 bytes. 7 is reserved (over UDP).
pub const MAX_SIZE_EXPONENT: u8 = 6;

/// A Block1 or Block2 value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Position of the block, counted in blocks of this size; below 2^20.
    pub number: u32,
    /// Whether more blocks follow.
    pub more: bool,
    /// SZX: the block has `2^(4 + size_exponent)` bytes; 0 to 6.
    pub size_exponent: u8,
}

/// SZX 7, or more than 3 bytes: the response is 4.00 (RFC 7959 §2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Block: use sizes 16 to 1024; size exponent 7 is reserved")]
pub struct ReservedSize;

impl Block {
    /// Reads an option value.
    ///
    /// # Errors
    /// [`ReservedSize`] for SZX 7 and values longer than 3 bytes.
    pub fn decode(value: &[u8]) -> Result<Self, ReservedSize> {
        let bits = decode_uint(value)
            .filter(|_| value.len() <= 3)
            .ok_or(ReservedSize)?;
        let size_exponent = (bits & 7) as u8;
        if size_exponent > MAX_SIZE_EXPONENT {
            return Err(ReservedSize);
        }
        Ok(Self {
            number: bits >> 4,
            more: bits & 8 != 0,
            size_exponent,
        })
    }

    /// The option value.
    pub fn encode(self) -> Vec<u8> {
        encode_uint(
            (self.number << 4) | (u32::from(self.more) << 3) | u32::from(self.size_exponent),
        )
    }

    /// Bytes in a full block of this size.
    pub const fn size(self) -> usize {
        16 << self.size_exponent
    }

    /// Bytes of the body before this block.
    pub const fn offset(self) -> usize {
        self.number as usize * self.size()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_of_up_to_3_bytes_is_read_back_except_size_7() {
        for bits in (0..1 << 24).step_by(97).chain([0, 6, 0x00ff_fffe]) {
            let value = encode_uint(bits);
            match Block::decode(&value) {
                Ok(block) => assert_eq!(block.encode(), value),
                Err(ReservedSize) => assert_eq!(bits & 7, 7),
            }
        }
    }

    #[test]
    fn number_more_and_size_stand_where_rfc_7959_says() {
        // RFC 7959 §3.1, figure 2: 2:1/1/128.
        let block = Block::decode(&[0x1b]).expect("a valid value");
        assert_eq!(
            block,
            Block {
                number: 1,
                more: true,
                size_exponent: 3
            }
        );
        assert_eq!((block.size(), block.offset()), (128, 128));
        assert_eq!(Block::decode(&[0, 0, 0, 6]), Err(ReservedSize));
    }
}
