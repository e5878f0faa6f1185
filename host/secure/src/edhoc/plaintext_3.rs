//! What is inside message_3 (RFC 9528 §5.4.2). It is encrypted with a secret of the two ephemeral keys and of the
//! gateway's own, so anybody can make one: it is checked before the library reads it.

use super::ccs::Ccs;
use super::ccs_error::{MAX_CCS_BYTES, MAX_KID_BYTES};
use super::external;
use super::message_1::connection_identifier;
use crate::cbor_reader::Reader;

/// Bytes of MAC_3 in suite 2.
const MAC: usize = lakers::MAC_LENGTH_3;
/// COSE headers in ID_CRED_I.
const KID: i64 = 4;
const KCCS: i64 = 14;
/// Items within a credential: four maps with at most two, one and five pairs. Above a hundred the library computes
/// wrongly.
const MOST_ITEMS: u32 = 24;

/// Whether the library may read it: an identifier, a MAC, and data that is not critical.
pub(super) fn is_acceptable(plaintext: &[u8]) -> bool {
    read(plaintext).is_some()
}

fn read(plaintext: &[u8]) -> Option<()> {
    let mut reader = Reader::new(plaintext);
    identifier(&mut reader)?;
    let mac = reader.bytes()?;
    (mac.len() == MAC).then_some(())?;
    external::read(&mut reader).ok()
}

/// ID_CRED_I as it is sent: a `kid` in its short form, or a map with the credential.
fn identifier(reader: &mut Reader<'_>) -> Option<()> {
    let before = reader.clone();
    if let Some(kid) = reader.bytes() {
        // One byte that could be an integer has to be one.
        let mut again = before;
        return (kid.len() <= MAX_KID_BYTES
            && (kid.len() > 1 || connection_identifier(&mut again).is_some()))
        .then_some(());
    }
    if connection_identifier(reader).is_some() {
        return Some(());
    }
    (reader.map()? == 1 && reader.int()? == KCCS).then_some(())?;
    let ccs = reader.item(MOST_ITEMS)?;
    (ccs.len() <= MAX_CCS_BYTES).then_some(())
}

/// How a message_3 names the credential of its sender.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Named<'a> {
    /// By its `kid`.
    Kid(&'a [u8]),
    /// By its bytes.
    Ccs(&'a [u8]),
}

impl<'a> Named<'a> {
    /// From ID_CRED_I in its full form, a map with one header.
    pub(super) fn read(id_cred: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(id_cred);
        match (reader.map()?, reader.int()?) {
            (1, KID) => reader.bytes().map(Self::Kid),
            (1, KCCS) => Some(Self::Ccs(reader.rest())),
            _ => None,
        }
    }
}

/// Whether the library's buffers have room for what is hashed with this message: the context of MAC_3, whose length it
/// writes into one byte, and that of TH_4. `id_cred` is in its full form, and `external` has the bytes of external
/// authorization data.
pub(super) fn fits(id_cred: &[u8], external: usize, ccs: &Ccs) -> bool {
    /// A hash as a byte string.
    const HASH: usize = 2 + lakers::SHA256_DIGEST_LEN;
    let ccs = ccs.as_bytes().len();
    let plaintext = id_cred.len() + 1 + MAC + external;
    id_cred.len() + HASH + ccs + external < lakers::MAX_KDF_CONTEXT_LEN
        && HASH + plaintext + ccs <= lakers::MAX_BUFFER_LEN
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edhoc::tests::{hex, trace};

    #[test]
    fn identifiers_in_short_form_and_credentials_are_acceptable() {
        let mac = "48623c91df41e34c2f";
        for id in [
            "2b",
            "00",
            "40",
            "4118",
            "480102030405060708",
            &format!("a10e{}", trace::CRED_I),
        ] {
            assert!(is_acceptable(&hex(&format!("{id}{mac}"))), "{id}");
            assert!(is_acceptable(&hex(&format!("{id}{mac}0f"))), "{id}");
            assert!(!is_acceptable(&hex(&format!("{id}{mac}20"))), "{id}");
            assert!(
                !is_acceptable(&hex(&format!("{id}47{}", "00".repeat(7)))),
                "{id}"
            );
        }
        let items = "a1".to_owned() + &"01".repeat(2);
        for id in [
            "412b",
            "49010203040506070809",
            "1818",
            "a1044101",
            "a10e9f",
            "a10ed8ff",
            "a2",
            &items,
        ] {
            assert!(!is_acceptable(&hex(&format!("{id}{mac}"))), "{id}");
        }
        // Arrays of 255 items, in which the library's counter would overflow.
        let nested = "98ff".repeat(20);
        assert!(!is_acceptable(&hex(&format!("a10e{nested}{mac}"))));
    }

    #[test]
    fn what_is_hashed_together_fits_into_the_librarys_buffers() {
        let ccs = Ccs::from_bytes(&hex(trace::CRED_I)).unwrap();
        let id = hex("a104412b");
        assert!(fits(&id, 0, &ccs));
        assert!(fits(&id, 110, &ccs));
        assert!(!fits(&id, 111, &ccs));
        assert_eq!(Named::read(&id), Some(Named::Kid(&[0x2b])));
        let by_value = hex(&format!("a10e{}", trace::CRED_I));
        assert_eq!(Named::read(&by_value), Some(Named::Ccs(ccs.as_bytes())));
        assert!(fits(&by_value, 0, &ccs) && !fits(&by_value, 6, &ccs));
    }
}
