//! The key of transaction ids, which restarts of the gateway share.

use store::{private_socket, until_reboot};

/// Bytes of a key: as many as the hash has.
const BYTES: usize = 32;
/// Its file.
const FILE: &str = "transactions.key";

/// The secret key of transaction ids.
pub struct TxnKey([u8; BYTES]);

impl TxnKey {
    /// A new key.
    ///
    /// # Panics
    /// If the system has no random numbers. Its generator does not fail once the system has started. There is no
    /// fallback: with equal ids, a homeserver would take two messages for one.
    #[must_use]
    pub fn random() -> Self {
        let mut key = [0; BYTES];
        getrandom::fill(&mut key)
            .unwrap_or_else(|error| panic!("no random numbers from the system: {error}"));
        Self(key)
    }

    /// The key beside the gateway's sockets, which lasts until the machine reboots: a restarted gateway makes the same
    /// ids. Without a folder in memory for it, a new one.
    #[must_use]
    pub fn until_reboot() -> Self {
        let Self(fresh) = Self::random();
        let Some(path) = private_socket::default_path(FILE) else {
            return Self(fresh);
        };
        let key = until_reboot::keep(&path, fresh).inspect_err(|error| {
            tracing::info!(
                "a message that a device repeats across a restart of this gateway can come twice, because a key cannot \
                 be kept until then: {error}; set RUNTIME_DIRECTORY to a folder in memory"
            );
        });
        Self(key.unwrap_or(fresh))
    }

    /// The key with these bytes.
    #[cfg(test)]
    pub(super) fn of(bytes: [u8; BYTES]) -> Self {
        Self(bytes)
    }

    pub(super) fn bytes(&self) -> &[u8; BYTES] {
        &self.0
    }
}
