//! An authority, and certificates that it signed, as files of a test.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType, date_time_ymd,
};

/// Who signs.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = params(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let pem = params.self_signed(&key).expect("a certificate").pem();
        Self {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    /// Writes its certificate into a file.
    pub fn write(&self, folder: &Path, file: &str) {
        fs::write(folder.join(file), &self.pem).expect("the folder is the test's");
    }

    /// Signs a certificate for a name, valid until the first day of a year, and writes it and its key to `FILE.pem` and
    /// `FILE.key`.
    pub fn sign(&self, folder: &Path, file: &str, name: &str, until: i32) {
        let key = KeyPair::generate().expect("a key");
        let mut params = params(name);
        params.not_after = date_time_ymd(until, 1, 1);
        let certificate = params.signed_by(&key, &self.issuer);
        write(
            folder,
            file,
            &certificate.expect("a certificate").pem(),
            &key,
        );
    }
}

/// The same, signed by itself.
pub fn sign_itself(folder: &Path, file: &str, name: &str) {
    let key = KeyPair::generate().expect("a key");
    let certificate = params(name).self_signed(&key).expect("a certificate");
    write(folder, file, &certificate.pem(), &key);
}

fn write(folder: &Path, file: &str, certificate: &str, key: &KeyPair) {
    let path = |end: &str| folder.join(format!("{file}.{end}"));
    fs::write(path("pem"), certificate).expect("the folder is the test's");
    // A reload must not find half of the pair: tests write the key last and reload then.
    fs::write(path("key"), key.serialize_pem()).expect("the folder is the test's");
    fs::set_permissions(path("key"), fs::Permissions::from_mode(0o600)).expect("it is there");
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2099, 1, 1);
    // Clients look for the address that they connect to.
    params.subject_alt_names = vec![SanType::IpAddress("127.0.0.1".parse().expect("one"))];
    params
}
