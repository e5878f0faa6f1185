//! The snapshot of the configuration that the data path uses.

use std::sync::Arc;

use super::settings::Settings;
use crate::request::{LocalNames, Snapshot};
use homeserver::{ClientError, Upstreams};

impl Settings {
    /// A snapshot with these settings and without rules.
    ///
    /// # Errors
    /// [`ClientError`]: the certificate authorities are unusable.
    pub fn snapshot(&self) -> Result<Snapshot, ClientError> {
        let upstreams = Upstreams::new(self.upstreams.clone())?;
        Ok(Snapshot {
            disabled: self.disabled.clone().into(),
            local_names: Arc::new(LocalNames::new(self.coap.names.clone())),
            limits: self.limits.serve.clone(),
            rights: Arc::new(self.rights.clone()),
            certificates: self.certificates.clone(),
            outbox: Arc::new(self.outbox.clone()),
            ..Snapshot::new(upstreams, self.limits.exchange)
        })
    }
}
