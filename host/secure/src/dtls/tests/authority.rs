//! Certificates of tests.

use std::time::Duration;

use dimpl::DtlsCertificate;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ED25519, SignatureAlgorithm, date_time_ymd,
};

use crate::dtls::{CertificatePolicy, ServerCertificate};

/// Within the validity of certificates of [`Authority::params`]: 2026-09-21.
pub const NOW: Duration = Duration::from_secs(1_790_000_000);

pub struct Authority {
    pub pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        Self::with_algorithm(name, &rcgen::PKCS_ECDSA_P256_SHA256)
    }

    pub fn ed25519(name: &str) -> Self {
        Self::with_algorithm(name, &PKCS_ED25519)
    }

    fn with_algorithm(name: &str, algorithm: &'static SignatureAlgorithm) -> Self {
        let key = KeyPair::generate_for(algorithm).expect("a key");
        let mut params = Self::params(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.extended_key_usages.clear();
        let pem = params.self_signed(&key).expect("a certificate").pem();
        Self {
            pem,
            issuer: Issuer::new(params, key),
        }
    }

    pub fn params(name: &str) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_before = date_time_ymd(2026, 1, 1);
        params.not_after = date_time_ymd(2027, 1, 1);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params
    }

    /// A certificate and its key.
    pub fn sign(&self, params: CertificateParams) -> DtlsCertificate {
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        DtlsCertificate {
            certificate: certificate.der().to_vec(),
            private_key: key.serialize_der(),
        }
    }

    pub fn device(&self, name: &str) -> DtlsCertificate {
        self.sign(Self::params(name))
    }

    pub fn policy(&self) -> CertificatePolicy {
        let mut policy = CertificatePolicy::new();
        policy
            .add_authorities(self.pem.as_bytes())
            .expect("an authority");
        policy
    }
}

/// A certificate of the gateway, signed by itself.
pub fn gateway() -> ServerCertificate {
    let (certificate, key) = gateway_pem();
    ServerCertificate::from_pem(&certificate, &key).expect("a certificate")
}

pub fn gateway_pem() -> (String, String) {
    let key = KeyPair::generate().expect("a key");
    let certificate = Authority::params("gateway")
        .self_signed(&key)
        .expect("a certificate");
    (certificate.pem(), key.serialize_pem())
}
