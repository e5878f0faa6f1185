//! What a device proves itself with.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use secure::dtls::PskKey;

/// Characters of a key: 96 bits. tinydtls in RIOT takes no more than 16 bytes.
const KEY_CHARACTERS: usize = PskKey::SHORTEST;
/// base64url: each character is 6 bits, and none has a meaning in a shell, a URI or a JSON text.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// Digits of a fingerprint: 64 bits of a hash. Nobody finds a key of 96 random bits by it.
const FINGERPRINT_BYTES: usize = 8;

/// How a device proves itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// DTLS with a pre-shared key.
    Psk,
}

/// A secret, and how it is used. `Debug` does not show it.
#[derive(Clone, Debug)]
pub(super) enum Credential {
    /// The characters of a pre-shared key.
    Psk(SecretString),
}

impl Credential {
    /// A new random secret.
    pub(super) fn fresh(method: Method) -> Self {
        match method {
            Method::Psk => Self::Psk(fresh_key()),
        }
    }

    pub(super) fn method(&self) -> Method {
        match self {
            Self::Psk(_) => Method::Psk,
        }
    }

    /// Names the secret without telling it: the first digits of its SHA-256.
    pub(super) fn fingerprint(&self) -> String {
        let Self::Psk(key) = self;
        let digest = Sha256::digest(key.expose_secret().as_bytes());
        digest[..FINGERPRINT_BYTES]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

/// A key that any client takes: one that begins with `-` would be an option, and clients read hexadecimal digits after
/// `0x`.
fn fresh_key() -> SecretString {
    loop {
        let mut random = [0; KEY_CHARACTERS];
        getrandom::fill(&mut random)
            .unwrap_or_else(|error| panic!("no random numbers from the system: {error}"));
        let text: String = random
            .iter()
            .map(|byte| char::from(ALPHABET[usize::from(byte & 63)]))
            .collect();
        if !text.starts_with('-') && PskKey::parse(&text).is_ok() {
            return text.into();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_key_has_16_characters_that_every_client_takes() {
        let keys: std::collections::HashSet<String> = (0..1000)
            .map(|_| fresh_key().expose_secret().to_owned())
            .collect();
        assert_eq!(keys.len(), 1000, "random");
        for key in keys {
            assert!(
                key.len() == 16 && !key.starts_with(['-']) && !key.starts_with("0x"),
                "{key}"
            );
            assert!(key.bytes().all(|byte| ALPHABET.contains(&byte)), "{key}");
        }
    }

    #[test]
    fn a_credential_is_not_printed_and_its_fingerprint_is_another_for_another_key() {
        let [one, other] =
            ["secretPSK1234567", "secretPSK1234568"].map(|key| Credential::Psk(key.into()));
        assert!(!format!("{one:?}").contains("secretPSK"));
        assert_eq!(one.fingerprint().len(), 16);
        assert_ne!(one.fingerprint(), other.fingerprint());
    }
}
