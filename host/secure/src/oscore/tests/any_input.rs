//! Whatever arrives, nothing panics, and nothing but what was protected is accepted.

use coap::option::OSCORE;
use coap::{Datagram, MessageType, Token, decode, encode};
use proptest::prelude::*;

use super::pair::{Pair, content, get};
use super::*;

fn datagram(message: Message) -> Vec<u8> {
    encode(&Datagram {
        message_type: MessageType::NonConfirmable,
        message_id: 1,
        token: Token::default(),
        message,
    })
}

/// Bytes that look like an option value, often with the kid of the device.
fn option_values() -> impl Strategy<Value = Vec<u8>> {
    let any_bytes = proptest::collection::vec(any::<u8>(), 0..20);
    let of_device = (any::<u8>(), 0..3u8).prop_map(|(iv, kid)| vec![0x09, iv, kid]);
    prop_oneof![any_bytes, of_device]
}

proptest! {
    #[test]
    fn any_option_and_payload_are_refused(
        value in option_values(),
        payload in proptest::collection::vec(any::<u8>(), 0..100),
        code in any::<u8>(),
    ) {
        let mut pair = Pair::new();
        let mut message = Message::new(code).with_option(OSCORE, value).with_payload(payload);
        let before = message.clone();
        prop_assert!(pair.take(&mut message).is_err());
        prop_assert_eq!(&message, &before);
        let (mut sent, _) = pair.request(get());
        prop_assert!(pair.device.unprotect_response(&mut sent, &mut message).is_err());
        prop_assert_eq!(message, before);
    }

    #[test]
    fn a_changed_datagram_gives_the_same_request_or_none(
        position in any::<prop::sample::Index>(),
        mask in 1..=255u8,
        text in "[a-z]{0,40}",
    ) {
        let mut pair = Pair::new();
        let plain = get().with_payload(text);
        let (_, message) = pair.request(plain.clone());
        let mut bytes = datagram(message);
        let index = position.index(bytes.len());
        bytes[index] ^= mask;
        if let Ok(mut changed) = decode(&bytes).map(|changed| changed.message)
            && let Ok(Some(_)) = pair.gateway.unprotect(pair.now, &mut changed)
        {
            prop_assert_eq!(changed, plain);
        }
    }

    #[test]
    fn a_changed_response_gives_the_same_response_or_none(
        position in any::<prop::sample::Index>(),
        mask in 1..=255u8,
    ) {
        let mut pair = Pair::new();
        let (mut sent, mut message) = pair.request(get());
        let verified = pair.take(&mut message).unwrap();
        let mut bytes = datagram(pair.respond(&verified, content("12:00")));
        let index = position.index(bytes.len());
        bytes[index] ^= mask;
        if let Ok(mut changed) = decode(&bytes).map(|changed| changed.message)
            && pair.device.unprotect_response(&mut sent, &mut changed).is_ok()
        {
            prop_assert_eq!(changed, content("12:00"));
        }
    }
}
