//! What a device proves itself with.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::pinned::Pinned;
use secure::dtls::PskKey;
use secure::hexadecimal;
use secure::oscore::{Identifier, MasterSecret, Parameters};

use super::edhoc_keys::EdhocKeys;

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
    /// OSCORE with a security context.
    Oscore,
    /// DTLS with a certificate, which is recognised by its fingerprint.
    Certificate,
    /// EDHOC with a key pair of the device, which makes security contexts for OSCORE.
    Edhoc,
}

/// What a device proves itself with, and how. `Debug` does not show secrets.
#[derive(Clone, Debug)]
pub(super) enum Credential {
    /// The characters of a pre-shared key.
    Psk(SecretString),
    /// The input of a security context.
    Oscore(OscoreKeys),
    /// A certificate, which is no secret.
    Certificate(Pinned),
    /// The public key, and the security context that the device has made with it.
    Edhoc(EdhocKeys),
}

/// The input of a security context (RFC 8613 §3.2), in hexadecimal digits.
#[derive(Clone, Debug)]
pub(super) struct OscoreKeys {
    pub(super) secret: SecretString,
    pub(super) salt: String,
    /// The Sender ID of the device.
    pub(super) kid: String,
}

/// The Sender ID of the gateway in the contexts of enrolled devices, and the `kid` of its credential for EDHOC. No
/// device has it: their numbers begin at 1.
pub(super) const GATEWAY_ID: u8 = 0;

impl OscoreKeys {
    /// New ones, with the `kid` of this number, which is not 0.
    fn fresh(number: u64) -> Self {
        Self {
            secret: hexadecimal::digits(&random::<16>()).into(),
            salt: hexadecimal::digits(&random::<8>()),
            kid: hexadecimal::digits(&kid_of(number)),
        }
    }

    /// The parameters of the gateway's context; none if the record was changed by hand.
    pub(super) fn parameters(&self) -> Option<Parameters> {
        Some(Parameters {
            master_secret: MasterSecret::new(&hexadecimal::bytes(self.secret.expose_secret())?)
                .ok()?,
            master_salt: hexadecimal::bytes(&self.salt)?,
            sender_id: Identifier::new(&[GATEWAY_ID])?,
            recipient_id: self.identifier()?,
            id_context: None,
        })
    }

    /// What names the context in requests of the device.
    pub(super) fn identifier(&self) -> Option<Identifier> {
        Identifier::new(&hexadecimal::bytes(&self.kid)?)
    }
}

/// The `kid` of the device with this number, which is not 0. It never begins with a zero byte: identifiers that the
/// gateway chooses in EDHOC do.
pub(super) fn kid_of(number: u64) -> Vec<u8> {
    let kid = number.to_be_bytes();
    let first = kid.iter().position(|byte| *byte != 0).unwrap_or(7);
    kid[first..].to_vec()
}

pub(super) fn random<const N: usize>() -> [u8; N] {
    let mut random = [0; N];
    getrandom::fill(&mut random)
        .unwrap_or_else(|error| panic!("no random numbers from the system: {error}"));
    random
}

impl Credential {
    /// A new random secret; none if it comes from the device: a certificate, or a public key.
    pub(super) fn fresh(method: Method, number: u64) -> Option<Self> {
        match method {
            Method::Psk => Some(Self::Psk(fresh_key())),
            Method::Oscore => Some(Self::Oscore(OscoreKeys::fresh(number))),
            Method::Certificate | Method::Edhoc => None,
        }
    }

    /// What names the security context in requests of the device, if it has one.
    pub(super) fn context(&self) -> Option<Identifier> {
        match self {
            Self::Psk(_) | Self::Certificate(_) => None,
            Self::Oscore(keys) => keys.identifier(),
            Self::Edhoc(keys) => keys.context.as_ref().map(|context| context.recipient_id),
        }
    }

