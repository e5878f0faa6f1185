//! The gateway's own certificate.

use std::fmt;
use std::time::Duration;

use dimpl::DtlsCertificate;
use dimpl::crypto::{Buf, HashAlgorithm, SignatureAlgorithm, rust_crypto};
use x509_cert::Certificate;
use x509_cert::der::{Decode, DecodePem, Document, Encode};

use super::certificate_checks::{CertificateRefusal, check_validity};

/// The gateway's certificate and its private key, which cannot be printed.
#[derive(Clone)]
pub struct ServerCertificate(DtlsCertificate);

/// Why a certificate cannot be the gateway's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServerCertificateError {
    /// Not a PEM file with a certificate.
    #[error(
        "the certificate file has no X.509 certificate in PEM; name the file with the gateway's certificate"
    )]
    Certificate,
    /// Not a PEM file with a key of P-256 or P-384.
    #[error(
        "the key file has no unencrypted private key of P-256 or P-384 in PEM; make one with \
         `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`"
    )]
    Key,
    /// The key is that of another certificate.
    #[error(
        "the key does not belong to the certificate; configure the two that were made together"
    )]
    Mismatch,
    /// Its validity is over or has not begun.
    #[error("the gateway's certificate cannot be used now: {0}")]
    Time(CertificateRefusal),
}

impl ServerCertificate {
    /// Reads the certificate and the private key (PKCS #8 or SEC 1) from the text of PEM files. Only the first
    /// certificate is sent: devices must trust it, or the authority that signed it.
    ///
    /// # Errors
    /// [`ServerCertificateError`]: the two cannot be used.
    pub fn from_pem(certificate: &str, key: &str) -> Result<Self, ServerCertificateError> {
        let certificate =
            first_block(certificate, "CERTIFICATE").ok_or(ServerCertificateError::Certificate)?;
        let certificate =
            Certificate::from_pem(certificate).map_err(|_| ServerCertificateError::Certificate)?;
        let certificate = certificate
            .to_der()
            .map_err(|_| ServerCertificateError::Certificate)?;
        // OpenSSL writes the parameters of the curve before a SEC 1 key.
        let key = ["PRIVATE KEY", "EC PRIVATE KEY"]
            .into_iter()
            .find_map(|label| first_block(key, label))
            .ok_or(ServerCertificateError::Key)?;
        // The library decodes it for each handshake: DER takes less than PEM.
        let (_, key) = Document::from_pem(key).map_err(|_| ServerCertificateError::Key)?;
        let private_key = key.as_bytes().to_vec();
        check_pair(&certificate, &private_key)?;
        Ok(Self(DtlsCertificate {
            certificate,
            private_key,
        }))
    }

    /// Whether it is valid at this time since 1970.
    ///
    /// # Errors
    /// [`ServerCertificateError::Time`]: devices with a clock refuse it.
    pub fn check_time(&self, unix_time: Duration) -> Result<(), ServerCertificateError> {
        let certificate = Certificate::from_der(&self.0.certificate)
            .map_err(|_| ServerCertificateError::Certificate)?;
        check_validity(&certificate, unix_time).map_err(ServerCertificateError::Time)
    }

    pub(super) fn into_library(self) -> DtlsCertificate {
        self.0
    }
}

impl fmt::Debug for ServerCertificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ServerCertificate")
    }
}

/// Signs something and verifies it. The library would panic at its first handshake with a key that it cannot read.
fn check_pair(certificate: &[u8], key: &[u8]) -> Result<(), ServerCertificateError> {
    const SIGNED: &[u8] = b"one key";
    let provider = rust_crypto::default_provider();
    let loaded = provider.key_provider.load_private_key(key);
    let mut key = loaded.map_err(|_| ServerCertificateError::Key)?;
    let hash: HashAlgorithm = key.hash_algorithm();
    let mut signature = Buf::new();
    key.sign(SIGNED, hash, &mut signature)
        .map_err(|_| ServerCertificateError::Key)?;
    provider
        .signature_verification
        .verify_signature(
            certificate,
            SIGNED,
            &signature,
            hash,
            SignatureAlgorithm::ECDSA,
        )
        .map_err(|_| ServerCertificateError::Mismatch)
}

/// The first PEM block with this label.
fn first_block<'a>(text: &'a str, label: &str) -> Option<&'a str> {
    let end = format!("-----END {label}-----");
    let start = text.find(&format!("-----BEGIN {label}-----"))?;
    let length = text[start..].find(&end)? + end.len();
    Some(&text[start..start + length])
}
