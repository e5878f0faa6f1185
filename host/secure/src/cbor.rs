//! The CBOR that OSCORE and EDHOC write: a few kinds of heads. A library would build a tree for them.

/// Adds unsigned integer `value` (RFC 8949 §3.1, major type 0).
pub(crate) fn uint(out: &mut Vec<u8>, value: usize) {
    head(out, 0, value);
}

/// Adds an integer between -2^16 and 2^16 (major types 0 and 1).
pub(crate) fn int(out: &mut Vec<u8>, value: i32) {
    match usize::try_from(value) {
        Ok(value) => uint(out, value),
        Err(_) => head(out, 1, (-1 - i64::from(value)).unsigned_abs() as usize),
    }
}

/// Adds a byte string.
pub(crate) fn bytes(out: &mut Vec<u8>, value: &[u8]) {
    head(out, 2, value.len());
    out.extend_from_slice(value);
}

/// Adds a text string.
pub(crate) fn text(out: &mut Vec<u8>, value: &str) {
    head(out, 3, value.len());
    out.extend_from_slice(value.as_bytes());
}

/// Begins an array of `items` items, which the caller adds.
pub(crate) fn array(out: &mut Vec<u8>, items: usize) {
    head(out, 4, items);
}

/// Begins a map of `pairs` pairs, which the caller adds.
pub(crate) fn map(out: &mut Vec<u8>, pairs: usize) {
    head(out, 5, pairs);
}

/// Adds `null`.
pub(crate) fn null(out: &mut Vec<u8>) {
    out.push(0xf6);
}

/// The head of a data item, in the fewest bytes (RFC 8949 §4.1). Everything here is shorter than 64 KiB.
fn head(out: &mut Vec<u8>, major: u8, value: usize) {
    let major = major << 5;
    match value {
        0..24 => out.push(major | value as u8),
        24..256 => out.extend([major | 24, value as u8]),
        _ => {
            let [high, low] = u16::try_from(value).unwrap_or(u16::MAX).to_be_bytes();
            out.extend([major | 25, high, low]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_take_the_fewest_bytes() {
        for (value, expected) in [
            (23, vec![0x17]),
            (24, vec![0x18, 24]),
            (255, vec![0x18, 255]),
            (256, vec![0x19, 1, 0]),
        ] {
            let mut out = Vec::new();
            uint(&mut out, value);
            assert_eq!(out, expected);
        }
        let mut out = Vec::new();
        for value in [23, -1, -24, -25, -257] {
            int(&mut out, value);
        }
        map(&mut out, 2);
        assert_eq!(out, [0x17, 0x20, 0x37, 0x38, 24, 0x39, 1, 0, 0xa2]);
        let mut out = Vec::new();
        array(&mut out, 3);
        bytes(&mut out, &[7; 24]);
        text(&mut out, "IV");
        null(&mut out);
        assert_eq!(
            (&out[..3], &out[27..]),
            (&[0x83, 0x58, 24][..], &b"\x62IV\xf6"[..])
        );
    }
}
