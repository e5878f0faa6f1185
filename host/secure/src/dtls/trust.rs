//! Which certificates of gateways a device accepts.

use std::net::IpAddr;
use std::time::Duration;

use x509_cert::Certificate;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, SubjectAltName};

use super::certificate_checks::{
    CertificateRefusal, check_critical, check_validity, extension, may_be_used_for,
};
use super::signed;

/// Extended key usage: TLS server authentication (RFC 5280 §4.2.1.12).
const SERVER_AUTHENTICATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");

/// Certificates in the file: each is tried.
const MOST: usize = 8;

/// The certificates that a device trusts, and the host that it connects to.
///
/// A gateway's certificate is accepted if it is one of them, or if one of them signed it directly, is that of an
/// authority, and the certificate names the host.
#[derive(Clone, Debug)]
pub struct Trust {
    /// In DER.
    certificates: Vec<Vec<u8>>,
    host: String,
}

/// A file of trusted certificates that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// It cannot be read.
    #[error("no PEM file with X.509 certificates")]
    Malformed,
    /// More than eight.
    #[error("more than {MOST} certificates; leave out those that no gateway has any more")]
    TooMany,
}

/// Why a gateway's certificate is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Untrusted {
    /// It cannot be read.
    #[error("it is no X.509 certificate that can be read")]
    Malformed,
    /// Its validity is over.
    #[error("it expired {0}; give the gateway a new one")]
    Expired(String),
    /// Its validity has not begun, or the clock of the device is wrong.
    #[error("it is valid only from {0}; check the clock of this machine")]
    NotYetValid(String),
    /// Neither trusted nor signed by a trusted authority directly.
    #[error("it is neither in the file of --ca nor signed directly by an authority in it")]
    Foreign,
    /// It is not for servers.
    #[error("it is not for TLS servers, like that of another device; make one with serverAuth")]
    Usage,
    /// It is that of another host.
    #[error(
        "it does not name {0}, neither as an alternative name nor, if it has none, as its common name; write the name \
         that it has into --gateway, or put the gateway's own certificate into the file of --ca"
    )]
    Host(String),
    /// It has a critical extension that is not known.
    #[error("it has the critical extension {0}, which is not known here; make one without it")]
    Extension(String),
}

impl From<CertificateRefusal> for Untrusted {
    fn from(refusal: CertificateRefusal) -> Self {
        match refusal {
            CertificateRefusal::Expired(at) => Self::Expired(at),
            CertificateRefusal::NotYetValid(at) => Self::NotYetValid(at),
            CertificateRefusal::Extension(name) => Self::Extension(name),
            CertificateRefusal::Usage => Self::Usage,
            _ => Self::Malformed,
        }
    }
}

impl Trust {
    /// The certificates of a PEM file, for gateways at this host: a name, or an address without brackets and zone.
    ///
    /// # Errors
    /// See [`TrustError`].
    pub fn from_pem(pem: &[u8], host: &str) -> Result<Self, TrustError> {
        let chain = Certificate::load_pem_chain(pem).map_err(|_| TrustError::Malformed)?;
        if chain.len() > MOST {
            return Err(TrustError::TooMany);
        }
        let der = chain
            .iter()
            .map(Encode::to_der)
            .collect::<Result<Vec<_>, _>>();
        let certificates = der.map_err(|_| TrustError::Malformed)?;
        match certificates.is_empty() {
            true => Err(TrustError::Malformed),
            false => Ok(Self {
                certificates,
                host: host.to_owned(),
            }),
        }
    }

    /// Whether a gateway's certificate, in DER, is accepted at this time since 1970.
    ///
    /// # Errors
    /// See [`Untrusted`].
    pub fn check(&self, certificate: &[u8], unix_time: Duration) -> Result<(), Untrusted> {
        let parsed = Certificate::from_der(certificate).map_err(|_| Untrusted::Malformed)?;
        check_validity(&parsed, unix_time)?;
        check_critical(&parsed)?;
        if !may_be_used_for(&parsed, SERVER_AUTHENTICATION)? {
            return Err(Untrusted::Usage);
        }
        if self
            .certificates
            .iter()
            .any(|trusted| trusted == certificate)
        {
            return Ok(());
        }
        let mut signers = self.certificates.iter();
        if !signers.any(|signer| has_signed(signer, (certificate, &parsed), unix_time)) {
            return Err(Untrusted::Foreign);
        }
        match names(&parsed, &self.host)? {
            true => Ok(()),
            false => Err(Untrusted::Host(self.host.clone())),
        }
    }
}

/// Whether this authority has signed the certificate, and is valid.
fn has_signed(
    authority: &[u8],
    (certificate, parsed): (&[u8], &Certificate),
    unix_time: Duration,
) -> bool {
    let Ok(signer) = Certificate::from_der(authority) else {
        return false;
    };
    let is_authority = extension::<BasicConstraints>(&signer)
        .is_ok_and(|constraints| constraints.is_some_and(|constraints| constraints.ca));
    is_authority
        && signer.tbs_certificate().subject() == parsed.tbs_certificate().issuer()
        && check_validity(&signer, unix_time).is_ok()
        && signed::check(certificate, authority).is_ok()
}

/// Whether the certificate is for this host (RFC 7925 §4.4.1): by an alternative name, or without any by its common
/// name.
fn names(certificate: &Certificate, host: &str) -> Result<bool, Untrusted> {
    let is_host = |name: &str| name.eq_ignore_ascii_case(host);
    let address: Option<IpAddr> = host.parse().ok();
    if let Some(SubjectAltName(names)) = extension::<SubjectAltName>(certificate)? {
        return Ok(names.iter().any(|name| match (name, address) {
            (GeneralName::DnsName(name), None) => is_host(name.as_str()),
            (GeneralName::IpAddress(bytes), Some(IpAddr::V4(address))) => {
                bytes.as_bytes() == address.octets()
            }
            (GeneralName::IpAddress(bytes), Some(IpAddr::V6(address))) => {
                bytes.as_bytes() == address.octets()
            }
            _ => false,
        }));
    }
    let name = certificate.tbs_certificate().subject().common_name();
    let name = name.map_err(|_| Untrusted::Malformed)?;
    Ok(name.is_some_and(|name| is_host(&name.value())))
}
