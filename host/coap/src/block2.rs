//! Response bodies that leave in blocks (RFC 7959 §2.4). The caller makes a body once; its blocks come from this store.

use std::hash::Hash;
use std::time::Instant;

use crate::block::{Block, MAX_SIZE_EXPONENT};
use crate::bodies::Bodies;
use crate::cache_key::{BodyKey, ResponseKey};
use crate::code;
use crate::limits::Limits;
use crate::message::Message;
use crate::option::{BLOCK2, ETAG, SIZE2};
use crate::wanted::Wanted;

/// The requested block begins after the end of the body: 4.00 (RFC 7959 §2.4 leaves the code open).
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("block {number} begins after the end of the body of {length} bytes")]
pub(super) struct BeyondEnd {
    number: u32,
    length: usize,
}

/// A response, and the hash of its request's body.
pub(super) struct Stored {
    whole: Message,
    request_body: Option<u64>,
}

pub(super) struct Block2Cache<P> {
    pub(super) bodies: Bodies<BodyKey<P>, Stored>,
    size_exponent: u8,
}

impl<P: Clone + Eq + Hash> Block2Cache<P> {
    pub(super) fn new(limits: &Limits) -> Self {
        let bodies = Bodies::new(
            limits.body_bytes / 2,
            limits.response_body + limits.response_options,
            limits.body_idle,
            limits.body_protected,
        );
        Self {
            bodies,
            size_exponent: limits.block_size_exponent.min(MAX_SIZE_EXPONENT),
        }
    }

    /// Applies another block size, also to stored bodies: a client requests blocks by offset.
    pub(super) fn set_limits(&mut self, limits: &Limits) {
        self.size_exponent = limits.block_size_exponent.min(MAX_SIZE_EXPONENT);
    }

    /// The requested slice of a stored body; none if the body is not stored.
    pub(super) fn slice(
        &mut self,
        now: Instant,
        key: &ResponseKey<P>,
        wanted: Block,
    ) -> Option<Result<Message, BeyondEnd>> {
        let most = self.size_exponent;
        let stored = self.bodies.touch(now, &key.body)?;
        // A client may leave the request's body out of a request for a later block.
        let is_same = key.request_body.is_none() || key.request_body == stored.request_body;
        is_same.then(|| slice(&stored.whole, fitted(wanted, most)))
    }

    /// A response that fits into one message: itself, or a slice, while the whole is stored for later requests. `tag`
    /// makes the ETag of a body that has none, so that a client never mixes two bodies (RFC 7959 §2.4). If there is no
    /// room to store the whole, the slice leaves nevertheless: a GET can be executed again.
    pub(super) fn fit(
        &mut self,
        now: Instant,
        key: ResponseKey<P>,
        wanted: Wanted,
        mut response: Message,
        tag: impl FnOnce(&[u8]) -> u32,
    ) -> Result<Message, BeyondEnd> {
        let block = fitted(wanted.block(), self.size_exponent);
        let success = code::class(response.code) == 2;
        let whole = Wanted::Requested(block).most_whole(response.code);
        if response.payload.len() <= whole && (block.number == 0 || !success) {
            self.bodies.remove(&key.body);
            if matches!(wanted, Wanted::Requested(_)) && success && !response.payload.is_empty() {
                response.push_option(BLOCK2, block.encode());
            }
            return Ok(response);
        }
        if response.option(ETAG).is_none() {
            let tag = tag(&response.payload);
            response.push_option(ETAG, tag.to_be_bytes());
        }
        let first = slice(&response, block);
        let bytes = response.held_bytes();
        let owner = key.body.0.owner;
        let stored = Stored {
            whole: response,
            request_body: key.request_body,
        };
        // Without room only the slice leaves.
        let _ = self.bodies.insert(now, key.body, owner, stored, bytes);
        first
    }
}

/// The requested block at the same offset, in a size that this endpoint sends and not larger than the client's.
fn fitted(wanted: Block, most: u8) -> Block {
    wanted.at_most(most)
}

