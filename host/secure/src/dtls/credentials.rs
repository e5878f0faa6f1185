//! Who may open a session: the caller's devices, their keys and certificates.

use std::fmt;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

use super::certificate_checks::CertificateRefusal;

/// Finds devices by what they present. The caller implements it over its store.
///
/// It is called within a handshake, so it must not block: about 20 µs of CPU are all that a handshake takes.
pub trait Credentials: Send + Sync {
    /// The device with this PSK identity. The identity is any bytes, not authenticated.
    fn psk(&self, identity: &[u8]) -> Option<PskDevice>;

    /// The principal whose certificate this is, in DER. The device has not proven yet that it has the private key; the
    /// session begins only when it has. [`CertificatePolicy::check`](super::CertificatePolicy::check) does the work.
    ///
    /// # Errors
    /// Why the certificate is refused.
    fn certificate(&self, certificate: &[u8]) -> Result<Arc<str>, CertificateRefusal>;
}

/// A device with a pre-shared key.
#[derive(Clone, Debug)]
pub struct PskDevice {
    /// Its name: the principal of its sessions.
    pub principal: Arc<str>,
    /// Its key.
    pub key: PskKey,
}

/// A pre-shared key. It cannot be printed, and its memory is wiped when it is dropped; the library's copy is not.
#[derive(Clone)]
pub struct PskKey(SecretString);

/// A text that cannot be a key. The error repeats nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAKey {
    /// Fewer than [`PskKey::SHORTEST`] or more than [`PskKey::LONGEST`] characters.
    #[error(
        "a key has {shortest} to {longest} characters, this one has {0}; small devices take no more than {shortest}",
        shortest = PskKey::SHORTEST,
        longest = PskKey::LONGEST
    )]
    Length(usize),
    /// Something that is no printable ASCII, or white space.
    #[error("a key has only printable ASCII without spaces; base64url fits")]
    Characters,
    /// Clients read such a key as hexadecimal digits.
    #[error(
        "a key must not begin with 0x: some clients read hexadecimal digits after it; make another one"
    )]
    Hexadecimal,
}

impl PskKey {
    /// Characters of a key. 16 of base64url have 96 bits.
    pub const SHORTEST: usize = 16;

    /// RFC 4279 §5.3 asks for keys of up to 64 bytes.
    pub const LONGEST: usize = 64;

    /// The key of these characters, which are used as ASCII.
    ///
    /// # Errors
    /// [`NotAKey`]: a device or a client could not use it.
    pub fn parse(text: &str) -> Result<Self, NotAKey> {
        if !(Self::SHORTEST..=Self::LONGEST).contains(&text.len()) {
            Err(NotAKey::Length(text.chars().count()))
        } else if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Err(NotAKey::Characters)
        } else if text.starts_with("0x") {
            Err(NotAKey::Hexadecimal)
        } else {
            Ok(Self(text.into()))
        }
    }

    pub(super) fn expose(&self) -> &[u8] {
        self.0.expose_secret().as_bytes()
    }
}

impl fmt::Debug for PskKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PskKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_a_device_or_a_client_cannot_use_is_refused() {
        let error = |text: &str| PskKey::parse(text).expect_err("no key");
        assert_eq!(error("secretPSK123456"), NotAKey::Length(15));
        assert_eq!(error(&"k".repeat(65)), NotAKey::Length(65));
        assert_eq!(error("secret PSK 12345"), NotAKey::Characters);
        assert_eq!(error("0xcretPSK1234567"), NotAKey::Hexadecimal);
    }

    #[test]
    fn a_key_is_not_printed() {
        let key = PskKey::parse("secretPSK1234567").expect("a key");
        let device = PskDevice {
            principal: "kitchen".into(),
            key,
        };
        assert!(!format!("{device:?}").contains("secret"));
        assert_eq!(device.key.expose(), b"secretPSK1234567");
    }
}
