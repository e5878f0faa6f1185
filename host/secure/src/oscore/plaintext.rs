//! What is encrypted: code, options of class E, and payload (RFC 8613 §5.3).

use coap::{Datagram, Message, MessageType, Token, decode, encode};

/// Bytes of a CoAP header in front of the options; only its code is part of the plaintext.
const HEADER: usize = 4;

/// Code, options and payload as they are encrypted.
pub(super) fn write(message: Message) -> Vec<u8> {
    let mut bytes = encode(&Datagram {
        message_type: MessageType::NonConfirmable,
        message_id: 0,
        token: Token::default(),
        message,
    });
    // Version, type and token length before the code, message ID after it.
    bytes.swap(0, 1);
    bytes.drain(1..HEADER);
    bytes
}

/// The message of a plaintext; none if it is malformed, or has more options than the endpoint reads.
pub(super) fn read(plaintext: &[u8]) -> Option<Message> {
    let (code, rest) = plaintext.split_first()?;
    let mut bytes = Vec::with_capacity(HEADER + rest.len());
    // Version 1, non-confirmable, no token.
    bytes.extend([0x50, *code, 0, 0]);
    bytes.extend_from_slice(rest);
    Some(decode(&bytes).ok()?.message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use coap::option::{ACCESS_TOKEN, URI_PATH};

    #[test]
    fn a_message_is_read_as_it_was_written() {
        let message = Message::new(coap::code::PUT)
            .with_option(URI_PATH, "send")
            .with_option(ACCESS_TOKEN, [b'x'; 300])
            .with_payload("body");
        for message in [message, Message::new(coap::code::GET)] {
            assert_eq!(read(&write(message.clone())), Some(message));
        }
    }

    #[test]
    fn malformed_plaintexts_are_no_messages() {
        for plaintext in [
            &b""[..],
            b"\x01\xff",
            b"\x01\xf0",
            b"\x01\xb5a",
            b"\0\x11",
            b"\xe0",
        ] {
            assert_eq!(read(plaintext), None, "{plaintext:02x?}");
        }
    }
}
