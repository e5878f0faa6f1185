//! Which certificates are accepted, without handshakes.

use std::time::Duration;

use rcgen::{CustomExtension, DnType, ExtendedKeyUsagePurpose, KeyUsagePurpose};

use super::authority::{Authority, NOW, gateway_pem};
use crate::dtls::{
    Authorities, AuthorityError, CertificatePolicy, CertificateRefusal, DeviceCertificate,
    DeviceCertificateError, ServerCertificate, ServerCertificateError, fingerprint,
};

const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

#[test]
fn a_certificate_signed_by_the_authority_is_that_of_its_common_name() {
    let authority = Authority::new("farm");
    let device = authority.device("kitchen");
    let checked = authority.policy().check(&device.certificate, NOW);
    assert_eq!(checked.as_deref(), Ok("kitchen"));
}

#[test]
fn a_certificate_is_refused_before_and_after_its_validity() {
    let authority = Authority::new("farm");
    let device = authority.device("kitchen").certificate;
    let policy = authority.policy();
    let expired = policy.check(&device, NOW + YEAR);
    assert_eq!(
        expired,
        Err(CertificateRefusal::Expired(
            "2027-01-01T00:00:00Z".to_owned()
        ))
    );
    let early = policy.check(&device, NOW - YEAR);
    assert_eq!(
        early,
        Err(CertificateRefusal::NotYetValid(
            "2026-01-01T00:00:00Z".to_owned()
        ))
    );
}

#[test]
fn a_certificate_of_another_authority_is_foreign_whatever_name_that_takes() {
    let authority = Authority::new("farm");
    let policy = authority.policy();
    let foreign = Authority::new("other farm").device("kitchen").certificate;
    assert!(matches!(
        policy.check(&foreign, NOW),
        Err(CertificateRefusal::Foreign(_))
    ));
    let forged = Authority::new("farm").device("kitchen").certificate;
    assert_eq!(
        policy.check(&forged, NOW),
        Err(CertificateRefusal::Signature)
    );
    // Two authorities of one name, as after a change of the key: both are tried.
    let mut both = Authority::new("farm").policy();
    both.add_authorities(authority.pem.as_bytes())
        .expect("an authority");
    let device = authority.device("kitchen").certificate;
    assert_eq!(both.check(&device, NOW).as_deref(), Ok("kitchen"));
}

#[test]
fn no_changed_byte_of_a_certificate_is_accepted() {
    let authority = Authority::new("farm");
    let device = authority.device("kitchen").certificate;
    let policy = authority.policy();
    for at in 0..device.len() {
        let mut changed = device.clone();
        changed[at] ^= 1;
        assert!(policy.check(&changed, NOW).is_err(), "byte {at}");
        assert!(policy.check(&device[..at], NOW).is_err(), "cut at {at}");
    }
}

#[test]
fn a_pinned_certificate_needs_no_authority_but_its_validity() {
    let device = Authority::new("other farm").device("whoever").certificate;
    let mut policy = CertificatePolicy::new();
    assert!(matches!(
        policy.check(&device, NOW),
        Err(CertificateRefusal::Foreign(_))
    ));
    policy.pin(fingerprint(&device), "kitchen".into());
    assert_eq!(policy.check(&device, NOW).as_deref(), Ok("kitchen"));
    assert!(matches!(
        policy.check(&device, NOW + YEAR),
        Err(CertificateRefusal::Expired(_))
    ));
}

#[test]
fn an_authority_gives_no_name_that_is_reserved_and_a_pinned_certificate_has_it_all_the_same() {
    let authority = Authority::new("farm");
    let device = authority.device("kitchen").certificate;
    let mut policy = authority.policy();
    policy.reserve("kitchen".into());
    assert_eq!(
        policy.check(&device, NOW),
        Err(CertificateRefusal::Reserved("kitchen".to_owned()))
    );
    policy.pin(fingerprint(&device), "kitchen".into());
    assert_eq!(policy.check(&device, NOW).as_deref(), Ok("kitchen"));
    policy.release("kitchen");
    policy.set_authorities(Authorities::default());
    assert!(matches!(
        policy.check(&device, NOW),
        Err(CertificateRefusal::Foreign(_))
    ));
}

#[test]
fn authorities_have_expired_when_the_last_of_them_has() {
    let authorities = |names: &[&str]| {
        let pem: String = names.iter().map(|name| Authority::new(name).pem).collect();
        Authorities::from_pem(pem.as_bytes()).expect("authorities")
    };
    let both = authorities(&["farm", "other farm"]);
    assert_eq!(both.check_time(NOW), Ok(()));
    assert_eq!(
        both.check_time(NOW + YEAR),
        Err(AuthorityError::Expired("2027-01-01T00:00:00Z".to_owned()))
    );
    assert_eq!(Authorities::default().check_time(NOW), Ok(()));
    assert!(Authorities::default().are_within(&both) && both.are_within(&both));
    assert!(!authorities(&["farm"]).are_within(&both));
}

