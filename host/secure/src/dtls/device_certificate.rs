//! The certificate of a device that is to be enrolled by its fingerprint.

use std::time::Duration;

use x509_cert::Certificate;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Decode, Encode};
use x509_cert::spki::SubjectPublicKeyInfoOwned;

use super::certificate_checks::{CertificateRefusal, check_extensions, check_validity};
use super::fingerprint::{Fingerprint, fingerprint};

/// RFC 5480 §2.1.1: a key of an elliptic curve, P-256 and P-384.
const ELLIPTIC_CURVE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const CURVES: [ObjectIdentifier; 2] = [
    ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7"),
    ObjectIdentifier::new_unwrap("1.3.132.0.34"),
];

/// A certificate that a device can be recognised by.
#[derive(Clone, Debug)]
pub struct DeviceCertificate {
    certificate: Certificate,
    der: Vec<u8>,
    fingerprint: Fingerprint,
}

/// Why no device can be recognised by a certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceCertificateError {
    /// Not a certificate.
    #[error(
        "it has no X.509 certificate in PEM or DER; name the file with the device's certificate"
    )]
    Malformed,
    /// Not a key that the gateway can check.
    #[error(
        "its key is not one of P-256 or P-384; make one with `openssl genpkey -algorithm EC -pkeyopt \
         ec_paramgen_curve:P-256`, and a certificate for it"
    )]
    Key,
    /// It would be refused in each handshake.
    #[error(transparent)]
    Refused(#[from] CertificateRefusal),
}

impl DeviceCertificate {
    /// The first certificate of a PEM file, or the one of a DER file.
    ///
    /// # Errors
    /// [`DeviceCertificateError`]: there is none that a device can use, whatever the time is.
    pub fn from_file(content: &[u8]) -> Result<Self, DeviceCertificateError> {
        let chain = match Certificate::from_der(content) {
            Ok(certificate) => vec![certificate],
            Err(_) => Certificate::load_pem_chain(content)
                .map_err(|_| DeviceCertificateError::Malformed)?,
        };
        let first = chain.into_iter().next();
        let certificate = first.ok_or(DeviceCertificateError::Malformed)?;
        if !has_usable_key(certificate.tbs_certificate().subject_public_key_info()) {
            return Err(DeviceCertificateError::Key);
        }
        check_extensions(&certificate)?;
        let der = certificate
            .to_der()
            .map_err(|_| DeviceCertificateError::Malformed)?;
        Ok(Self {
            certificate,
            fingerprint: fingerprint(&der),
            der,
        })
    }

    /// The certificate in DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// What it is recognised by.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// The end of its validity since 1970.
    #[must_use]
    pub fn expires(&self) -> Duration {
        let validity = self.certificate.tbs_certificate().validity();
        validity.not_after.to_unix_duration()
    }

    /// Whether it is valid at this time since 1970.
    ///
    /// # Errors
    /// [`CertificateRefusal::Expired`] or [`CertificateRefusal::NotYetValid`].
    pub fn check_time(&self, unix_time: Duration) -> Result<(), CertificateRefusal> {
        check_validity(&self.certificate, unix_time)
    }
}

fn has_usable_key(key: &SubjectPublicKeyInfoOwned) -> bool {
    let curve = key.algorithm.parameters.as_ref();
    let curve = curve.and_then(|curve| curve.decode_as::<ObjectIdentifier>().ok());
    key.algorithm.oid == ELLIPTIC_CURVE && curve.is_some_and(|curve| CURVES.contains(&curve))
}
