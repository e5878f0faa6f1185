//! Certificates of devices: which are accepted, and whose they are.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use dimpl::crypto::{Buf, HashAlgorithm, rust_crypto};
use x509_cert::Certificate;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::oid::AssociatedOid;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAltName};

use super::signed::{self, NotSigned};

/// A SHA-256 digest of a certificate in DER.
pub type Fingerprint = [u8; 32];

/// The longest name of a device in a certificate: RFC 5280 Appendix A.1, ub-common-name.
const LONGEST_NAME: usize = 64;

/// Certificates in `ca_file`. Each is tried for each certificate of a device, so they are few: old, current and next.
const MOST_AUTHORITIES: usize = 8;

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
        "it is neither signed by a certificate of ca_file directly nor pinned; its fingerprint is {0}; enrol the \
         device with its certificate, or sign it with the authority"
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
        "its subject has no common name of 1 to 64 printable ASCII characters; make one with the device's name"
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
    /// The caller has no device for it.
    #[error("no device {0:?} is enrolled with a certificate; enrol it")]
    NotEnrolled(String),
}

/// A certificate of the gateway's settings that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthorityError {
    /// It cannot be read.
    #[error("no PEM file with X.509 certificates")]
    Malformed,
    /// It must not sign others.
    #[error(
        "the certificate of {0:?} is not that of an authority: it lacks basicConstraints CA or the key usage \
         keyCertSign; use the authority's"
    )]
    NotAnAuthority(String),
    /// More than eight.
    #[error(
        "more than {MOST_AUTHORITIES} authorities; leave out those whose devices have new certificates"
    )]
    TooMany,
}

/// Which certificates are accepted: those that an authority has signed directly, and those that are pinned.
#[derive(Clone, Default)]
pub struct CertificatePolicy {
    authorities: Vec<Vec<u8>>,
    pinned: HashMap<Fingerprint, Arc<str>>,
}

impl CertificatePolicy {
    /// A policy that accepts none.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Accepts the certificates that an authority of this PEM file has signed.
    ///
    /// # Errors
    /// [`AuthorityError`]: the file has none, one that is no authority, or too many.
    pub fn add_authorities(&mut self, pem: &[u8]) -> Result<(), AuthorityError> {
        let chain = Certificate::load_pem_chain(pem).map_err(|_| AuthorityError::Malformed)?;
        if chain.is_empty() {
            return Err(AuthorityError::Malformed);
        }
        for certificate in chain {
            let may_sign = extension::<KeyUsage>(&certificate)
                .is_ok_and(|usage| usage.is_none_or(|usage| usage.key_cert_sign()));
            let is_authority =
                extension::<BasicConstraints>(&certificate).is_ok_and(|constraints| {
                    may_sign && constraints.is_some_and(|constraints| constraints.ca)
                });
            if !is_authority {
                let subject = certificate.tbs_certificate().subject().to_string();
                return Err(AuthorityError::NotAnAuthority(subject));
            }
            if self.authorities.len() == MOST_AUTHORITIES {
                return Err(AuthorityError::TooMany);
            }
            let der = certificate
                .to_der()
                .map_err(|_| AuthorityError::Malformed)?;
            self.authorities.push(der);
        }
        Ok(())
    }

    /// Accepts the certificate with this fingerprint, as this principal's, whoever has signed it.
    pub fn pin(&mut self, fingerprint: Fingerprint, principal: Arc<str>) {
        self.pinned.insert(fingerprint, principal);
    }

    /// Whose certificate it is, in DER: of the device it is pinned for, else of the common name of its subject.
    /// `unix_time` is the time since 1970.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn check(
        &self,
        certificate: &[u8],
        unix_time: Duration,
    ) -> Result<Arc<str>, CertificateRefusal> {
        let parsed =
            Certificate::from_der(certificate).map_err(|_| CertificateRefusal::Malformed)?;
        check_validity(&parsed, unix_time)?;
        check_extensions(&parsed)?;
        let fingerprint = fingerprint(certificate);
        if let Some(principal) = self.pinned.get(&fingerprint) {
            return Ok(principal.clone());
        }
        self.check_signature(certificate, &parsed, unix_time, &fingerprint)?;
        common_name(&parsed).ok_or(CertificateRefusal::Name)
    }

    fn check_signature(
        &self,
        certificate: &[u8],
        parsed: &Certificate,
        unix_time: Duration,
        fingerprint: &Fingerprint,
    ) -> Result<(), CertificateRefusal> {
        let issuer = parsed.tbs_certificate().issuer();
        let mut refusal = CertificateRefusal::Foreign(hexadecimal(fingerprint));
        for authority in &self.authorities {
            let parsed_authority =
                Certificate::from_der(authority).map_err(|_| CertificateRefusal::Malformed)?;
            if parsed_authority.tbs_certificate().subject() != issuer {
                continue;
            }
            check_validity(&parsed_authority, unix_time)?;
            match signed::check(certificate, authority) {
                Ok(()) => return Ok(()),
                Err(NotSigned::Malformed) => return Err(CertificateRefusal::Malformed),
                Err(NotSigned::Algorithm) => return Err(CertificateRefusal::SignatureAlgorithm),
                // Another authority may have the same name.
                Err(NotSigned::Signature) => refusal = CertificateRefusal::Signature,
            }
        }
        Err(refusal)
    }
}

/// The SHA-256 digest of a certificate in DER.
#[must_use]
pub fn fingerprint(certificate: &[u8]) -> Fingerprint {
    let mut hash = rust_crypto::default_provider()
        .hash_provider
        .create_hash(HashAlgorithm::SHA256);
    hash.update(certificate);
    let mut digest = Buf::new();
    hash.clone_and_finalize(&mut digest);
    digest.first_chunk().copied().unwrap_or_default()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn check_validity(
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

fn check_extensions(certificate: &Certificate) -> Result<(), CertificateRefusal> {
    let extensions = certificate
        .tbs_certificate()
        .extensions()
        .into_iter()
        .flatten();
    let mut critical = extensions.filter(|extension| extension.critical);
    if let Some(unknown) = critical.find(|extension| !KNOWN_EXTENSIONS.contains(&extension.extn_id))
    {
        return Err(CertificateRefusal::Extension(unknown.extn_id.to_string()));
    }
    let may_sign =
        extension::<KeyUsage>(certificate)?.is_none_or(|usage| usage.digital_signature());
    let is_for_clients = extension::<ExtendedKeyUsage>(certificate)?.is_none_or(|usage| {
        usage.0.contains(&CLIENT_AUTHENTICATION) || usage.0.contains(&ANY_USAGE)
    });
    if may_sign && is_for_clients {
        Ok(())
    } else {
        Err(CertificateRefusal::Usage)
    }
}

fn extension<'a, T>(certificate: &'a Certificate) -> Result<Option<T>, CertificateRefusal>
where
    T: Decode<'a> + AssociatedOid,
{
    let found = certificate.tbs_certificate().get_extension::<T>();
    let found = found.map_err(|_| CertificateRefusal::Malformed)?;
    Ok(found.map(|(_, extension)| extension))
}

/// The one common name, if a principal can have it.
fn common_name(certificate: &Certificate) -> Option<Arc<str>> {
    let name = certificate
        .tbs_certificate()
        .subject()
        .common_name()
        .ok()??;
    let name = name.value();
    let is_name = (1..=LONGEST_NAME).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_graphic());
    is_name.then(|| name.into())
}
