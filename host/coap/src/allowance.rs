//! Responses to peers whose address may be spoofed (RFC 9175 §2.4): no datagram has more bytes than the allowance, so
//! an attacker cannot amplify its traffic to a victim. A response is fitted: a diagnostic is cut, and a body leaves in
//! smaller blocks. If the response does not fit nevertheless, the peer must send an Echo first.

use crate::block::{Block, MAX_SIZE_EXPONENT};
use crate::code;
use crate::codec::encoded_length;
use crate::message::{Message, Token};
use crate::option::CONTENT_FORMAT;
use crate::wanted::Wanted;

/// Bytes of a header (RFC 7252 §3) and a payload marker.
const HEADER: usize = 4 + 1;
/// Bytes of Block1, if the response has one.
const BLOCK1_LENGTH: usize = 2 + 3;
/// Bytes of the options that come with a slice: Block2, Size2 and an ETag made here.
const SLICE_OPTIONS: usize = (2 + 3) + (2 + 3) + (1 + 4);

/// The response cannot be fitted: its options alone are too large.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLarge;

/// How a response fits into an allowance.
#[derive(Debug, PartialEq, Eq)]
enum Fit {
    /// As its client wants it.
    AsWanted,
    /// With a diagnostic of at most so many bytes.
    Cut(usize),
    /// In a smaller block.
    Smaller(Block),
}

fn plan(
    allowance: usize,
    token: Token,
    wanted: Wanted,
    response: &Message,
) -> Result<Fit, TooLarge> {
    let fixed = HEADER + BLOCK1_LENGTH + token.as_bytes().len() + encoded_length(&response.options);
    let room = allowance.saturating_sub(fixed);
    let length = response.payload.len();
    let block_options = match wanted {
        Wanted::Requested(_) => SLICE_OPTIONS,
        Wanted::First(_) => 0,
    };
    let is_whole = length <= wanted.most_whole(response.code);
    if is_whole && allowance >= fixed && (length == 0 || length + block_options <= room) {
        return Ok(Fit::AsWanted);
    }
    let most = size_exponent_within(room.saturating_sub(SLICE_OPTIONS));
    if !is_whole && most >= Some(wanted.block().size_exponent) {
        return Ok(Fit::AsWanted);
    }
    let is_diagnostic =
        code::class(response.code) != 2 && response.option(CONTENT_FORMAT).is_none();
    if is_diagnostic && allowance >= fixed {
        return Ok(Fit::Cut(room));
    }
    let most = most.ok_or(TooLarge)?;
    Ok(Fit::Smaller(wanted.block().at_most(most)))
}

/// Fits a response into `allowance` bytes: cuts its diagnostic, or returns a smaller block in place of `wanted`.
pub(super) fn fit(
    allowance: usize,
    token: Token,
    wanted: Wanted,
    response: &mut Message,
) -> Result<Wanted, TooLarge> {
    match plan(allowance, token, wanted, response)? {
        Fit::AsWanted => Ok(wanted),
        Fit::Cut(most) => {
            cut(&mut response.payload, most);
            Ok(wanted)
        }
        Fit::Smaller(block) => Ok(Wanted::Requested(block)),
    }
}

/// Whether a larger allowance would let the client have more of the response.
pub(super) fn reduces(allowance: usize, token: Token, wanted: Wanted, response: &Message) -> bool {
    let plan = plan(allowance, token, wanted, response);
    matches!(plan, Ok(Fit::Smaller(_)) | Err(TooLarge))
}

/// The smaller block of a stored body whose slice fits; none if `slice` fits already.
pub(super) fn smaller(
    allowance: usize,
    token: Token,
    wanted: Block,
    slice: &Message,
) -> Result<Option<Block>, TooLarge> {
    let fixed = HEADER + token.as_bytes().len() + encoded_length(&slice.options);
    if fixed + slice.payload.len() <= allowance {
        return Ok(None);
    }
    // The number of a smaller block may take one byte more.
    let room = allowance.saturating_sub(fixed + 1);
    let most = size_exponent_within(room).ok_or(TooLarge)?;
    Ok(Some(wanted.at_most(most)))
}

