//! The configuration as what requests are answered with.

use std::sync::Arc;

use super::Settings;
use crate::request::{OwnNames, Service};
use homeserver::{ClientError, Upstreams};

impl Settings {
    /// A service as these settings have it; its rules are still to be made ready.
    ///
    /// # Errors
    /// [`ClientError`]: the certificate authorities cannot be used.
    pub fn service(&self) -> Result<Service, ClientError> {
        let upstreams = Upstreams::new(self.upstreams.clone())?;
        Ok(Service {
            disabled: self.disabled.clone().into(),
            own_names: Arc::new(OwnNames::new(self.coap.names.clone())),
            limits: self.limits.serve.clone(),
            ..Service::new(upstreams, self.limits.exchange)
        })
    }
}
