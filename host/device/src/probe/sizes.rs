//! The largest datagrams that arrive, in each direction.

use coap::client::BlockSize;
use coap::option::{BLOCK2, URI_PATH};
use coap::{Block, Message, code};

use super::prober::{Patience, Prober};

/// RFC 7252 §4.6: a message that is larger should not be sent where the path is not known.
pub const MAX_REQUEST: usize = 1_152;

/// An elective option from the range for experiments (RFC 7252 §12.2): a server ignores it.
const PADDING: u16 = 65_000;

/// Header, token and options of a response, at most: an unproven address gets three times the bytes of its request.
const RESPONSE_HEAD: usize = 48;

/// The largest response that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LargestResponse {
    /// Bytes of its datagram.
    pub datagram: usize,
    /// Bytes of its payload.
    pub payload: usize,
    /// The block size that was asked for, if the response to the next larger one did not arrive.
    pub limited_to: Option<usize>,
}

/// The bytes of the largest request whose response arrives; none if no request does.
pub fn largest_request(prober: &mut Prober<'_>, patience: Patience) -> Option<usize> {
    let found = largest(Prober::length(&time()), MAX_REQUEST, |length| {
        prober.ask(&padded(time(), length), patience).is_some()
    })?;
    Some(Prober::length(&padded(time(), found)))
}

/// The largest of these sizes that arrives: first the largest, then by halves. None if the smallest does not.
fn largest(
    smallest: usize,
    largest: usize,
    mut arrives: impl FnMut(usize) -> bool,
) -> Option<usize> {
    if arrives(largest) {
        return Some(largest);
    }
    if !arrives(smallest) {
        return None;
    }
    // `good` arrives and `bad` does not.
    let (mut good, mut bad) = (smallest, largest);
    while bad - good > 1 {
        let middle = good + (bad - good) / 2;
        match arrives(middle) {
            true => good = middle,
            false => bad = middle,
        }
    }
    Some(good)
}

/// The largest response: the list of resources in blocks of 1024 bytes, then smaller ones until one arrives. Requests
/// are padded, since a gateway may send an unproven address three times their bytes, but not above `largest_request`.
pub fn largest_response(
    prober: &mut Prober<'_>,
    patience: Patience,
    largest_request: usize,
) -> Option<LargestResponse> {
    let mut refused = false;
    for exponent in (0..=coap::block::MAX_SIZE_EXPONENT).rev() {
        let block = Block {
            number: 0,
            more: false,
            size_exponent: exponent,
        };
        let request = resources().with_option(BLOCK2, block.encode());
        let length = (block.size() + RESPONSE_HEAD).div_ceil(3);
        let request = padded(request, length.min(largest_request));
        if let Some(received) = prober.ask(&request, patience) {
            return Some(LargestResponse {
                datagram: received.length,
                payload: received.datagram.message.payload.len(),
                limited_to: refused.then_some(block.size()),
            });
        }
        refused = true;
    }
    None
}

/// Bytes of the first block that the gateway sends if a request does not ask for a size; none without a response.
pub fn unasked_block(prober: &mut Prober<'_>, patience: Patience) -> Option<usize> {
    let received = prober.ask(&resources(), patience)?;
    Some(received.datagram.message.payload.len())
}

/// The largest block that a request of this many bytes has room for. 64 bytes are enough for header, token and the
/// options of a `/send` to a room by its name; a room by its id, and an access token, need more.
pub fn block_in(largest_request: usize) -> Option<usize> {
    (16..=BlockSize::LARGEST.bytes())
        .rev()
        .find(|bytes| bytes.is_power_of_two() && bytes + 64 <= largest_request)
}

fn time() -> Message {
    Message::new(code::GET).with_option(URI_PATH, "time")
}

/// `GET /.well-known/core`.
pub fn resources() -> Message {
    Message::new(code::GET)
        .with_option(URI_PATH, ".well-known")
        .with_option(URI_PATH, "core")
}

/// The request with padding, so that its datagram has this many bytes. A few lengths cannot be met exactly, because the
/// head of an option takes 3 to 5 bytes itself: then the datagram is a byte or two shorter.
fn padded(request: Message, length: usize) -> Message {
    let missing = length.saturating_sub(Prober::length(&request));
    // One byte for type and length of the option, two for its number, and up to two more for a longer length
    // (RFC 7252 §3.1).
    let value = match missing {
        0..=2 => return request,
        3..=15 => missing - 3,
        16 => 12,
        17..=272 => missing - 4,
        273 => 268,
        _ => missing - 5,
    };
    request.with_option(PADDING, vec![0; value])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_search_finds_every_limit_between_its_bounds() {
        for limit in [13, 14, 40, 127, 128, 500, 1_151, 1_152, 9_000] {
            let mut tries = 0;
            let found = largest(13, 1_152, |length| {
                tries += 1;
                length <= limit
            });
            assert_eq!(found, Some(limit.min(1_152)));
            assert!(tries <= 13, "{tries} sizes for {limit}");
        }
        assert_eq!(largest(13, 1_152, |_| false), None);
    }

    #[test]
    fn padding_never_exceeds_the_wanted_length_and_misses_it_by_two_bytes_at_most() {
        for wanted in 16..=MAX_REQUEST {
            let length = Prober::length(&padded(time(), wanted));
            assert!(
                length <= wanted && length + 3 > wanted,
                "{length} for {wanted}"
            );
        }
        assert_eq!(Prober::length(&padded(time(), MAX_REQUEST)), MAX_REQUEST);
    }

    #[test]
    fn the_block_that_fits_leaves_room_for_the_options() {
        let blocks = [79, 80, 128, 192, 1_088].map(block_in);
        assert_eq!(blocks, [None, Some(16), Some(64), Some(128), Some(1_024)]);
    }
}
