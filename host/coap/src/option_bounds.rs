//! The bounds of a message's options, checked in the borrowed bytes: one option costs one byte on the wire, but an
//! allocation and about 100 bytes once it is parsed.
//!
//! libcoap and Californium bound the size of a datagram and the length of each option that they know, but not the
//! number of options; Zephyr reads options into an array of fixed length. This endpoint accepts the largest UDP
//! datagram, so it needs bounds of its own.

use crate::message::CoapOption;

/// Most options of a message. A request of the deepest Uri-Path and Uri-Query in use has about 20; an OSCORE message
/// has them encrypted in its payload.
pub const MAX_OPTIONS: usize = 64;

/// Most bytes of option values of a message. The longest Proxy-Uri has 1,034 (RFC 7252 table 4), an access token of
/// Matrix a few hundred.
pub const MAX_OPTION_BYTES: usize = 4096;

/// What of a message's options is above its bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OptionExcess {
    /// More than [`MAX_OPTIONS`].
    #[error("the message has more than {MAX_OPTIONS} options; send fewer")]
    Number,
    /// More than [`MAX_OPTION_BYTES`].
    #[error("send options of at most {MAX_OPTION_BYTES} bytes; use the payload for more")]
    Bytes,
}

/// Checks the options at the start of `bytes`, which follow the token. Stops at the first excess, so its cost is
/// bounded too. It also stops at a malformed option: the decoder stops there as well, and reports it.
pub(super) fn check(mut bytes: &[u8]) -> Result<(), OptionExcess> {
    let (mut number, mut total) = (0, 0);
    while let Some((length, rest)) = next(bytes) {
        let Some(rest) = rest.get(length..) else {
            break;
        };
        bytes = rest;
        number += 1;
        total += length;
        if number > MAX_OPTIONS {
            return Err(OptionExcess::Number);
        }
        if total > MAX_OPTION_BYTES {
            return Err(OptionExcess::Bytes);
        }
    }
    Ok(())
}

/// The same for options that an implementation of message protection has parsed.
pub(super) fn check_parsed(options: &[CoapOption]) -> Result<(), OptionExcess> {
    let total: usize = options.iter().map(|option| option.value.len()).sum();
    if options.len() > MAX_OPTIONS {
        Err(OptionExcess::Number)
    } else if total > MAX_OPTION_BYTES {
        Err(OptionExcess::Bytes)
    } else {
        Ok(())
    }
}

/// The length of the next option's value, and the bytes from there on (RFC 7252 §3.1). None at the payload marker, at
/// the end, and at a malformed option.
fn next(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let (_, rest) = extended(first >> 4, rest)?;
    extended(first & 0x0f, rest)
}

/// A delta or length: in the nibble, or in one or two bytes after it.
fn extended(nibble: u8, rest: &[u8]) -> Option<(usize, &[u8])> {
    match nibble {
        13 => rest
            .split_first()
            .map(|(byte, rest)| (usize::from(*byte) + 13, rest)),
        14 => rest
            .split_first_chunk()
            .map(|(bytes, rest)| (usize::from(u16::from_be_bytes(*bytes)) + 269, rest)),
        15 => None,
        nibble => Some((usize::from(nibble), rest)),
    }
}
