//! An authority, and the certificates that it signed for a gateway and a device, in files for clients.

use std::path::Path;

use comatrix_secure::dtls::{CertificatePolicy, ServerCertificate};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};

/// Names of files, and what the server needs.
pub struct Files {
    pub authority: String,
    pub certificate: String,
    pub key: String,
    gateway: (String, String),
}

impl Files {
    /// Makes them in a folder of this name.
    pub fn make(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        let write = |name: &str, text: &str| {
            let file = folder.join(name);
            std::fs::write(&file, text).expect("a file");
            file.to_str().expect("a name").to_owned()
        };
        let authority_key = KeyPair::generate().expect("a key");
        let mut params = params(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let authority = params
            .self_signed(&authority_key)
            .expect("a certificate")
            .pem();
        let issuer = Issuer::new(params, authority_key);
        let sign = |name: &str| {
            let key = KeyPair::generate().expect("a key");
            let mut params = self::params(name);
            let address = "127.0.0.1".parse().expect("an address");
            params.subject_alt_names = vec![SanType::IpAddress(address)];
            let certificate = params.signed_by(&key, &issuer).expect("a certificate");
            (certificate.pem(), key.serialize_pem())
        };
        let (certificate, key) = sign("meadow");
        Self {
            authority: write("ca.pem", &authority),
            certificate: write("device.pem", &certificate),
            key: write("device.key", &key),
            gateway: sign("127.0.0.1"),
        }
    }

    pub fn gateway(&self) -> ServerCertificate {
        let (certificate, key) = &self.gateway;
        ServerCertificate::from_pem(certificate, key).expect("a certificate")
    }

    pub fn policy(&self) -> CertificatePolicy {
        let mut policy = CertificatePolicy::new();
        let authority = std::fs::read(&self.authority).expect("a file");
        policy.add_authorities(&authority).expect("an authority");
        policy
    }
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}
