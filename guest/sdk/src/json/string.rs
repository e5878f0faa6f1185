//! Strings in a JSON text.

use super::cursor::Cursor;
use super::error::{JsonError, wrong};
use crate::text::{concat, decimal};

/// The bytes of a string that are not written as they are, and those that end it (RFC 8259 §7).
static IS_SPECIAL: [bool; 256] = {
    let mut special = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        special[byte] = true;
        byte += 1;
    }
    special[b'"' as usize] = true;
    special[b'\\' as usize] = true;
    special
};

/// Where the first such byte is; the length if there is none. A loop without closures: a component is compiled for
/// size.
pub(super) fn special(bytes: &[u8]) -> usize {
    let mut at = 0;
    while at < bytes.len() && !IS_SPECIAL[usize::from(bytes[at])] {
        at += 1;
    }
    at
}

/// Passes over a string of at most `max` bytes, quotes and escapes as written, and gives whether it has escapes.
pub(super) fn skip(cursor: &mut Cursor<'_>, max: usize) -> Result<bool, JsonError> {
    let start = cursor.at;
    let mut has_escapes = false;
    cursor.at += 1;
    loop {
        // Nearly all bytes of a large response are passed over here.
        let rest = cursor.input.get(cursor.at..).unwrap_or_default();
        let plain = special(rest);
        let Some(byte) = rest.get(plain) else {
            return wrong(cursor.input.len(), "EOF while parsing a string");
        };
        cursor.at += plain + 1;
        match (*byte, rest.get(plain + 1)) {
            (b'"', _) => break,
            (b'\\', Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' | b'u')) => {
                has_escapes = true;
                cursor.at += 1;
            }
            (b'\\', Some(_)) => return wrong(cursor.at, "invalid escape"),
            (b'\\', None) => return wrong(cursor.at, "EOF while parsing a string"),
            _ => {
                let reason = "write a control character as \\u00xx";
                return wrong(cursor.at - 1, reason);
            }
        }
    }
    match cursor.at - start > max {
        true => wrong(
            start,
            concat(&["a string of more than ", &decimal(max), " bytes"]),
        ),
        false => Ok(has_escapes),
    }
}

/// Fills `text` with what `written`, the string's bytes from `start` on, stands for.
pub(super) fn unescape(text: &mut Vec<u8>, start: usize, written: &[u8]) -> Result<(), JsonError> {
    text.clear();
    let mut rest = written;
    while let Some(escape) = rest.iter().position(|byte| *byte == b'\\') {
        text.extend_from_slice(&rest[..escape]);
        // `skip` has checked that a character follows each backslash.
        let kind = rest.get(escape + 1).copied().unwrap_or(b'\\');
        rest = rest.get(escape + 2..).unwrap_or_default();
        let letter = match kind {
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => match code_point(&mut rest) {
                Some(letter) => letter,
                None => {
                    let at = start + written.len() - rest.len();
                    return wrong(at, "an escape without 4 digits, or half a surrogate pair");
                }
            },
            other => char::from(other),
        };
        let mut utf8 = [0; 4];
        text.extend_from_slice(letter.encode_utf8(&mut utf8).as_bytes());
    }
    text.extend_from_slice(rest);
    Ok(())
}

/// The letter of an escape whose `\u` has been read, with its second half if it is a surrogate (RFC 8259 §7).
fn code_point(rest: &mut &[u8]) -> Option<char> {
    let first = hex(rest)?;
    if !(0xd800..0xdc00).contains(&first) {
        return char::from_u32(first);
    }
    let mut after = rest.strip_prefix(b"\\u")?;
    let second = hex(&mut after).filter(|second| (0xdc00..0xe000).contains(second))?;
    *rest = after;
    char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))
}

fn hex(rest: &mut &[u8]) -> Option<u32> {
    let (digits, after) = rest.split_at_checked(4)?;
    let number = digits.iter().try_fold(0, |number, digit| {
        Some(number << 4 | char::from(*digit).to_digit(16)?)
    })?;
    *rest = after;
    Some(number)
}
