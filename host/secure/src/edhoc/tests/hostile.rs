//! Messages that would make the library panic, and others that nobody should send.

use proptest::prelude::*;

use super::device::Device;
use super::*;

fn begin(message_1: &str) -> Option<Refusal> {
    let payload = [&[0xf5][..], &hex(message_1)].concat();
    handle(&mut gateway(), &from(1), &payload).1
}

#[test]
fn an_ephemeral_key_off_the_curve_is_refused() {
    let off_curve = (0..=255u8)
        .map(|last| [&[7; 31][..], &[last]].concat())
        .filter(|x| !curve::is_on_curve(&x[..].try_into().expect("32 bytes")));
    for x in off_curve {
        let digits: String = x.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            begin(&format!("03025820{digits}01")),
            Some(Refusal::NotOnCurve)
        );
    }
    assert_eq!(
        begin(&format!("03025820{}01", "ff".repeat(32))),
        Some(Refusal::NotOnCurve)
    );
}

#[test]
fn a_connection_identifier_of_more_than_seven_bytes_is_refused() {
    let g_x = trace::G_Y;
    for (head, length) in [("48", 8), ("57", 23), ("5818", 24)] {
        let c_i = format!("{head}{}", "01".repeat(length));
        assert_eq!(
            begin(&format!("03025820{g_x}{c_i}")),
            Some(Refusal::Malformed)
        );
    }
    assert_eq!(begin(&format!("03025820{g_x}47{}", "01".repeat(7))), None);
}

#[test]
fn a_message_3_longer_than_the_librarys_buffer_is_refused() {
    let mut gateway = gateway();
    let device = Device::begin(&mut gateway, &from(1), &device_identity());
    for length in [189, 190, 192, 193, 255] {
        let mut message_3 = Vec::new();
        crate::cbor::bytes(&mut message_3, &vec![1; length]);
        let refusal = handle(&mut gateway, &from(1), &device.with_c_r(&message_3)).1;
        assert_eq!(refusal, Some(Refusal::TooLong), "{length}");
    }
}

#[test]
fn a_message_3_without_room_for_a_tag_is_refused() {
    let mut gateway = gateway();
    let device = Device::begin(&mut gateway, &from(1), &device_identity());
    for length in 0..8 {
        let mut message_3 = Vec::new();
        crate::cbor::bytes(&mut message_3, &vec![1; length]);
        let refusal = handle(&mut gateway, &from(1), &device.with_c_r(&message_3)).1;
        assert_eq!(refusal, Some(Refusal::Malformed), "{length}");
    }
}

/// What a forged message_3 with this plaintext gets. Its sender needs no key that is enrolled.
fn forged(plaintext: &str) -> Option<Refusal> {
    let mut gateway = gateway();
    let device = Device::begin(&mut gateway, &from(1), &device_identity());
    let message_3 = device.verified.forge(&hex(plaintext));
    handle(&mut gateway, &from(1), &device.with_c_r(&message_3)).1
}

#[test]
fn data_that_does_not_fit_beside_the_credential_of_a_known_device_is_refused() {
    let mac = format!("48{}", "00".repeat(8));
    assert_eq!(forged(&format!("01{mac}")), Some(Refusal::NotAuthentic));
    // Padding of 160 bytes: with the credential the library would write behind its buffer.
    let padding = format!("0058a0{}", "00".repeat(160));
    assert_eq!(forged(&format!("01{mac}{padding}")), Some(Refusal::TooLong));
    assert_eq!(
        forged(&format!("01{mac}20")),
        Some(Refusal::Malformed),
        "critical"
    );
}

#[test]
fn a_credential_by_value_is_only_as_deep_and_long_as_one_can_be() {
    let mac = format!("48{}", "00".repeat(8));
    for nested in [
        "98ff".repeat(40),
        "b8ff".repeat(40),
        "81".repeat(100) + "00",
        "a10e".repeat(40),
    ] {
        assert_eq!(
            forged(&format!("a10e{nested}{mac}")),
            Some(Refusal::Malformed)
        );
    }
    let own = device_identity();
    let ccs: String = own
        .ccs()
        .as_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    // The key is not proven, but the credential is found.
    assert_eq!(
        forged(&format!("a10e{ccs}{mac}")),
        Some(Refusal::NotAuthentic)
    );
    let other = ccs.replace("024101", "024102");
    assert_eq!(
        forged(&format!("a10e{other}{mac}")),
        Some(Refusal::UnknownCredential)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..260)) {
        let mut gateway = gateway();
        handle(&mut gateway, &from(1), &bytes);
        let payload = [&[0xf5][..], &bytes].concat();
        handle(&mut gateway, &from(1), &payload);
    }

    #[test]
    fn any_plaintext_of_message_3_is_answered(
        id in prop_oneof![Just(vec![1]), Just(vec![0x41, 0x99]), Just(vec![0xa1, 0x0e])],
        bytes in proptest::collection::vec(any::<u8>(), 0..170),
        has_mac in any::<bool>(),
    ) {
        let mut gateway = gateway();
        let device = Device::begin(&mut gateway, &from(1), &device_identity());
        let mac: &[u8] = if has_mac { &[0x48, 0, 0, 0, 0, 0, 0, 0, 0] } else { &[] };
        let message_3 = device.verified.forge(&[&id, mac, &bytes].concat());
        let payload = device.with_c_r(&message_3);
        let (_, refusal) = handle(&mut gateway, &from(1), &payload);
        prop_assert!(refusal.is_some());
    }
}
