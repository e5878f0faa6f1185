//! Devices that are recognised by their certificates.

use std::time::Duration;

use contract::clock::Clock;
use secure::dtls::{CertificateRefusal, DeviceCertificate, Fingerprint};
use serde::{Deserialize, Serialize};

/// What is kept of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pinned {
    /// SHA-256 of the certificate in DER.
    pub(super) fingerprint: Fingerprint,
    /// Seconds since 1970.
    pub(super) expires: u64,
}

impl Pinned {
    /// Of a file with a certificate, PEM or DER.
    ///
    /// # Errors
    /// A sentence with the remedy: a device could not use it. One that is not valid yet may become so.
    pub(super) fn of(file: &[u8], clock: Clock) -> Result<Self, String> {
        let certificate = DeviceCertificate::from_file(file)
            .map_err(|error| format!("the certificate cannot be used: {error}"))?;
        let now = clock.now().map(Duration::from_secs);
        match now.map(|now| certificate.check_time(now)) {
            Some(Err(error @ CertificateRefusal::Expired(_))) => {
                Err(format!("the certificate cannot be used: {error}"))
            }
            _ => Ok(Self {
                fingerprint: certificate.fingerprint(),
                expires: certificate.expires().as_secs(),
            }),
        }
    }
}
