//! The gateway's own certificate.

use dimpl::DtlsCertificate;

/// The gateway's certificate and its private key.
pub struct ServerCertificate(DtlsCertificate);

impl ServerCertificate {
    pub(super) fn into_library(self) -> DtlsCertificate {
        self.0
    }
}
