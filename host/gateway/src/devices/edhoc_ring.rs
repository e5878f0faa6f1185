//! The credentials of devices with key pairs, as handshakes look them up.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use secure::edhoc::{Ccs, Credentials};

/// The credentials by their `kid`, which differ.
#[derive(Default)]
pub(crate) struct EdhocRing {
    devices: RwLock<HashMap<Vec<u8>, Enrolled>>,
}

struct Enrolled {
    name: Arc<str>,
    ccs: Ccs,
}

impl EdhocRing {
    /// Adds the credential of a device.
    pub(super) fn put(&self, name: &Arc<str>, ccs: &Ccs) {
        let mut devices = self.devices.write().unwrap_or_else(PoisonError::into_inner);
        let enrolled = Enrolled {
            name: name.clone(),
            ccs: ccs.clone(),
        };
        devices.insert(ccs.kid().to_vec(), enrolled);
    }

    /// Removes that of a device.
    pub(super) fn remove(&self, name: &str) {
        let mut devices = self.devices.write().unwrap_or_else(PoisonError::into_inner);
        devices.retain(|_, enrolled| *enrolled.name != *name);
    }
}

impl Credentials for EdhocRing {
    fn by_kid(&self, kid: &[u8]) -> Option<(Arc<str>, Ccs)> {
        let devices = self.devices.read().unwrap_or_else(PoisonError::into_inner);
        let enrolled = devices.get(kid)?;
        Some((enrolled.name.clone(), enrolled.ccs.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_found_by_its_kid_until_its_device_is_removed() {
        let ring = EdhocRing::default();
        let key = "ac75e9ece3e50bfc8ed60399889522405c47bf16df96660a41298cb4307f7eb6";
        let (ccs, _) = Ccs::enrolled(key, &[7]).expect("a point on the curve");
        ring.put(&"kitchen".into(), &ccs);
        let (name, found) = ring.by_kid(&[7]).expect("it is enrolled");
        assert_eq!((&*name, found), ("kitchen", ccs));
        for other in [&[][..], &[8], &[0, 7], &[7, 7]] {
            assert!(ring.by_kid(other).is_none(), "{other:?}");
        }
        ring.remove("roof");
        assert!(ring.by_kid(&[7]).is_some());
        ring.remove("kitchen");
        assert!(ring.by_kid(&[7]).is_none());
    }
}
