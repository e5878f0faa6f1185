//! Certificates of devices: which are accepted, and whose they are.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use x509_cert::Certificate;
use x509_cert::der::Decode;

use super::authorities::{Authorities, AuthorityError};
use super::certificate_checks::{CertificateRefusal, check_extensions, check_validity};
use super::fingerprint::{Fingerprint, fingerprint};
use super::signed::{self, NotSigned};
use crate::hexadecimal;

/// The longest name of a device in a certificate: RFC 5280 Appendix A.1, ub-common-name.
const LONGEST_NAME: usize = 64;

/// Which certificates are accepted: those that an authority has signed directly, and those that are pinned.
#[derive(Clone, Default)]
pub struct CertificatePolicy {
    authorities: Authorities,
    pinned: HashMap<Fingerprint, Arc<str>>,
    reserved: HashSet<Arc<str>>,
}

impl CertificatePolicy {
    /// A policy that accepts none.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Accepts the certificates that an authority of this PEM file has signed, too.
    ///
    /// # Errors
    /// [`AuthorityError`]: the file has none, one that is no authority, or too many.
    pub fn add_authorities(&mut self, pem: &[u8]) -> Result<(), AuthorityError> {
        self.authorities.add(pem)
    }

    /// Accepts the certificates that one of these authorities has signed, and no others but the pinned ones.
    pub fn set_authorities(&mut self, authorities: Authorities) {
        self.authorities = authorities;
    }

    /// Accepts the certificate with this fingerprint, as this principal's, whoever has signed it.
    pub fn pin(&mut self, fingerprint: Fingerprint, principal: Arc<str>) {
        self.pinned.insert(fingerprint, principal);
    }

    /// The principal whose certificate has this fingerprint.
    #[must_use]
    pub fn pinned(&self, fingerprint: &Fingerprint) -> Option<&Arc<str>> {
        self.pinned.get(fingerprint)
    }

    /// Whether a certificate is pinned for this principal.
    #[must_use]
    pub fn is_pinned(&self, principal: &str) -> bool {
        self.pinned.values().any(|pinned| **pinned == *principal)
    }

    /// Keeps a name from certificates of authorities: it is that of a device that proves itself another way.
    pub fn reserve(&mut self, principal: Arc<str>) {
        self.reserved.insert(principal);
    }

    /// Forgets the pinned certificates of a principal, and lets authorities give its name.
    pub fn release(&mut self, principal: &str) {
        self.pinned.retain(|_, pinned| **pinned != *principal);
        self.reserved.remove(principal);
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
        let name = common_name(&parsed).ok_or(CertificateRefusal::Name)?;
        if self.reserved.contains(&name) {
            return Err(CertificateRefusal::Reserved(name.to_string()));
        }
        Ok(name)
    }

    fn check_signature(
        &self,
        certificate: &[u8],
        parsed: &Certificate,
        unix_time: Duration,
        fingerprint: &Fingerprint,
    ) -> Result<(), CertificateRefusal> {
        let issuer = parsed.tbs_certificate().issuer();
        let mut refusal = CertificateRefusal::Foreign(hexadecimal::digits(fingerprint));
        for authority in self.authorities.iter() {
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

/// The one common name, if a principal can have it.
fn common_name(certificate: &Certificate) -> Option<Arc<str>> {
    let name = certificate
        .tbs_certificate()
        .subject()
        .common_name()
        .ok()??;
    let name = name.value();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let begins_well = name
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_alphanumeric());
    let is_name = begins_well && name.len() <= LONGEST_NAME && name.bytes().all(is_plain);
    is_name.then(|| name.into())
}
