//! The keys of devices, as handshakes look them up.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use secrecy::{ExposeSecret, SecretString};

use secure::dtls::{CertificateRefusal, Credentials, PskDevice, PskKey};

/// The pre-shared keys by the names of their devices. The library calls it within a handshake, on the thread of the
/// event loop; the lock is never held across anything that waits.
#[derive(Default)]
pub(crate) struct KeyRing {
    keys: RwLock<HashMap<Arc<str>, PskKey>>,
}

impl KeyRing {
    /// Adds the key of a device, or replaces it. A text that cannot be a key is left out.
    pub(super) fn put(&self, name: &Arc<str>, key: &SecretString) -> bool {
        let Ok(key) = PskKey::parse(key.expose_secret()) else {
            return false;
        };
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        keys.insert(name.clone(), key);
        true
    }

    pub(super) fn remove(&self, name: &str) {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        keys.remove(name);
    }

    /// Whether no device has a key.
    pub(crate) fn is_empty(&self) -> bool {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.is_empty()
    }
}

impl Credentials for KeyRing {
    fn psk(&self, identity: &[u8]) -> Option<PskDevice> {
        let name = std::str::from_utf8(identity).ok()?;
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let (principal, key) = keys.get_key_value(name)?;
        Some(PskDevice {
            principal: principal.clone(),
            key: key.clone(),
        })
    }

    /// Certificates are not configured: the server does not ask for one.
    fn certificate(&self, _: &[u8]) -> Result<Arc<str>, CertificateRefusal> {
        Err(CertificateRefusal::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_found_by_its_name_alone_until_it_is_removed() {
        let ring = KeyRing::default();
        assert!(ring.is_empty());
        assert!(ring.put(&"kitchen".into(), &"secretPSK1234567".into()));
        assert!(!ring.put(&"roof".into(), &"short".into()));
        let found = ring.psk(b"kitchen").expect("it is enrolled");
        assert_eq!(&*found.principal, "kitchen");
        for other in [
            &b"Kitchen"[..],
            b"kitche",
            b"kitchen\0",
            b"",
            b"\xff",
            b"roof",
        ] {
            assert!(ring.psk(other).is_none(), "{other:?}");
        }
        ring.remove("kitchen");
        assert!(ring.psk(b"kitchen").is_none() && ring.is_empty());
    }
}
