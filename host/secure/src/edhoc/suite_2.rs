//! The cryptography of cipher suite 2 (RFC 9528 §3.6) for the library: P-256, SHA-256, HKDF and AES-CCM-16-64-128.
//!
//! The library has a back end of its own, over versions of the same crates that nothing else here uses: they would be
//! in the gateway twice. And it panics where this one does not.

use std::fmt;

use aes::Aes128;
use ccm::aead::{AeadInOut, KeyInit};
use ccm::consts::{U8, U13};
use hkdf::{Hkdf, HkdfExtract};
use lakers::{
    AES_CCM_TAG_LEN, BufferCiphertext3, BufferPlaintext3, BytesCcmIvLen, BytesCcmKeyLen,
    BytesHashLen, BytesMaxBuffer, BytesMaxInfoBuffer, BytesP256ElemLen, CryptoTrait, EDHOCError,
    MAX_BUFFER_LEN,
};
use sha2::{Digest, Sha256};

use super::curve;

type Cipher = ccm::Ccm<Aes128, U8, U13>;

/// The cryptography of one handshake, with its ephemeral key pair.
#[derive(Clone)]
pub(super) struct Suite2 {
    /// Private key, and x-coordinate of the public one.
    pub(super) ephemeral: (BytesP256ElemLen, BytesP256ElemLen),
    /// Whether the library may see this plaintext, which anybody may have made.
    pub(super) accepts: fn(&[u8]) -> bool,
}

impl fmt::Debug for Suite2 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Suite2")
    }
}

impl CryptoTrait for Suite2 {
    fn sha256_digest(&mut self, message: &BytesMaxBuffer, length: usize) -> BytesHashLen {
        Sha256::digest(message.get(..length).unwrap_or(message)).into()
    }

    fn hkdf_expand(
        &mut self,
        prk: &BytesHashLen,
        info: &BytesMaxInfoBuffer,
        info_length: usize,
        length: usize,
    ) -> BytesMaxBuffer {
        let mut expanded = [0; MAX_BUFFER_LEN];
        let info = info.get(..info_length).unwrap_or(info);
        // Neither fails: a hash is long enough for a key, and a buffer shorter than what can be expanded.
        if let (Ok(hkdf), Some(out)) = (Hkdf::<Sha256>::from_prk(prk), expanded.get_mut(..length)) {
            let done = hkdf.expand(info, out);
            debug_assert!(done.is_ok());
        }
        expanded
    }

    fn hkdf_extract(&mut self, salt: &BytesHashLen, secret: &BytesP256ElemLen) -> BytesHashLen {
        let mut extract = HkdfExtract::<Sha256>::new(Some(salt));
        extract.input_ikm(secret);
        extract.finalize().0.into()
    }

    fn aes_ccm_encrypt_tag_8(
        &mut self,
        key: &BytesCcmKeyLen,
        iv: &BytesCcmIvLen,
        aad: &[u8],
        plaintext: &BufferPlaintext3,
    ) -> BufferCiphertext3 {
        let mut sealed = plaintext.as_slice().to_vec();
        let cipher = Cipher::new(key.into());
        let tag = cipher.encrypt_inout_detached(iv.into(), aad, sealed.as_mut_slice().into());
        debug_assert!(tag.is_ok());
        sealed.extend_from_slice(&tag.unwrap_or_default());
        // Messages that the gateway encrypts have 9 bytes.
        BufferCiphertext3::new_from_slice(&sealed).unwrap_or_default()
    }

    fn aes_ccm_decrypt_tag_8(
        &mut self,
        key: &BytesCcmKeyLen,
        iv: &BytesCcmIvLen,
        aad: &[u8],
        ciphertext: &BufferCiphertext3,
    ) -> Result<BufferPlaintext3, EDHOCError> {
        let sealed = ciphertext.content.get(..ciphertext.len);
        let (text, tag) = sealed
            .and_then(<[u8]>::split_last_chunk::<AES_CCM_TAG_LEN>)
            .ok_or(EDHOCError::ParsingError)?;
        let mut text = text.to_vec();
        Cipher::new(key.into())
            .decrypt_inout_detached(iv.into(), aad, text.as_mut_slice().into(), tag.into())
            .map_err(|_| EDHOCError::MacVerificationFailed)?;
        if !(self.accepts)(&text) {
            return Err(EDHOCError::ParsingError);
        }
        BufferPlaintext3::new_from_slice(&text).map_err(|_| EDHOCError::ParsingError)
    }

    fn p256_ecdh(&mut self, private: &BytesP256ElemLen, x: &BytesP256ElemLen) -> BytesP256ElemLen {
        match curve::shared_secret(private, x) {
            Some(shared) => *shared,
            // The library cannot take an error here. Keys are checked before it gets them; if one were not, the secret
            // must be one that nobody else has.
            None => Sha256::new()
                .chain_update(private)
                .chain_update(x)
                .finalize()
                .into(),
        }
    }

    /// Connection identifiers are chosen without the library.
    fn get_random_byte(&mut self) -> u8 {
        0
    }

    fn p256_generate_key_pair(&mut self) -> (BytesP256ElemLen, BytesP256ElemLen) {
        self.ephemeral
    }
}
