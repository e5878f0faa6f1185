//! The settings as a snapshot, which exchanges use.

use std::sync::Arc;

use super::Settings;
use crate::request::{LocalNames, Snapshot};
use homeserver::{ClientError, Upstreams};

impl Settings {
    /// A snapshot with these settings. It has no rules yet: they must be activated first.
    ///
    /// # Errors
    /// [`ClientError`]: the certificate authorities cannot be used.
    pub fn snapshot(&self) -> Result<Snapshot, ClientError> {
        let upstreams = Upstreams::new(self.upstreams.clone())?;
        Ok(Snapshot {
            disabled: self.disabled.clone().into(),
            local_names: Arc::new(LocalNames::new(self.coap.names.clone())),
            limits: self.limits.serve.clone(),
            ..Snapshot::new(upstreams, self.limits.exchange)
        })
    }
}
