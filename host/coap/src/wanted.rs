//! The block of a response that leaves (RFC 7959 §2.3, §2.4).

use crate::block::Block;
use crate::code;

/// Bytes of an error that leaves whole, whatever the size of blocks: few clients fetch the rest of an error, and the
/// smallest buffers of usual stacks hold it with its options.
const WHOLE_ERROR: usize = 100;

/// The block that a client wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Its request has a Block2 option with it.
    Requested(Block),
    /// Its request has none: the first block, if the response is larger than a block of this size exponent.
    First(u8),
}

impl Wanted {
    pub(super) fn block(self) -> Block {
        match self {
            Self::Requested(block) => block,
            Self::First(size_exponent) => Block {
                number: 0,
                more: false,
                size_exponent,
            },
        }
    }

    /// The most bytes of a payload that leaves whole, with this response code.
    pub(super) fn most_whole(self, response_code: u8) -> usize {
        let size = self.block().size();
        if code::class(response_code) == 2 {
            size
        } else {
            size.max(WHOLE_ERROR)
        }
    }
}
