//! The choices of the caller for one exchange.

use std::time::Duration;

use crate::block::{Block, MAX_SIZE_EXPONENT};

/// Settings of one exchange.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// CON. If false, NON: without acknowledgement and retransmission.
    pub confirmable: bool,
    /// Largest block to send. The server may ask for smaller ones.
    pub block_size: BlockSize,
    /// Whether to ask for blocks of this size in the response from the start (early negotiation, RFC 7959 §2.4). If
    /// false, the server chooses.
    pub ask_block_size: bool,
    /// Limit of the whole exchange, with blocks and retransmissions.
    pub timeout: Duration,
    /// Most bytes of a response body.
    pub max_response_body: usize,
}

/// A block size that a Block option can express: 16, 32, … 1,024 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlockSize {
    exponent: u8,
}

impl BlockSize {
    /// 1,024 bytes, the largest size over UDP (RFC 7959 §2.2).
    pub const LARGEST: Self = Self {
        exponent: MAX_SIZE_EXPONENT,
    };

    /// The block size with this number of bytes; none if it is not 16, 32, 64, 128, 256, 512 or 1,024.
    pub fn new(bytes: usize) -> Option<Self> {
        (0..=MAX_SIZE_EXPONENT)
            .map(|exponent| Self { exponent })
            .find(|size| size.bytes() == bytes)
    }

    /// The size in bytes.
    pub fn bytes(self) -> usize {
        16 << self.exponent
    }

    pub(super) fn of(block: Block) -> Self {
        Self {
            exponent: block.size_exponent,
        }
    }

    pub(super) fn block(self, number: u32, more: bool) -> Block {
        Block {
            number,
            more,
            size_exponent: self.exponent,
        }
    }
}