#[test]
fn a_device_is_enrolled_by_a_certificate_that_it_can_use() {
    let authority = Authority::new("farm");
    let der = authority.device("kitchen").certificate;
    let read = DeviceCertificate::from_file(&der).expect("a certificate");
    assert_eq!((read.der(), read.fingerprint()), (&*der, fingerprint(&der)));
    assert_eq!(read.check_time(NOW), Ok(()));
    assert!(read.check_time(NOW + YEAR).is_err() && read.expires() < NOW + YEAR);
    let error = |content: &[u8]| DeviceCertificate::from_file(content).map(|_| ());
    assert_eq!(error(b"text"), Err(DeviceCertificateError::Malformed));
    assert_eq!(error(&der[1..]), Err(DeviceCertificateError::Malformed));
    let edwards = Authority::ed25519("farm").pem;
    assert_eq!(error(edwards.as_bytes()), Err(DeviceCertificateError::Key));
    let mut params = Authority::params("kitchen");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    assert_eq!(
        error(&authority.sign(params).certificate),
        Err(DeviceCertificateError::Refused(CertificateRefusal::Usage))
    );
}

#[test]
fn the_fingerprint_is_that_of_other_tools() {
    // `printf abc | sha256sum`
    let digest: String = fingerprint(b"abc")
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert!(digest.starts_with("ba7816bf8f01cfea414140de5dae2223"));
}

#[test]
fn a_certificate_for_another_use_or_with_unknown_critical_extensions_is_refused() {
    let authority = Authority::new("farm");
    let check = |change: &dyn Fn(&mut rcgen::CertificateParams)| {
        let mut params = Authority::params("kitchen");
        change(&mut params);
        let device = authority.sign(params);
        authority.policy().check(&device.certificate, NOW)
    };
    let of_a_server =
        check(&|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth]);
    assert_eq!(of_a_server, Err(CertificateRefusal::Usage));
    let for_signing_none = check(&|params| params.key_usages = vec![KeyUsagePurpose::KeyAgreement]);
    assert_eq!(for_signing_none, Err(CertificateRefusal::Usage));
    let without_usages = check(&|params| {
        params.key_usages.clear();
        params.extended_key_usages.clear();
    });
    assert_eq!(without_usages.as_deref(), Ok("kitchen"));
    let unknown = check(&|params| {
        let mut extension = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
        extension.set_criticality(true);
        params.custom_extensions.push(extension);
    });
    assert_eq!(
        unknown,
        Err(CertificateRefusal::Extension("1.2.3.4".to_owned()))
    );
}

#[test]
fn a_certificate_without_a_usable_name_is_refused() {
    let authority = Authority::new("farm");
    let policy = authority.policy();
    for name in ["", "with space", "k\u{fc}che", "a\nb", &"n".repeat(65)] {
        let checked = policy.check(&authority.device(name).certificate, NOW);
        assert_eq!(checked, Err(CertificateRefusal::Name), "{name:?}");
    }
    let mut nameless = Authority::params("kitchen");
    nameless.distinguished_name = rcgen::DistinguishedName::new();
    nameless
        .distinguished_name
        .push(DnType::OrganizationName, "kitchen");
    let checked = policy.check(&authority.sign(nameless).certificate, NOW);
    assert_eq!(checked, Err(CertificateRefusal::Name));
}

#[test]
fn an_authority_must_be_one_and_its_algorithm_ecdsa() {
    let mut policy = CertificatePolicy::new();
    assert_eq!(
        policy.add_authorities(b"nothing"),
        Err(AuthorityError::Malformed)
    );
    let (gateway, _) = gateway_pem();
    let error = policy.add_authorities(gateway.as_bytes());
    assert_eq!(
        error,
        Err(AuthorityError::NotAnAuthority("CN=gateway".to_owned()))
    );
    let edwards = Authority::ed25519("farm");
    let device = edwards.device("kitchen").certificate;
    assert_eq!(
        edwards.policy().check(&device, NOW),
        Err(CertificateRefusal::SignatureAlgorithm)
    );
}

#[test]
fn the_gateways_key_must_be_that_of_its_certificate() {
    let (certificate, key) = gateway_pem();
    let (_, other_key) = gateway_pem();
    let error =
        |certificate: &str, key: &str| ServerCertificate::from_pem(certificate, key).map(|_| ());
    assert_eq!(error(&certificate, &key), Ok(()));
    let with_parameters =
        format!("-----BEGIN EC PARAMETERS-----\nBg==\n-----END EC PARAMETERS-----\n{key}");
    assert_eq!(error(&certificate, &with_parameters), Ok(()));
    assert_eq!(
        error(&certificate, &other_key),
        Err(ServerCertificateError::Mismatch)
    );
    assert_eq!(error(&key, &key), Err(ServerCertificateError::Certificate));
    assert_eq!(
        error(&certificate, &certificate),
        Err(ServerCertificateError::Key)
    );
}
