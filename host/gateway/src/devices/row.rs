//! The record of a device in the store.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::credential::{Credential, OscoreKeys};
use super::edhoc_keys::{EdhocKeys, StoredEdhoc};
use super::pinned::Pinned;

/// A device as it is stored. The fields of a released version stay where they are: records are read by their order.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) name: String,
    /// Seconds since 1970; none if the clock was not set.
    pub(super) enrolled: Option<u64>,
    pub(super) credential: Credential,
}

#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    name: &'a str,
    enrolled: Option<u64>,
    credential: StoredCredential<'a>,
}

#[derive(Serialize, Deserialize)]
enum StoredCredential<'a> {
    Psk(&'a str),
    Oscore {
        secret: &'a str,
        salt: &'a str,
        kid: &'a str,
    },
    Certificate(Pinned),
    Edhoc(#[serde(borrow)] StoredEdhoc<'a>),
}

/// A record that this gateway cannot read. It shows nothing of the record, which has a key in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the record of a device cannot be read; enrol the device again")]
pub(super) struct Unreadable;

impl Row {
    /// For the store.
    pub(super) fn encode(&self) -> Vec<u8> {
        let credential = match &self.credential {
            Credential::Psk(key) => StoredCredential::Psk(key.expose_secret()),
            Credential::Oscore(keys) => StoredCredential::Oscore {
                secret: keys.secret.expose_secret(),
                salt: &keys.salt,
                kid: &keys.kid,
            },
            Credential::Certificate(pinned) => StoredCredential::Certificate(*pinned),
            Credential::Edhoc(keys) => StoredCredential::Edhoc(keys.stored()),
        };
        let stored = Stored {
            name: &self.name,
            enrolled: self.enrolled,
            credential,
        };
        postcard::to_allocvec(&stored)
            .unwrap_or_else(|_| unreachable!("texts and numbers can always be written"))
    }

    /// From the store.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Unreadable> {
        let stored: Stored<'_> = postcard::from_bytes(bytes).map_err(|_| Unreadable)?;
        let credential = match stored.credential {
            StoredCredential::Psk(key) => Credential::Psk(SecretString::from(key)),
            StoredCredential::Oscore { secret, salt, kid } => Credential::Oscore(OscoreKeys {
                secret: SecretString::from(secret),
                salt: salt.to_owned(),
                kid: kid.to_owned(),
            }),
            StoredCredential::Certificate(pinned) => Credential::Certificate(pinned),
            StoredCredential::Edhoc(stored) => {
                Credential::Edhoc(EdhocKeys::read(&stored).ok_or(Unreadable)?)
            }
        };
        Ok(Self {
            name: stored.name.to_owned(),
            enrolled: stored.enrolled,
            credential,
        })
    }
}

#[cfg(test)]
mod tests {
    use secure::edhoc::Ccs;
    use secure::oscore::{Identifier, MasterSecret, Parameters};

    use super::*;

    fn row() -> Row {
        Row {
            name: "kitchen".to_owned(),
            enrolled: Some(1_800_000_000),
            credential: Credential::Psk("secretPSK1234567".into()),
        }
    }

    #[test]
    fn a_row_is_read_as_it_was_written() {
        let read = Row::decode(&row().encode()).unwrap();
        assert_eq!(
            (read.name.as_str(), read.enrolled),
            ("kitchen", Some(1_800_000_000))
        );
        assert_eq!(
            read.credential.fingerprint(),
            row().credential.fingerprint()
        );
    }

    #[test]
    fn a_device_with_a_key_pair_keeps_its_credential_and_its_context() {
        let key = "ac75e9ece3e50bfc8ed60399889522405c47bf16df96660a41298cb4307f7eb6";
        let (ccs, _) = Ccs::enrolled(key, &[7]).unwrap();
        let context = Parameters {
            master_secret: MasterSecret::new(&[9; 16]).unwrap(),
            master_salt: vec![8; 8],
            sender_id: Identifier::new(&[1, 2, 3]).unwrap(),
            recipient_id: Identifier::new(&[0, 4]).unwrap(),
            id_context: None,
        };
        for context in [None, Some(context)] {
            let keys = EdhocKeys {
                ccs: ccs.clone(),
                context: context.clone(),
            };
            let row = Row {
                credential: Credential::Edhoc(keys),
                ..row()
            };
            assert!(!format!("{row:?}").contains("9, 9, 9"));
            let Credential::Edhoc(read) = Row::decode(&row.encode()).unwrap().credential else {
                panic!("another method");
            };
            assert_eq!(read.ccs, ccs);
            assert_eq!(format!("{:?}", read.context), format!("{context:?}"));
            let secret = |context: &Option<Parameters>| {
                let context = context.as_ref();
                context.map(|context| context.master_secret.expose().to_vec())
            };
            assert_eq!(secret(&read.context), secret(&context));
        }
    }

    #[test]
    fn a_cut_or_foreign_row_is_refused_without_a_word_of_it() {
        let bytes = row().encode();
        for end in 0..bytes.len() {
            let error = Row::decode(&bytes[..end]).unwrap_err();
            assert!(!error.to_string().contains("kitchen"));
        }
        assert!(Row::decode(&[0xff; 40]).is_err());
    }

    #[test]
    fn a_row_is_not_printed_with_its_key() {
        assert!(!format!("{:?}", row()).contains("secretPSK"));
    }
}
