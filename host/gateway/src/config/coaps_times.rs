//! Whether the certificates of `coaps` are valid now.

use contract::clock::Clock;

use super::error::ConfigError;
use super::settings::Settings;
use crate::coaps_certificates::CoapsCertificates;

impl Settings {
    /// Whether the certificates of `coaps` are valid now. A reload has an operator who can act on it; a gateway that
    /// starts after a power cut must serve its other devices all the same.
    ///
    /// # Errors
    /// [`ConfigError`] with the remedy.
    pub fn check_certificates(&self) -> Result<(), ConfigError> {
        let check = |certificates: &CoapsCertificates| certificates.check_time(Clock::system());
        let checked = self.certificates.as_deref().map_or(Ok(()), check);
        checked.map_err(ConfigError)
    }
}
