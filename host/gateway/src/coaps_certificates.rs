//! The certificates of `coaps`: the gateway's own one, and the authorities of those of devices.

use std::time::Duration;

use contract::clock::Clock;
use secure::dtls::{Authorities, ServerCertificate};

/// `certificate`, `key` and `ca_file` of `[coaps]`.
#[derive(Clone)]
pub struct CoapsCertificates {
    /// The gateway's own.
    pub own: ServerCertificate,
    /// Those who sign the certificates of devices; none if all devices are enrolled by their fingerprints.
    pub authorities: Authorities,
}

impl CoapsCertificates {
    /// Whether devices can use them now. While the clock is not set, nobody knows.
    ///
    /// # Errors
    /// A sentence with the remedy: one of them has expired, or is not valid yet.
    pub fn check_time(&self, clock: Clock) -> Result<(), String> {
        let Some(now) = clock.now().map(Duration::from_secs) else {
            return Ok(());
        };
        self.own.check_time(now).map_err(|error| {
            format!("[coaps] certificate: {error}; configure a valid one, and reload")
        })?;
        let authorities = self.authorities.check_time(now);
        authorities.map_err(|error| format!("[coaps] ca_file: {error}"))
    }
}
