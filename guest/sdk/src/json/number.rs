//! Numbers in a JSON text.

use super::cursor::Cursor;
use super::error::{JsonError, wrong};
use super::float::float;
use crate::value::Value;

/// A number as written.
struct Digits<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    exponent: i32,
    is_integer: bool,
}

/// A number: an integer of at most 64 bits, or a float.
pub(super) fn number(cursor: &mut Cursor<'_>) -> Result<Value, JsonError> {
    let start = cursor.at;
    let digits = digits(cursor)?;
    if let Some(integer) = digits.integer() {
        return Ok(integer);
    }
    if digits.is_integer {
        return wrong(start, "an integer of more than 64 bits");
    }
    let number = digits.float();
    match number.is_finite() {
        true => Ok(Value::Float(number)),
        false => wrong(cursor.at - 1, "number out of range"),
    }
}

/// The same, with the nearest float, which can be infinite, in place of what is refused.
pub(super) fn nearest(cursor: &mut Cursor<'_>) -> Result<Value, JsonError> {
    let digits = digits(cursor)?;
    let integer = digits.integer();
    Ok(integer.unwrap_or_else(|| Value::Float(digits.float())))
}

impl Digits<'_> {
    /// The integer, if it is one that CBOR has.
    fn integer(&self) -> Option<Value> {
        if !self.is_integer {
            return None;
        }
        let magnitude = self.whole.iter().try_fold(0_u64, |number, digit| {
            number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
        });
        match (magnitude, self.negative) {
            (Some(number), false) => Some(Value::Unsigned(number)),
            (Some(0), true) => Some(Value::Float(-0.0)),
            (Some(number), true) => Some(Value::Negative(number - 1)),
            // -2^64, the lowest.
            (None, true) if self.whole == b"18446744073709551616" => {
                Some(Value::Negative(u64::MAX))
            }
            _ => None,
        }
    }

    /// The nearest float.
    fn float(&self) -> f64 {
        let number = float(self.whole, self.fraction, self.exponent);
        if self.negative { -number } else { number }
    }
}

/// Passes over a number.
pub(super) fn skip(cursor: &mut Cursor<'_>) -> Result<(), JsonError> {
    digits(cursor).map(drop)
}

/// Reads a number's characters (RFC 8259 §6).
fn digits<'a>(cursor: &mut Cursor<'a>) -> Result<Digits<'a>, JsonError> {
    let negative = cursor.take(b'-');
    let whole = run(cursor)?;
    if whole.len() > 1 && whole.starts_with(b"0") {
        return wrong(cursor.at - whole.len(), "invalid number: a leading zero");
    }
    let mut digits = Digits {
        negative,
        whole,
        fraction: b"",
        exponent: 0,
        is_integer: true,
    };
    if cursor.take(b'.') {
        digits.fraction = run(cursor)?;
        digits.is_integer = false;
    }
    if cursor.take(b'e') || cursor.take(b'E') {
        let negative = cursor.take(b'-');
        if !negative {
            cursor.take(b'+');
        }
        let exponent = run(cursor)?.iter().fold(0_i32, |number, digit| {
            number
                .saturating_mul(10)
                .saturating_add(i32::from(digit - b'0'))
        });
        digits.exponent = if negative { -exponent } else { exponent };
        digits.is_integer = false;
    }
    Ok(digits)
}

/// One digit or more.
fn run<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], JsonError> {
    let start = cursor.at;
    while let Some(b'0'..=b'9') = cursor.byte() {
        cursor.at += 1;
    }
    match (start < cursor.at, cursor.byte()) {
        (true, _) => Ok(&cursor.input[start..cursor.at]),
        (false, Some(_)) => wrong(cursor.at, "invalid number: expected a digit"),
        (false, None) => cursor.ended(),
    }
}