/// The size exponent of the largest block in this many bytes.
fn size_exponent_within(room: usize) -> Option<u8> {
    (0..=MAX_SIZE_EXPONENT)
        .rev()
        .find(|exponent| 16 << exponent <= room)
}

/// Cuts text at the end of a character.
fn cut(text: &mut Vec<u8>, most: usize) {
    let mut end = most.min(text.len());
    // A byte 10xxxxxx continues a character.
    while end > 0 && text.get(end).is_some_and(|byte| byte & 0xc0 == 0x80) {
        end -= 1;
    }
    text.truncate(end);
}

impl Block {
    /// The same offset in blocks of at most this size.
    pub(super) fn at_most(self, size_exponent: u8) -> Self {
        let smaller = self.size_exponent.min(size_exponent);
        Self {
            number: self.number << (self.size_exponent - smaller),
            more: false,
            size_exponent: smaller,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::{CHANGED, CONTENT, NOT_FOUND};
    use crate::option::LOCATION_PATH;

    fn block(number: u32, size_exponent: u8) -> Block {
        Block {
            number,
            more: false,
            size_exponent,
        }
    }

    fn content(length: usize) -> Message {
        Message::new(CONTENT)
            .with_uint_option(CONTENT_FORMAT, 40)
            .with_payload(vec![b'a'; length])
    }

    const OF_1024: Wanted = Wanted::First(6);

    fn fitted(allowance: usize, wanted: Wanted, length: usize) -> Wanted {
        let token = Token::new(&[0; 8]).expect("it is short");
        let mut response = content(length);
        let is_reduced = reduces(allowance, token, wanted, &response);
        let fitted = fit(allowance, token, wanted, &mut response).expect("it fits");
        assert_eq!(is_reduced, fitted != wanted);
        fitted
    }

    fn requested(number: u32, size_exponent: u8) -> Wanted {
        Wanted::Requested(block(number, size_exponent))
    }

    #[test]
    fn a_body_leaves_in_the_largest_blocks_that_fit() {
        assert_eq!(fitted(136, OF_1024, 100), OF_1024);
        assert_eq!(fitted(136, OF_1024, 600), requested(0, 2));
        assert_eq!(fitted(300, OF_1024, 600), requested(0, 4));
        assert_eq!(fitted(usize::MAX, OF_1024, 600), OF_1024);
        assert_eq!(fitted(136, requested(0, 6), 600), requested(0, 2));
        assert_eq!(fitted(136, requested(1, 6), 600), requested(16, 2));
        assert_eq!(fitted(136, requested(3, 1), 600), requested(3, 1));
    }

    #[test]
    fn a_body_that_leaves_in_small_blocks_anyway_is_not_reduced() {
        assert_eq!(fitted(136, Wanted::First(2), 600), Wanted::First(2));
        assert_eq!(fitted(136, Wanted::First(4), 600), requested(0, 2));
    }

    #[test]
    fn a_diagnostic_is_cut_between_two_characters() {
        let mut error = Message::diagnostic(NOT_FOUND, "ü".repeat(100));
        assert!(!reduces(136, Token::default(), OF_1024, &error));
        let fitted = fit(136, Token::default(), OF_1024, &mut error);
        assert_eq!(fitted, Ok(OF_1024));
        assert_eq!(error.payload.len(), 126);
        assert!(std::str::from_utf8(&error.payload).is_ok());
    }

    #[test]
    fn options_that_are_too_large_do_not_fit() {
        let mut created = Message::new(CHANGED).with_option(LOCATION_PATH, vec![b'a'; 200]);
        assert_eq!(
            fit(136, Token::default(), OF_1024, &mut created),
            Err(TooLarge)
        );
    }
}
