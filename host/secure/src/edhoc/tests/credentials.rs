//! Credentials that operators give.

use super::*;

/// As `aiocoap-keygen generate FILE --kid 01` prints it.
fn aiocoap() -> String {
    format!("{{14: {}}}", device_identity().ccs().diagnostic())
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_credentials_of_the_trace_keep_their_bytes() {
    let ccs = Ccs::from_bytes(&hex(trace::CRED_I)).expect("a credential");
    assert_eq!(
        (ccs.as_bytes(), ccs.kid()),
        (&hex(trace::CRED_I)[..], &[0x2b][..])
    );
    assert!(
        ccs.diagnostic()
            .starts_with("{2: \"42-50-31-FF-EF-37-32-39\", 8: {1: {1: 2, 2: h'2b', ")
    );
    let (same, made) = Ccs::enrolled(&ccs.diagnostic(), &[9]).expect("it is diagnostic notation");
    assert_eq!((&same, made), (&ccs, false));
    let (same, _) = Ccs::enrolled(&trace::CRED_I.to_uppercase(), &[9]).expect("it is hexadecimal");
    assert_eq!(same, ccs);
}

#[test]
fn what_aiocoap_prints_is_taken_as_it_stands_and_in_any_order() {
    let own = device_identity();
    assert_eq!(
        Ccs::enrolled(&aiocoap(), &[9]),
        Ok((own.ccs().clone(), false))
    );
    let key = &own.ccs().diagnostic()["{8: {1: {1: 2, 2: h'01', -1: 1, ".len()..];
    let shuffled = format!(
        "{{14: {{8: {{1: {{-1: 1, 1: 2, {}, 2: h'01'}}}}}}}}",
        &key[..key.len() - 3]
    );
    assert_eq!(
        Ccs::enrolled(&shuffled, &[9]),
        Ok((own.ccs().clone(), false))
    );
}

#[test]
fn a_bare_key_gets_a_credential_with_the_kid_of_the_device() {
    let (x, y) = curve::public_key(&[5; 32]).expect("a key");
    for key in [
        digits(&x),
        format!("{:02x}{}", 2 + (y[31] & 1), digits(&x)),
        format!("04{}{}", digits(&x), digits(&y)),
    ] {
        let (ccs, made) = Ccs::enrolled(&key, &[1]).expect("a key");
        assert!(made);
        assert_eq!(ccs.kid(), [1]);
        assert_eq!(Ccs::from_bytes(ccs.as_bytes()), Ok(ccs.clone()));
        let has_y = key.len() > 64;
        assert_eq!(ccs == *device_identity().ccs(), has_y);
    }
}

#[test]
fn what_is_no_credential_is_refused_with_the_remedy_and_without_a_word_of_it() {
    let own = device_identity();
    let good = own.ccs().diagnostic();
    let x = digits(&curve::public_key(&[5; 32]).expect("a key").0);
    let y = digits(&curve::public_key(&[5; 32]).expect("a key").1);
    for (text, expected) in [
        ("kitchen".to_owned(), CcsError::Text),
        ("{14".to_owned(), CcsError::Text),
        (String::new(), CcsError::Form),
        ("a0".to_owned(), CcsError::Form),
        ("ff".repeat(32), CcsError::NotOnCurve),
        (format!("04{x}{x}"), CcsError::NotOnCurve),
        (good.replace(&y, &x), CcsError::NotOnCurve),
        (good.replace("2: h'01', ", ""), CcsError::NoKid),
        (good.replace("h'01'", "h''"), CcsError::NoKid),
        (
            good.replace("h'01'", "h'010203040506070809'"),
            CcsError::NoKid,
        ),
        (good.replace("{8:", "{4: 1, 8:"), CcsError::Unknown(4)),
        (good.replace("-1: 1", "-1: 2"), CcsError::NotOnCurve),
        (good.replace("-1: 1", "3: -7, -1: 1"), CcsError::Unknown(3)),
        (
            good.replace("-1: 1", "-1: 1, -4: h'00'"),
            CcsError::PrivateKey,
        ),
        (
            good.replace("{8:", &format!("{{2: \"{}\", 8:", "n".repeat(80))),
            CcsError::Long(165),
        ),
        (
            format!("{}00", digits(own.ccs().as_bytes())),
            CcsError::Form,
        ),
    ] {
        let error = Ccs::enrolled(&text, &[9]).expect_err(&text);
        assert_eq!(error, expected, "{text}");
        assert!(!error.to_string().contains(&x));
    }
}

#[test]
fn the_private_key_of_the_gateway_is_not_printed_and_zero_is_none() {
    let identity = gateway_identity();
    assert!(!format!("{identity:?}").contains("0303030303"));
    assert_eq!(Identity::new(&[0; 32], &[0]).err(), Some(BadKey));
}
