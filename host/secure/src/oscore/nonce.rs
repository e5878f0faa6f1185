//! Partial IVs, and the nonces and additional data that they make (RFC 8613 §5.2, §5.4).

use super::identifier::{Identifier, MAX_IDENTIFIER_BYTES};
use super::key::NONCE_BYTES;
use crate::cbor;

/// One more than the highest sender sequence number: 2^40 (RFC 8613 §7.2.1, with the 5 bytes of a Partial IV).
pub(super) const END_OF_NUMBERS: u64 = 1 << 40;

/// Most bytes of a Partial IV.
const MAX_PARTIAL_IV_BYTES: usize = 5;

/// A Partial IV: a sender sequence number below 2^40.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PartialIv(u64);

impl PartialIv {
    /// None from 2^40 on.
    pub(super) fn new(number: u64) -> Option<Self> {
        (number < END_OF_NUMBERS).then_some(Self(number))
    }

    /// From the wire: 1 to 5 bytes without leading zeros, but 0 is one byte (RFC 8613 §5). Another spelling of the
    /// same number would be another text for the additional data.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let is_shortest = match bytes {
            [] => false,
            [_] => true,
            [first, ..] => *first != 0 && bytes.len() <= MAX_PARTIAL_IV_BYTES,
        };
        is_shortest.then(|| {
            Self(
                bytes
                    .iter()
                    .fold(0, |sum, byte| (sum << 8) | u64::from(*byte)),
            )
        })
    }

    /// The sender sequence number.
    pub(super) fn number(self) -> u64 {
        self.0
    }

    /// All 5 bytes, and how many of them are on the wire.
    fn padded(self) -> ([u8; MAX_PARTIAL_IV_BYTES], usize) {
        let [_, _, _, bytes @ ..] = self.0.to_be_bytes();
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        (bytes, (MAX_PARTIAL_IV_BYTES - zeros).max(1))
    }

    /// Adds the bytes on the wire; returns how many.
    pub(super) fn encode(self, out: &mut Vec<u8>) -> usize {
        let (bytes, length) = self.padded();
        out.extend_from_slice(&bytes[MAX_PARTIAL_IV_BYTES - length..]);
        length
    }
}

/// The nonce of a Partial IV that the endpoint with this Sender ID made (RFC 8613 §5.2).
pub(super) fn nonce(
    common_iv: &[u8; NONCE_BYTES],
    id: Identifier,
    iv: PartialIv,
) -> [u8; NONCE_BYTES] {
    let mut nonce = [0; NONCE_BYTES];
    let id = id.as_bytes();
    nonce[0] = id.len() as u8;
    nonce[1 + MAX_IDENTIFIER_BYTES - id.len()..][..id.len()].copy_from_slice(id);
    nonce[1 + MAX_IDENTIFIER_BYTES..].copy_from_slice(&iv.padded().0);
    for (byte, common) in nonce.iter_mut().zip(common_iv) {
        *byte ^= common;
    }
    nonce
}

/// AES-CCM-16-64-128 in the registry of COSE algorithms (RFC 9053 §4.2).
pub(super) const ALGORITHM: usize = 10;

/// The additional data of a request, and of all its responses (RFC 8613 §5.4): a response verifies only for the request
/// with this `kid` and Partial IV. No option is of class I (RFC 8613 §4.1), so the last item is empty.
pub(super) fn additional_data(request_kid: Identifier, request_iv: PartialIv) -> Vec<u8> {
    let mut array = Vec::with_capacity(20);
    cbor::array(&mut array, 5);
    cbor::uint(&mut array, 1);
    cbor::array(&mut array, 1);
    cbor::uint(&mut array, ALGORITHM);
    cbor::bytes(&mut array, request_kid.as_bytes());
    let (bytes, length) = request_iv.padded();
    cbor::bytes(&mut array, &bytes[MAX_PARTIAL_IV_BYTES - length..]);
    cbor::bytes(&mut array, &[]);

    let mut data = Vec::with_capacity(32);
    cbor::array(&mut data, 3);
    cbor::text(&mut data, "Encrypt0");
    cbor::bytes(&mut data, &[]);
    cbor::bytes(&mut data, &array);
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partial_iv_has_one_spelling() {
        for number in [0, 1, 255, 256, 65_536, 1 << 32, END_OF_NUMBERS - 1] {
            let iv = PartialIv::new(number).unwrap();
            let mut bytes = Vec::new();
            assert_eq!(iv.encode(&mut bytes), bytes.len());
            assert_eq!(PartialIv::decode(&bytes), Some(iv));
            bytes.insert(0, 0);
            assert_eq!(PartialIv::decode(&bytes), None, "{number}");
        }
        assert_eq!(PartialIv::new(END_OF_NUMBERS), None);
        assert_eq!(PartialIv::decode(&[]), None);
        assert_eq!(PartialIv::decode(&[1; 6]), None);
    }

    #[test]
    fn two_endpoints_and_two_numbers_never_make_the_same_nonce() {
        let ids = [&b""[..], b"\0", b"\0\0", b"\x01", b"kitchen"];
        let mut nonces = std::collections::HashSet::new();
        for id in ids {
            for number in [0, 1, 256, END_OF_NUMBERS - 1] {
                let id = Identifier::new(id).unwrap();
                assert!(nonces.insert(nonce(&[7; 13], id, PartialIv::new(number).unwrap())));
            }
        }
    }
}
