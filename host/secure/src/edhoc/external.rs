//! External authorization data (RFC 9528 §3.8): the gateway understands none. It passes over items that are not
//! critical, and refuses those that are.

use super::refusal::Refusal;
use crate::cbor_reader::Reader;

/// Items of a message. Devices send one or two.
const MOST_ITEMS: usize = 8;

/// Reads the items that end a message.
pub(super) fn read(reader: &mut Reader<'_>) -> Result<(), Refusal> {
    let mut items = 0;
    while !reader.is_at_end() {
        let label = reader.int().ok_or(Refusal::Malformed)?;
        items += 1;
        if items > MOST_ITEMS {
            return Err(Refusal::Malformed);
        }
        if label < 0 {
            return Err(Refusal::CriticalData(label.unsigned_abs()));
        }
        // The value is optional.
        let _ = reader.bytes();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn critical_items_are_refused_and_others_are_passed_over() {
        let read = |bytes: &[u8]| read(&mut Reader::new(bytes));
        for bytes in [&[][..], &[15], &[0x18, 26, 0x42, 1, 2], &[0, 0x41, 0, 15]] {
            assert_eq!(read(bytes), Ok(()), "{bytes:02x?}");
        }
        for critical in [&[0x20][..], &[15, 0x20], &[15, 0x41, 1, 0x20, 0x41, 1]] {
            assert_eq!(
                read(critical),
                Err(Refusal::CriticalData(1)),
                "{critical:02x?}"
            );
        }
        for bytes in [&[0x41, 1][..], &[15, 0x42, 1], &[15; 9], &[0xf5], &[0x18]] {
            assert_eq!(read(bytes), Err(Refusal::Malformed), "{bytes:02x?}");
        }
    }
}
