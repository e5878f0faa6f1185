//! message_3 (RFC 9528 §5.4.1): one byte string, checked before the library decrypts it.

use super::refusal::Refusal;
use crate::cbor_reader::Reader;

/// Bytes of message_3. The library's buffers have 192, and a head has two.
const LONGEST: usize = 190;
/// Bytes of ciphertext: at least a tag. The library computes with the rest.
const SHORTEST: usize = lakers::AES_CCM_TAG_LEN;

/// Reads a message that is all of `bytes`.
pub(super) fn read(bytes: &[u8]) -> Result<lakers::BufferMessage3, Refusal> {
    match split(bytes)? {
        (message_3, []) => {
            lakers::BufferMessage3::new_from_slice(message_3).map_err(|_| Refusal::TooLong)
        }
        _ => Err(Refusal::Malformed),
    }
}

/// The message that `bytes` begin with, and what follows it: in a combined request the ciphertext of OSCORE (RFC 9668
/// §3.2).
pub(super) fn split(bytes: &[u8]) -> Result<(&[u8], &[u8]), Refusal> {
    let mut reader = Reader::new(bytes);
    let ciphertext = reader.bytes().ok_or(Refusal::Malformed)?;
    let (message_3, rest) = bytes.split_at(bytes.len() - reader.rest().len());
    if ciphertext.len() < SHORTEST {
        Err(Refusal::Malformed)
    } else if message_3.len() > LONGEST {
        Err(Refusal::TooLong)
    } else {
        Ok((message_3, rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(length: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        crate::cbor::bytes(&mut bytes, &vec![7; length]);
        bytes
    }

    #[test]
    fn a_message_has_a_tag_and_fits_into_the_library() {
        for length in [8, 23, 24, 188] {
            let bytes = message(length);
            assert!(
                read(&bytes).is_ok_and(|read| read.as_slice() == bytes),
                "{length}"
            );
        }
        assert_eq!(read(&message(7)), Err(Refusal::Malformed));
        assert_eq!(read(&message(189)), Err(Refusal::TooLong));
        assert_eq!(read(&message(600)), Err(Refusal::TooLong));
    }

    #[test]
    fn what_follows_belongs_to_a_combined_request_alone() {
        let bytes = [&message(18)[..], &[1, 2, 3]].concat();
        assert_eq!(split(&bytes), Ok((&bytes[..19], &[1, 2, 3][..])));
        assert_eq!(read(&bytes), Err(Refusal::Malformed));
        for wrong in [
            &[][..],
            &[0x58, 8, 1, 2, 3, 4, 5, 6, 7, 8],
            &[0x48, 1],
            &[8; 19],
            &[0x68; 9],
        ] {
            assert_eq!(split(wrong), Err(Refusal::Malformed), "{wrong:02x?}");
        }
    }
}
