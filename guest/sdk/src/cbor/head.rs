//! The heads of CBOR's items (RFC 8949 §3).

/// The head of an item.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Header {
    /// An integer from 0 to 2^64 − 1 (major type 0).
    Positive(u64),
    /// The integer −1 − n (major type 1).
    Negative(u64),
    /// A byte string and its length; without one it comes in chunks (major type 2).
    Bytes(Option<usize>),
    /// A text and its length in bytes; without one it comes in chunks (major type 3).
    Text(Option<usize>),
    /// An array and how many elements follow; without it up to a break (major type 4).
    Array(Option<usize>),
    /// A map and how many pairs follow; without it up to a break (major type 5).
    Map(Option<usize>),
    /// A tag; the tagged value follows (major type 6).
    Tag(u64),
    /// A simple value, such as 20 for false (major type 7).
    Simple(u8),
    /// A float of two, four or eight bytes (major type 7).
    Float(f64),
    /// The end of something without a length (major type 7).
    Break,
}

/// Simple values (RFC 8949 §3.3).
pub(crate) const FALSE: u8 = 20;
pub(crate) const TRUE: u8 = 21;
pub(crate) const NULL: u8 = 22;

/// Major types.
pub(crate) const POSITIVE: u8 = 0;
pub(crate) const NEGATIVE: u8 = 1;
pub(crate) const TEXT: u8 = 3;
pub(crate) const ARRAY: u8 = 4;
pub(crate) const MAP: u8 = 5;
const OTHER: u8 = 7;

/// Why there is no head.
pub(super) enum NoHead {
    /// The input ends before or within it.
    Truncated,
    /// No item starts so, for this reason.
    Malformed(&'static str),
}

const ABSENT: &str = "no CBOR item starts with this byte";
const ABSURD: &str = "a length that is absurd";
const RESERVED: &str = "a simple value in a form that is reserved";

/// The head at the beginning of `input`, and its length.
pub(super) fn read(input: &[u8]) -> Result<(Header, usize), NoHead> {
    let (first, rest) = input.split_first().ok_or(NoHead::Truncated)?;
    let (major, info) = (first >> 5, first & 0x1f);
    let length = match info {
        0..24 | 31 => 0,
        24..28 => 1 << (info - 24),
        _ => return Err(NoHead::Malformed(ABSENT)),
    };
    let bytes = rest.get(..length).ok_or(NoHead::Truncated)?;
    let mut argument = u64::from(info);
    if length > 0 {
        argument = bytes
            .iter()
            .fold(0, |value, byte| value << 8 | u64::from(*byte));
    }
    let indefinite = info == 31;
    let size = || match indefinite {
        true => Ok(None),
        false => usize::try_from(argument)
            .map(Some)
            .map_err(|_| NoHead::Malformed(ABSURD)),
    };
    let header = match major {
        0 | 1 | 6 if indefinite => return Err(NoHead::Malformed(ABSENT)),
        POSITIVE => Header::Positive(argument),
        NEGATIVE => Header::Negative(argument),
        2 => Header::Bytes(size()?),
        TEXT => Header::Text(size()?),
        ARRAY => Header::Array(size()?),
        MAP => Header::Map(size()?),
        6 => Header::Tag(argument),
        _ => match length {
            0 if indefinite => Header::Break,
            0 => Header::Simple(info),
            // RFC 8949 §3.3: the form of two bytes is not well-formed for these.
            1 if argument < 32 => return Err(NoHead::Malformed(RESERVED)),
            1 => Header::Simple(argument as u8),
            2 => Header::Float(from_half(argument as u16)),
            4 => Header::Float(f32::from_bits(argument as u32).into()),
            _ => Header::Float(f64::from_bits(argument)),
        },
    };
    Ok((header, 1 + length))
}

/// Adds a head in its shortest form.
pub(crate) fn push(bytes: &mut Vec<u8>, major: u8, argument: u64) {
    let (info, length) = match argument {
        0..24 => (argument as u8, 0),
        24..0x100 => (24, 1),
        0x100..0x1_0000 => (25, 2),
        0x1_0000..0x1_0000_0000 => (26, 4),
        _ => (27, 8),
    };
    bytes.push(major << 5 | info);
    push_last(bytes, argument, length);
}

/// Adds a simple value below 24.
pub(crate) fn push_simple(bytes: &mut Vec<u8>, simple: u8) {
    bytes.push(OTHER << 5 | simple);
}

/// Adds a float in the shortest form that has all of it.
pub(crate) fn push_float(bytes: &mut Vec<u8>, number: f64) {
    let single = number as f32;
    let (info, argument, length) = if f64::from(single).to_bits() != number.to_bits() {
        (27, number.to_bits(), 8)
    } else if let Some(half) = to_half(single) {
        (25, half.into(), 2)
    } else {
        (26, single.to_bits().into(), 4)
    };
    bytes.push(OTHER << 5 | info);
    push_last(bytes, argument, length);
}

/// The last `length` bytes of a number in network order.
fn push_last(bytes: &mut Vec<u8>, number: u64, length: usize) {
    let all = number.to_be_bytes();
    bytes.extend_from_slice(all.get(all.len() - length..).unwrap_or_default());
}

/// From a float of two bytes (RFC 8949 appendix D).
fn from_half(bits: u16) -> f64 {
    let (exponent, mantissa) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    let power = |exponent: i32| f64::from_bits(((exponent + 1023) as u64) << 52);
    let number = match exponent {
        0 => mantissa * power(-24),
        31 if mantissa == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (mantissa + 1024.0) * power(exponent - 25),
    };
    if bits >> 15 == 1 { -number } else { number }
}

/// The float of two bytes with exactly this value.
fn to_half(number: f32) -> Option<u16> {
    let bits = number.to_bits();
    let sign = (bits >> 16 & 0x8000) as u16;
    let (exponent, mantissa) = ((bits >> 23 & 255) as i32 - 127, bits & 0x7f_ffff);
    let half = match exponent {
        -127 if mantissa == 0 => 0,
        128 if mantissa == 0 => 31 << 10,
        -14..16 if mantissa & 0x1fff == 0 => ((exponent + 15) as u32) << 10 | mantissa >> 13,
        -24..-14 => {
            // The hidden bit becomes visible below the smallest normal one.
            let shift = (-1 - exponent) as u32;
            let whole = mantissa | 0x80_0000;
            match whole.trailing_zeros() >= shift {
                true => whole >> shift,
                false => return None,
            }
        }
        _ => return None,
    };
    Some(sign | half as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_float_of_two_bytes_comes_back() {
        for bits in 0..=u16::MAX {
            let number = from_half(bits);
            if number.is_nan() {
                continue;
            }
            assert_eq!(to_half(number as f32), Some(bits), "{bits:x}");
            let mut bytes = Vec::new();
            push_float(&mut bytes, number);
            assert_eq!(bytes, [0xf9, (bits >> 8) as u8, bits as u8]);
        }
    }

    #[test]
    fn floats_between_those_of_two_bytes_take_more() {
        for (number, length) in [
            (1.0 / 3.0, 9),
            (1.0 + 1.0 / 2048.0, 5),
            (2.0_f64.powi(-25), 5),
            (3.0 * 2.0_f64.powi(-25), 5),
            (65536.0, 5),
            (1e300, 9),
            (5e-324, 9),
        ] {
            let mut bytes = Vec::new();
            push_float(&mut bytes, number);
            assert_eq!(bytes.len(), length, "{number}");
        }
    }
}
