//! Messages that an attacker can make, for tests and for the fuzz target.

use ccm::aead::{AeadInOut, KeyInit};
use lakers::{CryptoTrait, MAX_KDF_CONTEXT_LEN, encode_info};

use super::initiator::{Verified, crypto};
use crate::cbor;

type Cipher = ccm::Ccm<aes::Aes128, ccm::consts::U8, ccm::consts::U13>;

impl Verified {
    /// A message_3 with any plaintext of at most 190 bytes. Who has begun a handshake can make it: K_3 needs no key
    /// that is enrolled.
    #[must_use]
    pub fn forge(&self, plaintext: &[u8]) -> Vec<u8> {
        let th_3 = &self.processed.th_3;
        let mut context = [0; MAX_KDF_CONTEXT_LEN];
        context[..th_3.len()].copy_from_slice(th_3);
        let derive = |label, length| {
            let (info, info_length) = encode_info(label, &context, th_3.len(), length);
            crypto().hkdf_expand(&self.processed.prk_3e2m, &info, info_length, length)
        };
        let (mut key, mut iv) = ([0; 16], [0; 13]);
        key.copy_from_slice(&derive(3, 16)[..16]);
        iv.copy_from_slice(&derive(4, 13)[..13]);
        let mut aad = Vec::new();
        cbor::array(&mut aad, 3);
        cbor::text(&mut aad, "Encrypt0");
        cbor::bytes(&mut aad, &[]);
        cbor::bytes(&mut aad, th_3);
        let mut text = plaintext.to_vec();
        let cipher = Cipher::new((&key).into());
        let tag = cipher.encrypt_inout_detached((&iv).into(), &aad, text.as_mut_slice().into());
        text.extend_from_slice(&tag.unwrap_or_default());
        let mut message_3 = Vec::new();
        cbor::bytes(&mut message_3, &text);
        message_3
    }
}
