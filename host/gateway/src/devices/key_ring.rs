//! The keys and certificates of devices, as handshakes look them up.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use contract::clock::Clock;
use secrecy::{ExposeSecret, SecretString};

use secure::dtls::{
    Authorities, CertificatePolicy, CertificateRefusal, Credentials, Fingerprint, PskDevice, PskKey,
};

/// Keys by the names of their devices, and which certificates are accepted. The library calls it within a handshake, on
/// the thread of the event loop; the lock is never held across anything that waits.
#[derive(Default)]
pub(crate) struct KeyRing(RwLock<Ring>);

#[derive(Default)]
struct Ring {
    keys: HashMap<Arc<str>, PskKey>,
    policy: CertificatePolicy,
    /// Whether the gateway has a certificate, without which no device shows its own.
    serves_certificates: bool,
}

impl KeyRing {
    /// Adds the key of a device, or replaces it. A text that cannot be a key is left out.
    pub(super) fn put(&self, name: &Arc<str>, key: &SecretString) -> bool {
        let Ok(key) = PskKey::parse(key.expose_secret()) else {
            return false;
        };
        self.write().keys.insert(name.clone(), key);
        true
    }

    /// Adds the certificate of a device.
    pub(super) fn pin(&self, name: &Arc<str>, fingerprint: Fingerprint) {
        self.write().policy.pin(fingerprint, name.clone());
    }

    /// Whose certificate this is.
    pub(super) fn pinned(&self, fingerprint: &Fingerprint) -> Option<Arc<str>> {
        self.read().policy.pinned(fingerprint).cloned()
    }

    /// Whether a device is recognised by a certificate of its own.
    pub(crate) fn is_pinned(&self, name: &str) -> bool {
        self.read().policy.is_pinned(name)
    }

    /// Keeps the name of a device from certificates of authorities.
    pub(super) fn reserve(&self, name: &Arc<str>) {
        self.write().policy.reserve(name.clone());
    }

    /// Forgets a device.
    pub(super) fn remove(&self, name: &str) {
        let mut ring = self.write();
        ring.keys.remove(name);
        ring.policy.release(name);
    }

    /// Whether no device has a key.
    pub(crate) fn is_empty(&self) -> bool {
        self.read().keys.is_empty()
    }

    /// Accepts the certificates that these have signed, and no longer those of others; none if the gateway has no
    /// certificate.
    pub(crate) fn set_authorities(&self, authorities: Option<Authorities>) {
        let mut ring = self.write();
        ring.serves_certificates = authorities.is_some();
        ring.policy.set_authorities(authorities.unwrap_or_default());
    }

    /// Whether devices can show certificates.
    pub(super) fn serves_certificates(&self) -> bool {
        self.read().serves_certificates
    }

    fn read(&self) -> RwLockReadGuard<'_, Ring> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Ring> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Credentials for KeyRing {
    fn psk(&self, identity: &[u8]) -> Option<PskDevice> {
        let name = std::str::from_utf8(identity).ok()?;
        let ring = self.read();
        let (principal, key) = ring.keys.get_key_value(name)?;
        Some(PskDevice {
            principal: principal.clone(),
            key: key.clone(),
        })
    }

    /// While the clock is not set, no certificate is valid yet, and the log says so.
    fn certificate(&self, certificate: &[u8]) -> Result<Arc<str>, CertificateRefusal> {
        let now = Clock::system().now().unwrap_or_default();
        let now = Duration::from_secs(now);
        self.read().policy.check(certificate, now)
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