    pub(super) fn method(&self) -> Method {
        match self {
            Self::Psk(_) => Method::Psk,
            Self::Oscore(_) => Method::Oscore,
            Self::Certificate(_) => Method::Certificate,
            Self::Edhoc(_) => Method::Edhoc,
        }
    }

    /// When it ends by itself, in seconds since 1970.
    pub(super) fn expires(&self) -> Option<u64> {
        match self {
            Self::Psk(_) | Self::Oscore(_) | Self::Edhoc(_) => None,
            Self::Certificate(pinned) => Some(pinned.expires),
        }
    }

    /// What names its enrolled security context, in hexadecimal digits; none without one.
    pub(super) fn kid(&self) -> Option<&str> {
        match self {
            Self::Psk(_) | Self::Certificate(_) | Self::Edhoc(_) => None,
            Self::Oscore(keys) => Some(&keys.kid),
        }
    }

    /// What no two devices may have, with its name in a file; none of a pre-shared key.
    pub(super) fn mark(&self) -> Option<(&'static str, String)> {
        match self {
            Self::Psk(_) => None,
            Self::Oscore(keys) => Some(("sender_id", keys.kid.clone())),
            Self::Certificate(pinned) => {
                Some(("certificate", hexadecimal::digits(&pinned.fingerprint)))
            }
            Self::Edhoc(keys) => Some(("kid", hexadecimal::digits(keys.ccs.kid()))),
        }
    }

    /// Whether both are the same. Only for operators: the time that it takes reveals the length of their common prefix.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Psk(one), Self::Psk(other)) => one.expose_secret() == other.expose_secret(),
            (Self::Oscore(one), Self::Oscore(other)) => {
                one.secret.expose_secret() == other.secret.expose_secret()
                    && (&one.salt, &one.kid) == (&other.salt, &other.kid)
            }
            (Self::Certificate(one), Self::Certificate(other)) => {
                one.fingerprint == other.fingerprint
            }
            (Self::Edhoc(one), Self::Edhoc(other)) => one.ccs.as_bytes() == other.ccs.as_bytes(),
            _ => false,
        }
    }

    /// Names the secret without telling it, or the credential of a public key: the first digits of its SHA-256. Those
    /// of a certificate are the ones that other tools show.
    pub(super) fn fingerprint(&self) -> String {
        let digest = match self {
            Self::Psk(secret) => Sha256::digest(secret.expose_secret().as_bytes()),
            Self::Oscore(keys) => Sha256::digest(keys.secret.expose_secret().as_bytes()),
            Self::Certificate(pinned) => {
                return hexadecimal::digits(&pinned.fingerprint[..FINGERPRINT_BYTES]);
            }
            Self::Edhoc(keys) => Sha256::digest(keys.ccs.as_bytes()),
        };
        hexadecimal::digits(&digest[..FINGERPRINT_BYTES])
    }
}

/// A key that any client takes: one that begins with `-` would be an option, and clients read hexadecimal digits after
/// `0x`.
fn fresh_key() -> SecretString {
    loop {
        let text: String = random::<KEY_CHARACTERS>()
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
    fn each_device_has_a_kid_of_its_own_which_is_never_that_of_the_gateway() {
        let kids = [1, 255, 256, 10_000].map(|number| OscoreKeys::fresh(number).kid);
        assert_eq!(kids, ["01", "ff", "0100", "2710"]);
        let keys = OscoreKeys::fresh(1);
        let parameters = keys.parameters().expect("they are digits");
        assert_eq!(
            (keys.secret.expose_secret().len(), keys.salt.len()),
            (32, 16)
        );
        assert_ne!(parameters.sender_id, parameters.recipient_id);
        for wrong in ["0", "0g", "0102030405060708", "é"] {
            let kid = wrong.to_owned();
            assert!(
                OscoreKeys {
                    kid,
                    ..keys.clone()
                }
                .parameters()
                .is_none(),
                "{wrong}"
            );
        }
        assert!(!format!("{keys:?}").contains(keys.secret.expose_secret()));
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
