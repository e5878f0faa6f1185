//! Request bodies in blocks (RFC 7959 §2.5), assembled before the caller gets the request.

use std::hash::Hash;
use std::time::Instant;

use crate::block::Block;
use crate::block1_error::Block1Error;
use crate::bodies::{Bodies, Full};
use crate::cache_key::BodyKey;
use crate::limits::Limits;

/// A received block.
pub(super) struct RequestBlock {
    pub(super) block: Block,
    /// Bytes of the whole body, as the client announces (Size1).
    pub(super) announced: Option<u32>,
    pub(super) payload: Vec<u8>,
    /// Bytes of its datagram.
    pub(super) wire_bytes: usize,
}

/// The result of a block.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// The last block: the body, and the bytes of all its datagrams.
    Complete { body: Vec<u8>, wire_bytes: usize },
    /// 2.31: the client sends the next block.
    Continue,
}

pub(super) struct Assembly {
    body: Vec<u8>,
    wire_bytes: usize,
}

pub(super) struct Block1Reassembler<P> {
    pub(super) bodies: Bodies<BodyKey<P>, Assembly>,
    limit: usize,
}

impl<P: Clone + Eq + Hash> Block1Reassembler<P> {
    pub(super) fn new(limits: &Limits) -> Self {
        let bodies = Bodies::new(
            limits.body_bytes / 2,
            limits.request_body,
            limits.body_idle,
            limits.body_protected,
        );
        Self {
            bodies,
            limit: limits.request_body,
        }
    }

    /// Applies other limits to new blocks.
    pub(super) fn set_limits(&mut self, limits: &Limits) {
        self.limit = limits.request_body;
        self.bodies.set_largest(limits.request_body);
    }

    /// Takes one block of the body with this key. Its position is in bytes, because a client may continue with smaller
    /// blocks (RFC 7959 §2.3). A block out of place may be late, so it does not change the assembled body.
    pub(super) fn accept(
        &mut self,
        now: Instant,
        key: BodyKey<P>,
        part: RequestBlock,
    ) -> Result<Progress, Block1Error> {
        let RequestBlock {
            block,
            announced,
            payload,
            wire_bytes,
        } = part;
        let full = payload.len() == block.size();
        if payload.len() > block.size() || (block.more && !full) {
            return Err(Block1Error::WrongLength);
        }
        let announced = announced.unwrap_or(0) as usize;
        if announced.max(block.offset() + payload.len()) > self.limit {
            self.bodies.remove(&key);
            return Err(Block1Error::TooLarge);
        }
        if block.number == 0 {
            // Block 0 begins the body again (RFC 7959 §2.5).
            self.bodies.remove(&key);
            let assembly = Assembly {
                body: payload,
                wire_bytes,
            };
            return self.proceed(now, key, assembly, block.more);
        }
        let assembled = self
            .bodies
            .touch(now, &key)
            .map(|assembly| assembly.body.len());
        if assembled != Some(block.offset()) {
            return Err(Block1Error::Incomplete);
        }
        let Some(mut assembly) = self.bodies.remove(&key) else {
            return Err(Block1Error::Incomplete);
        };
        assembly.body.extend_from_slice(&payload);
        assembly.wire_bytes += wire_bytes;
        self.proceed(now, key, assembly, block.more)
    }

    fn proceed(
        &mut self,
        now: Instant,
        key: BodyKey<P>,
        assembly: Assembly,
        more: bool,
    ) -> Result<Progress, Block1Error> {
        if !more {
            return Ok(Progress::Complete {
                body: assembly.body,
                wire_bytes: assembly.wire_bytes,
            });
        }
        let bytes = assembly.body.capacity();
        let owner = key.0.owner;
        let stored = self.bodies.insert(now, key, owner, assembly, bytes);
        stored
            .map(|()| Progress::Continue)
            .map_err(|Full| Block1Error::Full)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::test_peer;

    fn block(number: u32, more: bool, size_exponent: u8, length: usize) -> RequestBlock {
        let block = Block {
            number,
            more,
            size_exponent,
        };
        RequestBlock {
            block,
            announced: None,
            payload: vec![number as u8; length],
            wire_bytes: length + 10,
        }
    }

    fn accept_all(parts: Vec<RequestBlock>) -> Vec<Result<Progress, Block1Error>> {
        let limits = Limits {
            request_body: 100,
            ..Limits::default()
        };
        let mut assemblies = Block1Reassembler::new(&limits);
        let now = Instant::now();
        parts
            .into_iter()
            .map(|part| assemblies.accept(now, (test_peer(()), 1), part))
            .collect()
    }

    #[test]
    fn blocks_in_order_make_the_body() {
        let body = [vec![0; 32], vec![1; 32], vec![2; 5]].concat();
        let progress = accept_all(vec![
            block(0, true, 1, 32),
            block(1, true, 1, 32),
            block(2, false, 1, 5),
        ]);
        let complete = Progress::Complete {
            body,
            wire_bytes: 99,
        };
        assert_eq!(
            progress,
            [Ok(Progress::Continue), Ok(Progress::Continue), Ok(complete)]
        );
    }

    #[test]
    fn a_client_may_continue_with_smaller_blocks() {
        let progress = accept_all(vec![block(0, true, 1, 32), block(2, false, 0, 3)]);
        let body = [vec![0; 32], vec![2; 3]].concat();
        assert_eq!(
            progress,
            [
                Ok(Progress::Continue),
                Ok(Progress::Complete {
                    body,
                    wire_bytes: 55
                })
            ]
        );
    }

    #[test]
    fn a_gap_is_incomplete_and_the_body_can_still_be_finished() {
        let progress = accept_all(vec![
            block(1, false, 1, 5),
            block(0, true, 1, 32),
            block(2, false, 1, 5),
            block(1, false, 1, 5),
        ]);
        assert_eq!(
            progress[..3],
            [
                Err(Block1Error::Incomplete),
                Ok(Progress::Continue),
                Err(Block1Error::Incomplete)
            ]
        );
        assert!(matches!(progress[3], Ok(Progress::Complete { .. })));
    }

    #[test]
    fn a_body_above_the_limit_is_refused_at_once_when_it_is_announced() {
        let announced = RequestBlock {
            announced: Some(101),
            ..block(0, true, 1, 32)
        };
        let within = RequestBlock {
            announced: Some(100),
            ..block(0, true, 1, 32)
        };
        assert_eq!(
            accept_all(vec![announced, within]),
            [Err(Block1Error::TooLarge), Ok(Progress::Continue)]
        );
        let mut growing: Vec<_> = (0..4).map(|number| block(number, true, 1, 32)).collect();
        growing.push(block(3, false, 1, 4));
        assert_eq!(
            accept_all(growing)[3..],
            [Err(Block1Error::TooLarge), Err(Block1Error::Incomplete)]
        );
    }

    #[test]
    fn blocks_that_are_not_full_or_longer_than_their_size_are_wrong() {
        let progress = accept_all(vec![
            block(0, true, 1, 31),
            block(0, false, 1, 33),
            block(0, true, 1, 33),
        ]);
        assert!(
            progress
                .iter()
                .all(|progress| *progress == Err(Block1Error::WrongLength))
        );
    }
}
