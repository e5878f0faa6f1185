//! An access token in a record of the store.

use std::fmt;

use contract::secret::AccessToken;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

/// An access token in the store. `Debug` hides it.
#[derive(Clone)]
pub(crate) struct StoredToken(pub(crate) AccessToken);

impl fmt::Debug for StoredToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoredToken")
    }
}

impl Serialize for StoredToken {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.bearer().expose_secret())
    }
}

impl<'de> Deserialize<'de> for StoredToken {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = SecretString::from(String::deserialize(deserializer)?);
        let token = AccessToken::parse(text.expose_secret().as_bytes());
        token.map(Self).map_err(serde::de::Error::custom)
    }
}
