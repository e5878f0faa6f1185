//! What a certificate must fulfil, whoever has signed it: validity and extensions (RFC 5280 §4.2).

use std::time::Duration;

use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::oid::AssociatedOid;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAltName};

/// Extended key usage: TLS client authentication, and any (RFC 5280 §4.2.1.12).
const CLIENT_AUTHENTICATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.2");
const ANY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37.0");

/// Critical extensions that are evaluated. RFC 5280 §4.2: a certificate with another one must be refused. The
/// alternative names are not used, since a device is named by its common name.
const KNOWN_EXTENSIONS: [ObjectIdentifier; 4] = [
    BasicConstraints::OID,
    KeyUsage::OID,
    ExtendedKeyUsage::OID,
    SubjectAltName::OID,
];

/// Why the certificate of a device is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateRefusal {
    /// It cannot be read.
    #[error("it is no X.509 certificate that can be read")]
    Malformed,
    /// Its validity is over.
    #[error("it expired {0}; give the device a new one")]
    Expired(String),
    /// Its validity has not begun, or the gateway's clock is wrong.
    #[error("it is valid only from {0}; check the gateway's clock, and that of the authority")]
    NotYetValid(String),
    /// Neither pinned nor signed by an authority directly.
    #[error(
        "it is neither signed by a certificate of ca_file directly nor enrolled; its fingerprint is {0}; enrol it \
         with `devices add NAME --certificate FILE`, or sign it with the authority"
    )]
    Foreign(String),
    /// It names an authority, whose signature it does not have.
    #[error("its signature is not that of the authority that it names")]
    Signature,
    /// Signed in a way that is not supported.
    #[error(
        "it is signed with an algorithm other than ECDSA with SHA-256 or SHA-384; sign it with one of them"
    )]
    SignatureAlgorithm,
    /// It has no name that a principal can have.
    #[error(
        "its subject has no common name of 1 to 64 of the characters a-z, A-Z, 0-9, '-', '_' and '.' that begins with \
         a letter or digit; make one with the device's name"
    )]
    Name,
    /// It is not for clients.
    #[error(
        "its key usage forbids to sign, or its extended key usage lacks clientAuth; make one for TLS clients"
    )]
    Usage,
    /// It has a critical extension that is not known.
    #[error(
        "it has the critical extension {0}, which the gateway does not know; make one without it"
    )]
    Extension(String),
    /// An authority has signed it, and its name is that of a device that proves itself another way.
    #[error(
        "its name {0:?} is that of a device that is enrolled another way; remove that device, or make a certificate \
         with another name"
    )]
    Reserved(String),
}

/// Whether the time since 1970 is within its validity.
pub(super) fn check_validity(
    certificate: &Certificate,
    unix_time: Duration,
) -> Result<(), CertificateRefusal> {
    let validity = certificate.tbs_certificate().validity();
    if unix_time < validity.not_before.to_unix_duration() {
        Err(CertificateRefusal::NotYetValid(
            validity.not_before.to_date_time().to_string(),
        ))
    } else if unix_time > validity.not_after.to_unix_duration() {
        Err(CertificateRefusal::Expired(
            validity.not_after.to_date_time().to_string(),
        ))
    } else {
        Ok(())
    }
}

/// Whether it may be used in the handshake of a client, and has no critical extension that nobody knows.
pub(super) fn check_extensions(certificate: &Certificate) -> Result<(), CertificateRefusal> {
    check_critical(certificate)?;
    match may_be_used_for(certificate, CLIENT_AUTHENTICATION)? {
        true => Ok(()),
        false => Err(CertificateRefusal::Usage),
    }
}

/// Whether it has no critical extension that nobody knows.
pub(super) fn check_critical(certificate: &Certificate) -> Result<(), CertificateRefusal> {
    let extensions = certificate
        .tbs_certificate()
        .extensions()
        .into_iter()
        .flatten();
    let mut critical = extensions.filter(|extension| extension.critical);
    match critical.find(|extension| !KNOWN_EXTENSIONS.contains(&extension.extn_id)) {
        Some(unknown) => Err(CertificateRefusal::Extension(unknown.extn_id.to_string())),
        None => Ok(()),
    }
}

/// Whether it may sign handshakes, as this side of them.
pub(super) fn may_be_used_for(
    certificate: &Certificate,
    purpose: ObjectIdentifier,
) -> Result<bool, CertificateRefusal> {
    let may_sign =
        extension::<KeyUsage>(certificate)?.is_none_or(|usage| usage.digital_signature());
    let is_for_it = extension::<ExtendedKeyUsage>(certificate)?
        .is_none_or(|usage| usage.0.contains(&purpose) || usage.0.contains(&ANY_USAGE));
    Ok(may_sign && is_for_it)
}

/// The extension of this type, if it has one.
pub(super) fn extension<'a, T>(
    certificate: &'a Certificate,
) -> Result<Option<T>, CertificateRefusal>
where
    T: Decode<'a> + AssociatedOid,
{
    let found = certificate.tbs_certificate().get_extension::<T>();
    let found = found.map_err(|_| CertificateRefusal::Malformed)?;
    Ok(found.map(|(_, extension)| extension))
}
