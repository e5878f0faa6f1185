//! Bytes and datagrams (RFC 7252 §3).

use proptest::prelude::*;

use super::*;
use crate::DecodeError;
use crate::codec::FormatError;

/// Any datagram that can be written: codes of the known classes, tokens, options and payload of any kind.
fn any_datagram() -> impl Strategy<Value = Datagram> {
    let message_type = prop_oneof![
        Just(MessageType::Confirmable),
        Just(MessageType::NonConfirmable),
        Just(MessageType::Acknowledgement),
        Just(MessageType::Reset),
    ];
    let code = (0..=u8::MAX).prop_filter("reserved class", |code| {
        code::is_request(*code) || code::is_response(*code)
    });
    let bytes = |most| prop::collection::vec(any::<u8>(), 0..most);
    let number = prop_oneof![0..300u16, any::<u16>()];
    let value = prop_oneof![bytes(16), bytes(400), Just(vec![0xff])];
    let options = prop::collection::vec((number, value), 0..8);
    let full = (
        message_type.clone(),
        any::<u16>(),
        bytes(9),
        code,
        options,
        bytes(1_100),
    )
        .prop_map(
            |(message_type, message_id, token, code, options, payload)| {
                let mut message = Message::new(code).with_payload(payload);
                for (number, value) in options {
                    message.push_option(number, value);
                }
                let token = Token::new(&token).unwrap_or_default();
                Datagram {
                    message_type,
                    message_id,
                    token,
                    message,
                }
            },
        );
    let empty = (message_type, any::<u16>()).prop_map(|(kind, id)| Datagram::empty(kind, id));
    prop_oneof![9 => full, 1 => empty]
}

fn reason(bytes: &[u8]) -> FormatError {
    match decode(bytes) {
        Err(DecodeError::Malformed { reason, .. }) => reason,
        other => panic!("{bytes:02x?} gave {other:?}"),
    }
}

proptest! {
    #[test]
    fn a_written_datagram_is_read_back(datagram in any_datagram()) {
        prop_assert!(decode(&encode(&datagram)).as_ref() == Ok(&datagram));
    }

    #[test]
    fn read_bytes_are_written_back(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(datagram) = decode(&bytes) {
            prop_assert_eq!(encode(&datagram), bytes);
        }
    }

    #[test]
    fn a_truncated_message_is_shorter_or_refused(datagram in any_datagram()) {
        let bytes = encode(&datagram);
        for end in 0..bytes.len() {
            if let Ok(shorter) = decode(&bytes[..end]) {
                prop_assert!(shorter != datagram);
                prop_assert_eq!(encode(&shorter), &bytes[..end]);
            }
        }
    }
}

#[test]
fn the_example_of_rfc_7252_figure_16_is_read() {
    let bytes = b"\x41\x01\x7d\x35\x20\xbbtemperature";
    let datagram = decode(bytes).expect("a valid message");
    assert_eq!(datagram.message_id, 0x7d35);
    assert_eq!(datagram.token.as_bytes(), [0x20]);
    assert_eq!(
        datagram.message.option(URI_PATH),
        Some(b"temperature".as_slice())
    );
    assert_eq!(encode(&datagram), bytes);
}

#[test]
fn a_payload_marker_followed_by_nothing_is_a_format_error() {
    assert_eq!(reason(b"\x40\x01\x00\x01\xff"), FormatError::EmptyPayload);
    assert_eq!(
        reason(b"\x40\x01\x00\x01\xb1a\xff"),
        FormatError::EmptyPayload
    );
    // The same last byte inside an option is its value.
    assert!(decode(b"\x40\x01\x00\x01\xb1\xff").is_ok());
}

#[test]
fn token_lengths_9_to_15_and_tokens_cut_off_are_format_errors() {
    for length in 9..=15 {
        let mut bytes = vec![0x40 | length, 0x01, 0, 1];
        bytes.extend([0; 20]);
        assert_eq!(reason(&bytes), FormatError::TokenLength);
    }
    assert_eq!(reason(b"\x44\x01\x00\x01abc"), FormatError::TokenLength);
}

#[test]
fn reserved_and_cut_off_options_are_format_errors() {
    for options in [
        b"\xf0".as_slice(),   // delta 15
        b"\x0f",              // length 15
        b"\xd0",              // delta extension missing
        b"\xe0\x00",          // half a delta extension
        b"\x0d",              // length extension missing
        b"\xb5abc",           // value cut off
        b"\xe0\xff\xff",      // number above 65,535
        b"\xe0\xfe\xf2\x10a", // the sum of two deltas above 65,535
    ] {
        let bytes = [b"\x40\x01\x00\x01", options].concat();
        assert_eq!(reason(&bytes), FormatError::Option, "{options:02x?}");
    }
}

#[test]
fn an_empty_message_with_content_and_reserved_classes_are_format_errors() {
    assert_eq!(
        reason(b"\x40\x00\x00\x01\xb1a"),
        FormatError::EmptyWithContent
    );
    assert_eq!(reason(b"\x41\x00\x00\x01a"), FormatError::EmptyWithContent);
    for code in [0x20, 0x61, 0xc1, 0xe1, 0xff] {
        assert_eq!(
            reason(&[0x40, code, 0, 1]),
            FormatError::ReservedClass(code)
        );
    }
}

#[test]
fn short_datagrams_and_other_versions_are_distinguished_from_malformed_ones() {
    assert_eq!(decode(b"\x40\x01\x00"), Err(DecodeError::TooShort(3)));
    assert_eq!(
        decode(b"\x80\x01\x00\x01"),
        Err(DecodeError::UnknownVersion(2))
    );
}
