//! Keys, which cannot be printed, and AES-CCM-16-64-128 with them (RFC 9053 §4.2): tag of 8 bytes, nonce of 13.

use std::fmt;

use aes::Aes128;
use ccm::aead::{AeadInOut, KeyInit};
use ccm::consts::{U8, U13};
use zeroize::Zeroizing;

/// Bytes of a key.
pub(super) const KEY_BYTES: usize = 16;
/// Bytes of the tag behind a ciphertext.
pub(super) const TAG_BYTES: usize = 8;
/// Bytes of a nonce.
pub(super) const NONCE_BYTES: usize = 13;

type Cipher = ccm::Ccm<Aes128, U8, U13>;

/// A Sender Key or Recipient Key. Wiped when it is dropped. Round keys are made for each message: they would take
/// twenty times the memory, and processors with AES instructions make them in the time of one block.
pub(super) struct Key(Zeroizing<[u8; KEY_BYTES]>);

impl Key {
    pub(super) fn new(key: Zeroizing<[u8; KEY_BYTES]>) -> Self {
        Self(key)
    }

    fn cipher(&self) -> Cipher {
        Cipher::new((&*self.0).into())
    }

    /// Encrypts in place and adds the tag. The caller never uses a nonce twice with a key. None if the text is longer
    /// than CCM allows with this nonce: 65,535 bytes.
    pub(super) fn seal(
        &self,
        nonce: &[u8; NONCE_BYTES],
        aad: &[u8],
        text: &mut Vec<u8>,
    ) -> Option<()> {
        let tag = self
            .cipher()
            .encrypt_inout_detached(nonce.into(), aad, text.as_mut_slice().into())
            .ok()?;
        text.extend_from_slice(&tag);
        Some(())
    }

    /// Decrypts in place and removes the tag; none if it is not authentic. `text` holds nothing useful then.
    pub(super) fn open(
        &self,
        nonce: &[u8; NONCE_BYTES],
        aad: &[u8],
        text: &mut Vec<u8>,
    ) -> Option<()> {
        let length = text.len().checked_sub(TAG_BYTES)?;
        let tag: [u8; TAG_BYTES] = text.split_off(length).try_into().ok()?;
        self.cipher()
            .decrypt_inout_detached(nonce.into(), aad, text.as_mut_slice().into(), (&tag).into())
            .ok()
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> &[u8] {
        &*self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Key(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_is_opened_and_nothing_else() {
        let key = Key::new([1; KEY_BYTES].into());
        let nonce = [2; NONCE_BYTES];
        let mut sealed = b"text".to_vec();
        key.seal(&nonce, b"aad", &mut sealed).unwrap();
        assert_eq!(sealed.len(), 4 + TAG_BYTES);
        let mut opened = sealed.clone();
        key.open(&nonce, b"aad", &mut opened).unwrap();
        assert_eq!(opened, b"text");
        assert_eq!(key.open(&nonce, b"add", &mut sealed.clone()), None);
        assert_eq!(
            key.open(&[3; NONCE_BYTES], b"aad", &mut sealed.clone()),
            None
        );
        for byte in 0..sealed.len() {
            let mut forged = sealed.clone();
            forged[byte] ^= 1;
            assert_eq!(key.open(&nonce, b"aad", &mut forged), None, "byte {byte}");
            assert_eq!(key.open(&nonce, b"aad", &mut sealed[..byte].to_vec()), None);
        }
    }

    #[test]
    fn a_key_is_not_printed() {
        let key = Key::new([0xab; KEY_BYTES].into());
        assert_eq!(format!("{key:?}"), "Key(hidden)");
    }
}
