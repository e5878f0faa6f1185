//! The authorities whose signatures are accepted.

use std::time::Duration;

use x509_cert::Certificate;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage};

use super::certificate_checks::extension;
use super::fingerprint::{Fingerprint, fingerprint};

/// Certificates in `ca_file`. Each is tried for each certificate of a device, so they are few: old, current and next.
const MOST: usize = 8;

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
    #[error("more than {MOST} authorities; leave out those whose devices have new certificates")]
    TooMany,
    /// The validity of all of them is over.
    #[error("the certificate of the authority expired {0}; configure the one that replaces it")]
    Expired(String),
}

/// At most eight certificates of authorities, in DER.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Authorities(Vec<Vec<u8>>);

impl Authorities {
    /// Those of a PEM file.
    ///
    /// # Errors
    /// [`AuthorityError`]: the file has none, one that is no authority, or too many.
    pub fn from_pem(pem: &[u8]) -> Result<Self, AuthorityError> {
        let mut authorities = Self::default();
        authorities.add(pem)?;
        Ok(authorities)
    }

    pub(super) fn add(&mut self, pem: &[u8]) -> Result<(), AuthorityError> {
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
            if self.0.len() == MOST {
                return Err(AuthorityError::TooMany);
            }
            let der = certificate
                .to_der()
                .map_err(|_| AuthorityError::Malformed)?;
            self.0.push(der);
        }
        Ok(())
    }

    /// Whether one of them is valid at this time since 1970, or will be. An old one beside it does no harm.
    ///
    /// # Errors
    /// [`AuthorityError::Expired`].
    pub fn check_time(&self, unix_time: Duration) -> Result<(), AuthorityError> {
        let ends = self.iter().filter_map(|authority| {
            let authority = Certificate::from_der(authority).ok()?;
            Some(authority.tbs_certificate().validity().not_after)
        });
        match ends.max_by_key(|end| end.to_unix_duration()) {
            Some(last) if last.to_unix_duration() < unix_time => {
                Err(AuthorityError::Expired(last.to_date_time().to_string()))
            }
            _ => Ok(()),
        }
    }

    /// Whether all of these are among the others: then no certificate loses its authority.
    #[must_use]
    pub fn are_within(&self, others: &Self) -> bool {
        self.0.iter().all(|authority| others.0.contains(authority))
    }

    /// SHA-256 of each.
    #[must_use]
    pub fn fingerprints(&self) -> Vec<Fingerprint> {
        self.iter().map(fingerprint).collect()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(Vec::as_slice)
    }
}
