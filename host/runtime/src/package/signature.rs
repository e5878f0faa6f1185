//! Ed25519 keys and signatures (RFC 8032) of manifests. Key files are those of openssl: PKCS#8 and SubjectPublicKeyInfo
//! as PEM (RFC 8410, RFC 7468).

use std::fmt;

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{
    DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey, KeypairBytes,
};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use secrecy::zeroize::Zeroizing;

/// Bytes of a signature.
pub const SIGNATURE_BYTES: usize = 64;
/// Bytes of a key file; Ed25519's have 113 and 119.
pub const MAX_KEY_FILE: usize = 4096;

/// A key cannot be used. The error shows nothing of the key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file has no private key.
    #[error(
        "it is no Ed25519 private key in PKCS#8 PEM; make one with `comatrix-gateway rule keygen NAME` or `openssl \
         genpkey -algorithm ed25519`"
    )]
    Private,
    /// The file has no public key.
    #[error(
        "it is no Ed25519 public key in PEM; use the .pub file of `comatrix-gateway rule keygen NAME` or the output \
         of `openssl pkey -pubout`"
    )]
    Public,
    /// A point of small order: signatures for it can be made without its private key.
    #[error("it is a weak key, for which anybody can sign; remove it")]
    Weak,
    /// The system gave no random bytes.
    #[error("the system gave no random bytes: {0}; try again")]
    Random(getrandom::Error),
}

/// A key that signs. It is not printed, and its memory is wiped when it is dropped.
pub struct PrivateKey(SigningKey);

/// A key that verifies signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PrivateKey {
    /// A new key.
    ///
    /// # Errors
    /// [`KeyError::Random`].
    pub fn generate() -> Result<Self, KeyError> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut_slice()).map_err(KeyError::Random)?;
        Ok(Self(SigningKey::from_bytes(&seed)))
    }

    /// Reads a key file's content, with or without the public key in it (RFC 5958).
    ///
    /// # Errors
    /// [`KeyError::Private`].
    pub fn from_pem(pem: &[u8]) -> Result<Self, KeyError> {
        let text = std::str::from_utf8(pem).map_err(|_| KeyError::Private)?;
        let bytes = KeypairBytes::from_pkcs8_pem(text).map_err(|_| KeyError::Private)?;
        Ok(Self(SigningKey::from_bytes(&bytes.secret_key)))
    }

    /// A key file's content, without the public key: openssl 3 reads no other.
    ///
    /// # Errors
    /// [`KeyError::Private`], if the encoder should refuse its own type.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        let bytes = KeypairBytes {
            secret_key: *self.0.as_bytes(),
            public_key: None,
        };
        bytes
            .to_pkcs8_pem(LineEnding::LF)
            .map_err(|_| KeyError::Private)
    }

    /// Its public key.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// The signature of these bytes; always the same.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; SIGNATURE_BYTES] {
        self.0.sign(message).to_bytes()
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(hidden)")
    }
}

impl PublicKey {
    /// Reads a key file's content.
    ///
    /// # Errors
    /// [`KeyError::Public`] or [`KeyError::Weak`].
    pub fn from_pem(pem: &[u8]) -> Result<Self, KeyError> {
        let text = std::str::from_utf8(pem).map_err(|_| KeyError::Public)?;
        let key = VerifyingKey::from_public_key_pem(text).map_err(|_| KeyError::Public)?;
        if key.is_weak() {
            return Err(KeyError::Weak);
        }
        Ok(Self(key))
    }

    /// A key file's content.
    ///
    /// # Errors
    /// [`KeyError::Public`], if the encoder should refuse its own type.
    pub fn to_pem(&self) -> Result<String, KeyError> {
        self.0
            .to_public_key_pem(LineEnding::LF)
            .map_err(|_| KeyError::Public)
    }

    /// Whether this is the signature of these bytes. The check is strict: a key has one signature for some bytes, and
    /// no signature fits two texts.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> bool {
        self.0
            .verify_strict(message, &Signature::from_bytes(signature))
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 8410 §10.3.
    const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
        -----END PRIVATE KEY-----\n";
    /// Its public key (RFC 8410 §10.1).
    const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\n\
        MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n\
        -----END PUBLIC KEY-----\n";

    #[test]
    fn the_keys_of_rfc_8410_are_read_and_written_to_the_byte() {
        let key = PrivateKey::from_pem(PRIVATE.as_bytes()).unwrap();
        assert_eq!(key.to_pem().unwrap().as_str(), PRIVATE);
        assert_eq!(key.public().to_pem().unwrap(), PUBLIC);
        assert_eq!(
            PublicKey::from_pem(PUBLIC.as_bytes()).unwrap(),
            key.public()
        );
    }

    #[test]
    fn a_private_key_is_not_printed() {
        let key = PrivateKey::from_pem(PRIVATE.as_bytes()).unwrap();
        assert_eq!(format!("{key:?}"), "PrivateKey(hidden)");
    }

    #[test]
    fn a_signature_fits_its_bytes_and_key_and_no_others() {
        let (key, other) = (
            PrivateKey::generate().unwrap(),
            PrivateKey::generate().unwrap(),
        );
        let signature = key.sign(b"manifest");
        assert!(key.public().verifies(b"manifest", &signature));
        assert!(!key.public().verifies(b"manifesu", &signature));
        assert!(!other.public().verifies(b"manifest", &signature));
        for index in 0..SIGNATURE_BYTES {
            let mut altered = signature;
            altered[index] ^= 1;
            assert!(
                !key.public().verifies(b"manifest", &altered),
                "byte {index}"
            );
        }
    }

    #[test]
    fn files_that_are_no_such_keys_are_refused_with_the_remedy() {
        for content in ["", "-----BEGIN PRIVATE KEY-----", PUBLIC, "\u{0}"] {
            let said = PrivateKey::from_pem(content.as_bytes())
                .unwrap_err()
                .to_string();
            assert!(said.contains("rule keygen"), "{said}");
        }
        // The neutral element: a signature for it can be made without a key.
        let weak = "-----BEGIN PUBLIC KEY-----\n\
            MCowBQYDK2VwAyEAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\
            -----END PUBLIC KEY-----\n";
        for (content, remedy) in [
            ("", ".pub file"),
            (PRIVATE, "openssl pkey -pubout"),
            (weak, "remove it"),
        ] {
            let said = PublicKey::from_pem(content.as_bytes())
                .unwrap_err()
                .to_string();
            assert!(said.contains(remedy), "{said}");
        }
        assert!(PublicKey::from_pem(b"\xff").is_err() && PrivateKey::from_pem(b"\xff").is_err());
    }
}
