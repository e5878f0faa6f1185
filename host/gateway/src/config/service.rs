//! The configuration as what requests are answered with.

use std::sync::Arc;

use super::Settings;
use crate::request::{LocalNames, Snapshot};
use homeserver::{ClientError, Upstreams};

impl Settings {
    /// A service as these settings have it; its rules are still to be made ready.
    ///
    /// # Errors
    /// [`ClientError`]: the certificate authorities cannot be used.
    pub fn service(&self) -> Result<Snapshot, ClientError> {
        let upstreams = Upstreams::new(self.upstreams.clone())?;
        Ok(Snapshot {
            disabled: self.disabled.clone().into(),
            local_names: Arc::new(LocalNames::new(self.coap.names.clone())),
            limits: self.limits.serve.clone(),
            ..Snapshot::new(upstreams, self.limits.exchange)
        })
    }
}
