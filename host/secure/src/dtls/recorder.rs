//! Looks keys up for the library, and notes for whom: the library does not say which identity a handshake had.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};

use dimpl::PskResolver;

use super::credentials::Credentials;
use super::refusal::Identity;

/// Whose key a handshake uses. Not authenticated before the handshake is complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// Of this device.
    Device(Arc<str>),
    /// Of no device that is enrolled.
    Unknown(Identity),
}

/// See the file.
pub(super) struct Recorder {
    /// It is asked once a handshake; a panic in it leaves the handshake, and nothing of the library, half done.
    credentials: AssertUnwindSafe<Arc<dyn Credentials>>,
    /// By the call of the library that is running. One place: a server runs one call at a time.
    claim: Mutex<Option<Claim>>,
}

impl Recorder {
    pub(super) fn new(credentials: Arc<dyn Credentials>) -> Self {
        Self {
            credentials: AssertUnwindSafe(credentials),
            claim: Mutex::new(None),
        }
    }

    /// The claim of the last call of the library, if it had one.
    pub(super) fn take(&self) -> Option<Claim> {
        self.claim
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

impl PskResolver for Recorder {
    fn resolve(&self, identity: &[u8]) -> Option<Vec<u8>> {
        let device = self.credentials.psk(identity);
        let claim = match &device {
            Some(device) => Claim::Device(device.principal.clone()),
            None => Claim::Unknown(Identity::new(identity)),
        };
        *self.claim.lock().unwrap_or_else(PoisonError::into_inner) = Some(claim);
        device.map(|device| device.key.expose().to_vec())
    }
}