fn slice(whole: &Message, block: Block) -> Result<Message, BeyondEnd> {
    let length = whole.payload.len();
    let rest = whole
        .payload
        .get(block.offset()..)
        .filter(|rest| !rest.is_empty());
    let rest = rest.ok_or(BeyondEnd {
        number: block.number,
        length,
    })?;
    let part = &rest[..rest.len().min(block.size())];
    let mut slice = Message {
        code: whole.code,
        options: whole.options.clone(),
        payload: part.to_vec(),
    };
    let block = Block {
        more: part.len() < rest.len(),
        ..block
    };
    slice.push_option(BLOCK2, block.encode());
    if block.number == 0 {
        slice.set_uint_option(SIZE2, u32::try_from(length).unwrap_or(u32::MAX));
    } else {
        slice.remove_option(SIZE2);
    }
    Ok(slice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::test_peer;
    use code::{CONTENT, NOT_FOUND};

    fn responses() -> (Block2Cache<()>, Instant) {
        (Block2Cache::new(&Limits::default()), Instant::now())
    }

    fn key(hash: u64) -> ResponseKey<()> {
        ResponseKey {
            body: (test_peer(()), hash),
            request_body: None,
        }
    }

    fn block(number: u32, size_exponent: u8) -> Block {
        Block {
            number,
            more: false,
            size_exponent,
        }
    }

    fn block_of(message: &Message) -> Block {
        Block::decode(message.option(BLOCK2).expect("a Block2 option")).expect("a valid value")
    }

    #[test]
    fn slices_of_every_size_make_the_body_again() {
        let body: Vec<u8> = (0..3_000u32).map(|byte| byte as u8).collect();
        for size_exponent in 0..=6 {
            let (mut responses, now) = responses();
            let whole = Message::new(CONTENT).with_payload(body.clone());
            let first = responses.fit(
                now,
                key(1),
                Wanted::Requested(block(0, size_exponent)),
                whole,
                |_| 7,
            );
            let first = first.expect("a first slice");
            assert_eq!(first.uint_option(SIZE2), Some(3_000));
            let mut more = block_of(&first).more;
            let mut received = first.payload;
            for number in 1.. {
                if !more {
                    break;
                }
                let slice = responses.slice(now, &key(1), block(number, size_exponent));
                let slice = slice.expect("a stored body").expect("a slice");
                assert_eq!(slice.option(ETAG), Some([0, 0, 0, 7].as_slice()));
                more = block_of(&slice).more;
                received.extend(slice.payload);
            }
            assert_eq!(received, body);
        }
    }

    #[test]
    fn a_body_that_fits_is_sent_as_it_is() {
        let (mut responses, now) = responses();
        let small = Message::new(CONTENT).with_payload(vec![0; 1024]);
        assert_eq!(
            responses.fit(now, key(1), Wanted::First(6), small.clone(), |_| 7),
            Ok(small.clone())
        );
        let response = responses.fit(now, key(1), Wanted::Requested(block(0, 6)), small, |_| 7);
        assert_eq!(
            response.map(|response| block_of(&response)),
            Ok(block(0, 6))
        );
        assert_eq!(responses.bodies.len(), 0);
    }

    #[test]
    fn a_block_after_the_end_is_refused() {
        let (mut responses, now) = responses();
        let whole = Message::new(CONTENT).with_payload(vec![0; 2048]);
        let slice = responses.fit(now, key(1), Wanted::Requested(block(2, 6)), whole, |_| 7);
        assert_eq!(
            slice,
            Err(BeyondEnd {
                number: 2,
                length: 2048
            })
        );
        assert_eq!(responses.slice(now, &key(2), block(1, 6)), None);
    }

    #[test]
    fn an_error_is_not_sliced_for_a_later_block() {
        let (mut responses, now) = responses();
        let error = Message::diagnostic(NOT_FOUND, "gone");
        assert_eq!(
            responses.fit(
                now,
                key(1),
                Wanted::Requested(block(3, 2)),
                error.clone(),
                |_| 7
            ),
            Ok(error)
        );
    }

    #[test]
    fn an_endpoint_of_smaller_blocks_responds_at_the_same_offset() {
        assert_eq!(fitted(block(3, 6), 2), block(48, 2));
        assert_eq!(fitted(block(3, 1), 2), block(3, 1));
    }
}
