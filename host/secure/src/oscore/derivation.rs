//! Keys and Common IV from a master secret (RFC 8613 §3.2.1).

use std::fmt;

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::identifier::{IdContext, Identifier};
use super::key::{KEY_BYTES, Key, NONCE_BYTES};
use super::nonce::ALGORITHM;
use crate::cbor;

/// Bytes of a master secret: at least those of a key, at most one block of SHA-256.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = KEY_BYTES..=64;
/// Most bytes of a master salt. Appendix C has 8, EDHOC makes 8 (RFC 9528 Appendix A.1).
const MAX_SALT_BYTES: usize = 64;

/// A master secret: 16 to 64 bytes. `Debug` hides it, memory is wiped when it is dropped.
#[derive(Clone)]
pub struct MasterSecret(Zeroizing<Vec<u8>>);

impl MasterSecret {
    /// The secret with these bytes.
    ///
    /// # Errors
    /// [`ParametersError::SecretLength`].
    pub fn new(secret: &[u8]) -> Result<Self, ParametersError> {
        match SECRET_BYTES.contains(&secret.len()) {
            true => Ok(Self(secret.to_vec().into())),
            false => Err(ParametersError::SecretLength(secret.len())),
        }
    }

    /// The bytes, for the store.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for MasterSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("MasterSecret(hidden)")
    }
}

/// What two endpoints agree on, as one of them sees it (RFC 8613 §3.2). The peer has the two identifiers exchanged.
#[derive(Clone, Debug)]
pub struct Parameters {
    /// Known to both endpoints only, and random. **Never use one again with the same identifiers and ID Context**: not
    /// after a context was removed, and not from a backup. Sequence numbers would begin at an old number, and nonces
    /// repeat.
    pub master_secret: MasterSecret,
    /// May be empty; at most 64 bytes. Not secret.
    pub master_salt: Vec<u8>,
    /// This endpoint's identifier.
    pub sender_id: Identifier,
    /// The peer's identifier: the `kid` of its requests.
    pub recipient_id: Identifier,
    /// The ID Context, if the endpoints have one. Requests of this endpoint carry it.
    pub id_context: Option<IdContext>,
}

/// Parameters from which no context can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParametersError {
    /// Too short to be safe, or too long.
    #[error("the master secret has {0} bytes; use 16 to 64 random bytes")]
    SecretLength(usize),
    /// Longer than any standard makes it.
    #[error("the master salt has {0} bytes; use at most 64")]
    SaltLength(usize),
    /// Both endpoints would encrypt with the same key (RFC 8613 §3.3).
    #[error("sender ID and recipient ID are the same; give each endpoint its own")]
    SameIdentifiers,
}

/// The part of a security context that does not change.
#[derive(Debug)]
pub(super) struct Keys {
    pub(super) sender_id: Identifier,
    pub(super) recipient_id: Identifier,
    pub(super) id_context: Option<IdContext>,
    pub(super) sender: Key,
    pub(super) recipient: Key,
    pub(super) common_iv: [u8; NONCE_BYTES],
}

impl Keys {
    /// Derives the keys. The master secret is not kept.
    pub(super) fn derive(parameters: &Parameters) -> Result<Self, ParametersError> {
        let (sender_id, recipient_id) = (parameters.sender_id, parameters.recipient_id);
        if sender_id == recipient_id {
            return Err(ParametersError::SameIdentifiers);
        }
        let salt = &parameters.master_salt;
        if salt.len() > MAX_SALT_BYTES {
            return Err(ParametersError::SaltLength(salt.len()));
        }
        let id_context = parameters.id_context.clone();
        let extracted = Hkdf::<Sha256>::new(Some(salt), &parameters.master_secret.0);
        let key = |id: Identifier| {
            let mut key = Zeroizing::new([0; KEY_BYTES]);
            expand(
                &extracted,
                &info(id, id_context.as_ref(), "Key", KEY_BYTES),
                &mut *key,
            );
            Key::new(key)
        };
        let (sender, recipient) = (key(sender_id), key(recipient_id));
        let mut common_iv = [0; NONCE_BYTES];
        let info = info(
            Identifier::default(),
            id_context.as_ref(),
            "IV",
            NONCE_BYTES,
        );
        expand(&extracted, &info, &mut common_iv);
        Ok(Self {
            sender_id,
            recipient_id,
            sender,
            recipient,
            common_iv,
            id_context,
        })
    }
}

/// HKDF-Expand. It fails for more than 8,160 bytes only.
fn expand(extracted: &Hkdf<Sha256>, info: &[u8], key: &mut [u8]) {
    let expanded = extracted.expand(info, key);
    debug_assert!(expanded.is_ok());
}

/// The `info` structure of RFC 8613 §3.2.1.
pub(super) fn info(
    id: Identifier,
    id_context: Option<&IdContext>,
    kind: &str,
    length: usize,
) -> Vec<u8> {
    let mut info = Vec::with_capacity(64);
    cbor::array(&mut info, 5);
    cbor::bytes(&mut info, id.as_bytes());
    match id_context {
        Some(context) => cbor::bytes(&mut info, context.as_bytes()),
        None => cbor::null(&mut info),
    }
    cbor::uint(&mut info, ALGORITHM);
    cbor::text(&mut info, kind);
    cbor::uint(&mut info, length);
    info
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters() -> Parameters {
        Parameters {
            master_secret: MasterSecret::new(&[1; 16]).unwrap(),
            master_salt: Vec::new(),
            sender_id: Identifier::new(b"a").unwrap(),
            recipient_id: Identifier::new(b"b").unwrap(),
            id_context: None,
        }
    }

    #[test]
    fn parameters_that_are_not_safe_are_refused() {
        let mut same = parameters();
        same.sender_id = same.recipient_id;
        assert_eq!(
            Keys::derive(&same).unwrap_err(),
            ParametersError::SameIdentifiers
        );
        let mut salted = parameters();
        salted.master_salt = vec![0; 65];
        assert_eq!(
            Keys::derive(&salted).unwrap_err(),
            ParametersError::SaltLength(65)
        );
        for length in [0, 15, 65] {
            let secret = MasterSecret::new(&vec![0; length]);
            assert_eq!(secret.unwrap_err(), ParametersError::SecretLength(length));
        }
    }

    #[test]
    fn secrets_are_not_printed() {
        let parameters = parameters();
        let printed = format!("{parameters:?} {:?}", Keys::derive(&parameters).unwrap());
        assert!(printed.contains("MasterSecret(hidden)") && printed.contains("Key(hidden)"));
        assert!(!printed.contains("1, 1, 1, 1"), "{printed}");
    }
}
